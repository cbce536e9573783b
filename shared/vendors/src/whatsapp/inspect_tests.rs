//! Every fixture, signed and read as an operator would: the fields its `.expect.json` names must come out.

use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::*;

const SECRET: &str = "fixtures-only";
const NUMBERS: [&str; 2] = ["500100200300401", "500100200300402"];

/// Ten minutes after the fixtures' messages.
fn now() -> Timestamp {
    Timestamp::from_second(1_794_900_600).unwrap()
}

pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

fn app(secret: &str, numbers: &[&str]) -> AppSecret {
    AppSecret { secret: secret.into(), numbers: numbers.iter().map(|&number| number.to_owned()).collect() }
}

fn expectations(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(".expect.json")).collect();
    found.sort();
    found
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Where `seen` lacks something that `wanted` names; lists must be equally long.
fn differences(place: &str, wanted: &Value, seen: &Value, found: &mut Vec<String>) {
    match (wanted, seen) {
        (Value::Object(wanted), Value::Object(seen)) => {
            for (key, wanted) in wanted {
                let seen = seen.get(key).unwrap_or(&Value::Null);
                differences(&format!("{place}.{key}"), wanted, seen, found);
            }
        }
        (Value::Array(wanted), Value::Array(seen)) if wanted.len() == seen.len() => {
            for (at, (wanted, seen)) in wanted.iter().zip(seen).enumerate() {
                differences(&format!("{place}[{at}]"), wanted, seen, found);
            }
        }
        // Meaning: either is right.
        (Value::String(policy), Value::Bool(_)) if policy == "policy" => {}
        (wanted, seen) if wanted == seen => {}
        (wanted, seen) => found.push(format!("{place}: wanted {wanted}, got {seen}")),
    }
}

#[test]
fn every_fixture_reads_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/whatsapp/fixtures");
    let expectations = expectations(&folder);
    assert!(expectations.len() >= 20, "{}", expectations.len());
    let mut found = Vec::new();
    for path in expectations {
        let name = path.file_name().unwrap().to_string_lossy().replace(".expect.json", "");
        let body = Bytes::from(std::fs::read(folder.join(format!("{name}.json"))).unwrap());
        let signed = signature(SECRET, &body);
        let mut wanted = read(&path);
        wanted.as_object_mut().unwrap().remove("about");
        let seen = inspect(body, Some(&signed), &[app(SECRET, &NUMBERS)], Some(now()));
        assert_eq!(seen["signature_valid"], true, "{name}");
        differences(&name, &wanted, &seen, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn unsigned_input_is_not_read() {
    let seen = inspect(Bytes::from_static(b"{}"), None, &[app(SECRET, &NUMBERS)], None);
    assert_eq!((&seen["signature_valid"], &seen["ignore_reason"]), (&json!(false), &json!("bad_signature")));
    for list in ["messages", "statuses", "account_events", "identity_changes", "echoes"] {
        assert_eq!(seen[list], json!([]), "{list}");
    }
}

/// The cases that developers are handed beside the project, where they are present.
#[test]
#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
fn the_developers_samples_read_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/whatsapp-webhooks");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the WhatsApp samples are not at {}; the fixtures stand in", folder.display());
        return;
    }
    let mut found = Vec::new();
    let expectations = expectations(&folder);
    for path in &expectations {
        let expected = read(path);
        let body = std::fs::read(folder.join(expected["body_file"].as_str().unwrap())).unwrap();
        let numbers: Vec<_> = expected["configured_phone_number_ids"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let secret = app(expected["app_secret"].as_str().unwrap(), &numbers);
        let seen = inspect(body.into(), expected["headers"]["X-Hub-Signature-256"].as_str(), &[secret], None);
        for part in seen.as_object().unwrap().keys().filter(|key| expected.get(key.as_str()).is_some()) {
            let place = format!("{}.{part}", expected["case"].as_str().unwrap());
            differences(&place, &expected[part], &seen[part], &mut found);
        }
    }
    assert!(expectations.len() >= 60, "{}", expectations.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
}
