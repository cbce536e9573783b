//! Addresses that people and attackers type, and every special range in every notation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;

fn refused(text: &str) -> Refused {
    let judged = Guard::new(false).check(text);
    judged.map(|url| url.to_string()).expect_err(&format!("{text:?} should be refused"))
}

#[test]
fn attack_cases_are_refused_for_their_reason() {
    let cases = [
        ("https://127.0.0.1", Refused::IpAddress),
        ("https://10.0.0.1", Refused::IpAddress),
        ("https://169.254.169.254/latest/meta-data/", Refused::IpAddress),
        ("https://[::1]", Refused::IpAddress),
        ("https://localhost", Refused::PrivateName),
        ("http://mycompany.creatio.com", Refused::NotHttps),
        ("https://2130706433/", Refused::IpAddress),
        ("https://user:pw@mycompany.creatio.com", Refused::User),
        ("https://[::ffff:127.0.0.1]", Refused::IpAddress),
        ("https://10.0.0.8:443", Refused::IpAddress),
    ];
    for (text, why) in cases {
        assert_eq!(refused(text), why, "{text}");
    }
}

#[test]
fn a_good_address_is_kept_without_its_last_slash() {
    let seen = inspect_url("https://MyCompany.creatio.com/", false);
    assert_eq!(seen["allowed"], true);
    assert_eq!(seen["reason"], Value::Null);
    assert_eq!(seen["normalised"], "https://mycompany.creatio.com");
    let with_path = inspect_url("https://mycompany.creatio.com:443/support/", false);
    assert_eq!(with_path["normalised"], "https://mycompany.creatio.com/support");
}

#[test]
fn a_refusal_says_why_and_gives_nothing_to_use() {
    let seen = inspect_url("http://mycompany.creatio.com", false);
    assert_eq!(seen["allowed"], false);
    assert_eq!(seen["normalised"], Value::Null);
    assert_eq!(seen["reason"], "the address must begin with https://");
}

#[test]
fn what_the_parser_would_swallow_is_refused_first() {
    let unseen = [
        "\t",
        "\n",
        "\r",
        " ",
        "\0",
        "\u{7f}",
        "\u{a0}",
        "\u{ad}",
        "\u{200b}",
        "\u{2060}",
        "\u{feff}",
        "\u{e0041}",
    ];
    for c in unseen {
        for text in [
            format!("{c}https://a.example"),
            format!("https://a{c}.example"),
            format!("https://a.example/{c}"),
        ] {
            assert_eq!(refused(&text), Refused::Invisible, "{text:?}");
        }
    }
}

#[test]
fn odd_shapes_are_refused() {
    let cases = [
        ("", Refused::NotAnAddress),
        ("mycompany.creatio.com", Refused::NotAnAddress),
        ("https:mycompany.creatio.com", Refused::NotAnAddress),
        ("https:///mycompany.creatio.com", Refused::NotAnAddress),
        ("https://", Refused::NotAnAddress),
        ("https://a..b%zz/", Refused::NotAnAddress),
        ("ftp://127.0.0.1", Refused::NotHttps),
        ("javascript://a.example/%0aalert(1)", Refused::NotHttps),
        ("https://@mycompany.creatio.com", Refused::User),
        ("https://mycompany.creatio.com@evil.example", Refused::User),
        ("https://mycompany.creatio.com#", Refused::Fragment),
        ("https://mycompany.creatio.com/#x", Refused::Fragment),
        ("https://mycompany.creatio.com:8443", Refused::Port),
        ("https://mycompany.creatio.com:80", Refused::Port),
        ("https://mycompany.creatio.com.", Refused::TrailingDot),
        ("https://localhost.", Refused::TrailingDot),
        ("https://intranet", Refused::PrivateName),
        ("https://mailserver", Refused::PrivateName),
        ("https://x.localhost", Refused::PrivateName),
        ("https://metadata.google.internal", Refused::PrivateName),
        ("https://printer.local", Refused::PrivateName),
        ("https://nas.home.arpa", Refused::PrivateName),
        ("https://LOCALHOST", Refused::PrivateName),
        ("https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", Refused::PrivateName),
    ];
    for (text, why) in cases {
        assert_eq!(refused(text), why, "{text}");
    }
    assert_eq!(refused(&format!("https://a.example/{}", "x".repeat(LONGEST))), Refused::TooLong);
}

#[test]
fn a_backslash_ends_the_host_for_us_as_for_the_parser() {
    let url = Guard::new(false).check("https://mycompany.creatio.com\\@10.0.0.1/").unwrap();
    assert_eq!(url.host_str(), Some("mycompany.creatio.com"));
    assert_eq!(refused("https://10.0.0.1\\@mycompany.creatio.com/"), Refused::IpAddress);
}

#[test]
fn names_that_only_look_local_are_public() {
    for text in [
        "https://mylocal.example",
        "https://localhost.example",
        "https://corp.example",
        "https://xn--bcher-kva.example",
    ] {
        assert!(Guard::new(false).check(text).is_ok(), "{text}");
    }
}

#[test]
fn insecure_opens_http_and_loopback_and_nothing_else() {
    let guard = Guard::new(true);
    for text in [
        "http://127.0.0.1:9999/v1",
        "http://localhost:8080",
        "https://[::1]:1",
        "http://127.8.8.8",
        "http://a.example",
    ] {
        assert!(guard.check(text).is_ok(), "{text}");
    }
    for text in [
        "http://10.0.0.1",
        "http://169.254.169.254",
        "http://[fd00::1]",
        "http://0.0.0.0",
        "http://[::ffff:127.0.0.1]",
        "http://printer.local",
        "http://u@localhost",
        "http://x.localhost",
        "ftp://localhost",
    ] {
        assert!(guard.check(text).is_err(), "{text}");
    }
    assert!(guard.may_connect("127.0.0.1".parse().unwrap()) && guard.may_connect("::1".parse().unwrap()));
    assert!(!guard.may_connect("10.0.0.8".parse().unwrap()));
}

/// First, last and a middle address of each special IPv4 block, written down apart from the table under test.
const SPECIAL_V4: &str = "0.0.0.0 0.1.2.3 0.255.255.255 10.0.0.0 10.0.0.8 10.255.255.255 100.64.0.0 100.100.100.200 \
    100.127.255.255 127.0.0.0 127.0.0.1 127.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 \
    172.20.10.1 172.31.255.255 192.0.0.0 192.0.0.170 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.1 192.168.0.0 \
    192.168.1.1 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 \
    224.0.0.0 224.0.0.251 239.255.255.255 240.0.0.0 250.1.2.3 255.255.255.255";

const SPECIAL_V6: &str = ":: ::1 ::7f00:1 ::ffff:7f00:1 ::ffff:a00:8 ::ffff:0:7f00:1 64:ff9b::a00:8 64:ff9b::808:808 \
    64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:1ff::1 \
    2001:db8::1 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:a00:8::1 2002:808:808::1 2620:4f:8000::1 3fff::1 3fff:fff::1 \
    4000::1 5f00::1 fc00::1 fd12:3456::1 fdff::1 fe80::1 febf::1 fec0::1 ff02::1 ffff:ffff::1";

#[test]
fn no_special_address_is_connected_to() {
    let guard = Guard::new(false);
    for text in SPECIAL_V4.split_whitespace().chain(SPECIAL_V6.split_whitespace()) {
        assert!(!guard.may_connect(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn the_neighbours_of_special_blocks_are_public() {
    let public = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 \
        169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 \
        203.0.112.255 203.0.114.0 223.255.255.255 2001:200::1 2001:db7::1 2001:db9::1 2003::1 2606:4700::1111 \
        2a03:2880::1 3ffe::1 ::ffff:8.8.8.8";
    for text in public.split_whitespace() {
        assert!(Guard::new(false).may_connect(text.parse().unwrap()), "{text}");
    }
}

/// Every way to write an IPv4 address that URL parsers are known to understand, and those that embed it in IPv6.
fn notations(ip: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = ip.octets();
    let dotted = ip.to_string();
    let map = |table: [char; 10]| -> String {
        dotted.chars().map(|x| x.to_digit(10).map_or(x, |digit| table[digit as usize])).collect()
    };
    let wide = map(['０', '１', '２', '３', '４', '５', '６', '７', '８', '９']);
    let circled = map(['⓪', '①', '②', '③', '④', '⑤', '⑥', '⑦', '⑧', '⑨']);
    let percent: String = dotted.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let v6 = |high: [u16; 6]| {
        let [p, q, r, s, t, u] = high;
        let low = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
        format!("[{}]", Ipv6Addr::new(p, q, r, s, t, u, low[0], low[1]))
    };
    vec![
        dotted.clone(),
        ip.to_bits().to_string(),
        format!("{:#x}", ip.to_bits()),
        format!("0{:o}", ip.to_bits()),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("{a}.{}", ip.to_bits() & 0xff_ffff),
        format!("{a}.{b}.{}", ip.to_bits() & 0xffff),
        wide.clone(),
        wide.replace('.', "。"),
        circled,
        percent,
        format!("[::ffff:{dotted}]"),
        format!("[::{dotted}]"),
        v6([0x64, 0xff9b, 0, 0, 0, 0]),
        v6([0, 0, 0, 0, 0xffff, 0]),
        format!("[2002:{:02x}{b:02x}:{c:02x}{d:02x}::1]", a),
    ]
}

#[test]
fn no_notation_of_a_special_address_passes_with_or_without_insecure() {
    let mut tried = 0;
    for text in SPECIAL_V4.split_whitespace() {
        let ip: Ipv4Addr = text.parse().unwrap();
        for host in notations(ip) {
            for address in
                [format!("https://{host}"), format!("https://{host}/x?y=1"), format!("https://{host}:443/")]
            {
                let strict = Guard::new(false).check(&address);
                assert!(strict.is_err(), "{address} was accepted for {ip}");
                let loose = Guard::new(true).check(&address);
                assert!(loose.is_err() || ip.is_loopback(), "{address} was accepted for {ip}");
                tried += 1;
            }
        }
    }
    assert!(tried > 1_500, "{tried}");
}

#[test]
fn public_addresses_are_no_names_either() {
    for host in notations(Ipv4Addr::new(8, 8, 8, 8)) {
        assert_eq!(refused(&format!("https://{host}")), Refused::IpAddress, "{host}");
    }
    let v6: IpAddr = "2606:4700::1111".parse().unwrap();
    assert_eq!(refused(&format!("https://[{v6}]/")), Refused::IpAddress);
}

#[test]
fn our_own_address_is_allowed_and_nothing_beside_it() {
    let guard = Guard::new(false).with_own("127.0.0.1:8080".parse().unwrap());
    assert!(guard.check("http://127.0.0.1:8080/sandbox/model/v1").is_ok());
    for other in [
        "http://127.0.0.1:8081/",
        "https://127.0.0.1:8080/",
        "http://localhost:8080/",
        "http://u@127.0.0.1:8080/",
    ] {
        assert!(guard.check(other).is_err(), "{other}");
    }
    assert!(!guard.may_connect("127.0.0.1".parse().unwrap()));
}
