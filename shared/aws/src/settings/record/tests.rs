//! Records of an older and of a newer version, and tokens that are replaced.

use super::*;

fn acme() -> OrgId {
    OrgId::new("acme").unwrap()
}

fn read(key: Key, body: &str) -> Entry {
    Entry::read(key, body).unwrap()
}

fn whole() -> OrgRecord {
    OrgRecord {
        name: "Acme".to_owned(),
        profile: "You answer for Acme.".to_owned(),
        session_url: "https://a.example/{session_id}".to_owned(),
        debounce_ms: 250,
        crm: Some(CrmMode::OnlyOnHandoff),
        creatio: Some(CreatioRecord {
            instance_url: "https://acme.creatio.com".to_owned(),
            identity_url: Some("https://acme-is.creatio.com".to_owned()),
            client_id: "client".to_owned(),
            default_owner_id: Some(Uuid::from_u128(1)),
            default_group_id: Some(Uuid::from_u128(2)),
            resolved_status_id: Some(Uuid::from_u128(3)),
        }),
        model: Some(ModelRecord {
            provider: Provider::Openai,
            base_url: "https://m.example/v1".to_owned(),
            model: "any".to_owned(),
        }),
    }
}

#[test]
fn every_record_is_read_back_as_it_was_written() {
    let line = LineRecord {
        org: acme(),
        ai_enabled: false,
        auto_resolve_after_ms: 1,
        display_number: "+1 202 555 0111".to_owned(),
    };
    let token = TokenRecord { org: acme(), expires_at: Some(7) };
    for entry in [
        Entry::Org(acme(), whole()),
        Entry::Line(LineKey::whatsapp("1"), line),
        Entry::CreatioToken([1; 32], token.clone()),
        Entry::CreatioToken([1; 32], TokenRecord { expires_at: None, ..token }),
    ] {
        assert_eq!(read(entry.key(), &entry.body().unwrap()), entry);
        assert_eq!(entry.org(), &acme());
    }
}

#[test]
fn an_older_record_lacks_what_was_added_later() {
    let body = r#"{"name":"Acme","profile":"P","session_url":"u",
        "creatio":{"instance_url":"i","client_id":"c"},"model":{"base_url":"b","model":"m"}}"#;
    let Entry::Org(_, org) = read(Key::Org(acme()), body) else { panic!("an organisation was expected") };
    let settings = org.settings(&acme());
    assert_eq!((settings.debounce, settings.crm), (SignedDuration::from_secs(3), None));
    assert_eq!(org.model.unwrap().provider, Provider::Openai);
    assert_eq!(org.creatio.unwrap().identity_url, None);
    let line = LineKey::whatsapp("1");
    let Entry::Line(_, record) = read(Key::Line(line.clone()), r#"{"org":"acme"}"#) else { panic!("a line") };
    let settings = record.settings(&line);
    assert_eq!((settings.ai_enabled, settings.auto_resolve_after), (true, SignedDuration::from_hours(12)));
}

#[test]
fn a_newer_records_additions_are_passed_over() {
    let body = r#"{"name":"Acme","profile":"P","session_url":"u","languages":["de"],
        "model":{"provider":"telepathy","base_url":"b","model":"m","region":"x"},
        "creatio":{"instance_url":"i","client_id":"c","realm":"r"}}"#;
    let Entry::Org(_, org) = read(Key::Org(acme()), body) else { panic!("an organisation was expected") };
    assert_eq!(org.model.unwrap().provider, Provider::Newer);
    let body = r#"{"org":"acme","country":"US","ai_enabled":false}"#;
    assert!(
        matches!(read(Key::Line(LineKey::whatsapp("1")), body), Entry::Line(_, line) if !line.ai_enabled)
    );
    let body = r#"{"org":"acme","made_by":"somebody"}"#;
    assert!(
        matches!(read(Key::CreatioToken([0; 32]), body), Entry::CreatioToken(_, token) if token.org == acme())
    );
}

#[test]
fn a_lines_number_is_not_shown() {
    let body = r#"{"org":"acme","display_number":"+1 202 555 0111"}"#;
    let line = read(Key::Line(LineKey::whatsapp("1")), body);
    assert!(!format!("{line:?}").contains("555"), "{line:?}");
}

const NOW: i64 = 1_794_819_600;

fn token(digest: u8, org: &str, expires_at: Option<i64>) -> Entry {
    Entry::CreatioToken([digest; 32], TokenRecord { org: OrgId::new(org).unwrap(), expires_at })
}

fn changes(stored: &[Entry], new: Option<u8>) -> Vec<Entry> {
    let now = Timestamp::from_second(NOW).unwrap();
    token_changes(stored, &acme(), new.map(|digest| [digest; 32]), now)
}

#[test]
fn a_replaced_token_stays_valid_for_a_day() {
    let stored = [token(1, "acme", None), token(2, "other", None), Entry::Org(acme(), whole())];
    let tomorrow = Some(NOW + 86_400);
    assert_eq!(changes(&stored, Some(3)), [token(3, "acme", None), token(1, "acme", tomorrow)]);
    assert_eq!(changes(&[], Some(3)), [token(3, "acme", None)]);
    assert_eq!(changes(&stored, None), [token(1, "acme", tomorrow)]);
}

#[test]
fn applying_again_changes_nothing_and_puts_no_end_off() {
    let stored = [token(3, "acme", None), token(1, "acme", Some(NOW + 60))];
    assert_eq!(changes(&stored, Some(3)), []);
    // Back to the one before: it stands again, and the other one ends.
    assert_eq!(changes(&stored, Some(1)), [token(1, "acme", None), token(3, "acme", Some(NOW + 86_400))]);
}
