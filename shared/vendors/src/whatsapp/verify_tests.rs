//! Signatures that must and must not be believed, and the handshake.

use super::super::inspect::tests::signature;
use super::*;

const BODY: &[u8] = br#"{"t":"Gr\u00fc\u00dfe \ud83d\udeb2 a\/b"}"#;

fn app(secret: &str, numbers: &[&str]) -> AppSecret {
    AppSecret { secret: secret.into(), numbers: numbers.iter().map(|&number| number.to_owned()).collect() }
}

fn judged(header: Option<&str>, secrets: &[AppSecret]) -> Result<Verified, BadSignature> {
    verify(Bytes::from_static(BODY), header, secrets)
}

fn refusal(header: Option<&str>, secrets: &[AppSecret]) -> BadSignature {
    judged(header, secrets).expect_err("must be refused")
}

#[test]
fn a_known_vector_is_believed() {
    // RFC 4231, test case 2.
    let header = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    let body = Bytes::from_static(b"what do ya want for nothing?");
    assert!(verify(body, Some(header), &[app("Jefe", &[])]).is_ok());
}

#[test]
fn the_bytes_as_sent_are_what_counts() {
    let signed = signature("s", BODY);
    let verified = judged(Some(&signed), &[app("s", &["1"])]).unwrap();
    assert_eq!(&verified.body()[..], BODY);
    let raw = Bytes::from("{\"t\":\"Grüße 🚲 a/b\"}");
    assert_eq!(verify(raw, Some(&signed), &[app("s", &["1"])]).unwrap_err(), BadSignature::Wrong);
    for at in 0..BODY.len() {
        let mut changed = BODY.to_vec();
        changed[at] ^= 1;
        assert!(verify(changed.into(), Some(&signed), &[app("s", &[])]).is_err(), "byte {at}");
    }
}

#[test]
fn a_header_that_is_missing_or_odd_is_refused() {
    let secrets = [app("s", &["1"])];
    let good = signature("s", BODY);
    assert_eq!(refusal(None, &secrets), BadSignature::Missing);
    let digits = good.strip_prefix("sha256=").unwrap();
    let odd = [
        String::new(),
        digits.to_owned(),
        format!("sha1={digits}"),
        format!("SHA256={digits}"),
        format!("sha256= {digits}"),
        format!("sha256={}", &digits[..62]),
        format!("sha256={}", &digits[..63]),
        format!("{good}0"),
        format!("{good}00"),
        format!("sha256={}", "zz".repeat(32)),
        format!("sha256={}", "é".repeat(32)),
        "sha256=".to_owned(),
    ];
    for header in odd {
        assert_eq!(refusal(Some(&header), &secrets), BadSignature::Malformed, "{header}");
    }
    assert_eq!(refusal(Some(&format!("sha256={}", "0".repeat(64))), &secrets), BadSignature::Wrong);
    assert_eq!(refusal(Some(&signature("other", BODY)), &secrets), BadSignature::Wrong);
}

#[test]
fn without_a_secret_nothing_is_believed() {
    let empty = signature("", BODY);
    assert_eq!(refusal(Some(&empty), &[]), BadSignature::NoSecret);
    assert_eq!(refusal(Some(&empty), &[app("", &["1"])]), BadSignature::NoSecret);
    assert_eq!(refusal(Some(&empty), &[app("", &["1"]), app("s", &["2"])]), BadSignature::Wrong);
}

#[test]
fn only_numbers_of_the_matching_secret_are_served() {
    let secrets = [app("old", &["1"]), app("new", &["2"]), app("other", &["3"]), app("new", &["4"])];
    let verified = judged(Some(&signature("new", BODY)), &secrets).unwrap();
    let served: Vec<_> =
        ["1", "2", "3", "4", ""].into_iter().filter(|number| verified.serves(number)).collect();
    assert_eq!(served, ["2", "4"]);
    assert!(judged(Some(&signature("old", BODY)), &secrets).unwrap().serves("1"));
}

fn tokens(texts: &[&str]) -> Vec<SecretString> {
    texts.iter().map(|&text| text.into()).collect()
}

#[test]
fn the_handshake_gives_the_challenge_back_word_for_word() {
    let query = "hub.mode=subscribe&hub.challenge=a%20%3Cb%3E%2B&hub.verify_token=w%C3%B6rd";
    assert_eq!(challenge(query, &tokens(&["x", "wörd"])).as_deref(), Some("a <b>+"));
}

#[test]
fn the_handshake_refuses_everything_else() {
    let known = tokens(&["word"]);
    let long =
        format!("hub.mode=subscribe&hub.verify_token=word&hub.challenge={}", "1".repeat(CHALLENGE_LIMIT + 1));
    let refused = [
        "",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=word",
        "hub.challenge=1&hub.verify_token=word",
        "hub.mode=subscribe&hub.verify_token=word",
        "hub.mode=subscribe&hub.challenge=&hub.verify_token=word",
        &long,
    ];
    for query in refused {
        assert_eq!(challenge(query, &known), None, "{query}");
    }
    let empty = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=";
    assert_eq!(challenge(empty, &tokens(&[""])), None, "an empty configured token never matches");
    assert_eq!(challenge(empty, &[]), None);
}

#[test]
fn debug_output_shows_neither_body_nor_secret() {
    let secrets = [app("s", &["1"])];
    let verified = judged(Some(&signature("s", BODY)), &secrets).unwrap();
    assert_eq!(format!("{verified:?}"), format!("Verified {{ bytes: {}, .. }}", BODY.len()));
}
