//! The parking place in a bucket: its contract, and what an operator sees of it.

use shared::{SignedDuration, Timestamp};
use shared_flow::ports::{Parked, Parking, PortError};
use shared_testkit::contracts;

use crate::fake::{Fake, WORDS, org};

fn parked(original: &[u8]) -> Parked {
    Parked {
        org: Some(org()),
        source: "../conversation".to_owned(),
        reason: "not JSON".to_owned(),
        original: original.to_vec(),
        at: Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let fake = Fake::start().await;
    contracts::parking(&fake.bodies(), &|| fake.objects().len()).await;
}

#[tokio::test]
async fn an_original_comes_back_byte_for_byte_with_the_first_note() {
    let fake = Fake::start().await;
    let bodies = fake.bodies();
    let first = parked(&[0, 255, b'{']);
    bodies.park(&first).await.unwrap();
    let later = Parked { at: first.at + SignedDuration::from_hours(30), ..first.clone() };
    bodies.park(&later).await.unwrap();
    let listed = bodies.list_parked().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(bodies.read_parked(&listed[0].key).await.unwrap() == Some(first));
}

#[tokio::test]
async fn an_operator_lists_the_oldest_first_and_removes() {
    let fake = Fake::start().await;
    let bodies = fake.bodies();
    bodies.park(&parked(b"one")).await.unwrap();
    bodies.park(&Parked { org: None, ..parked(b"two") }).await.unwrap();
    fake.set("parked/notes.txt", Some("not ours"));
    fake.set("queued/1", Some("{}"));
    let listed = bodies.list_parked().await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed[0].stored_at < listed[1].stored_at && listed[0].size > 0);
    bodies.remove_parked(&listed[0].key).await.unwrap();
    assert_eq!(bodies.list_parked().await.unwrap(), listed[1..]);
    assert!(bodies.read_parked(&listed[0].key).await.unwrap().is_none());
}

#[tokio::test]
async fn keys_of_other_folders_are_none_of_an_operators_business() {
    let fake = Fake::start().await;
    for key in ["queued/1", "parked/", "parked/../queued/1", "parked/notes.txt"] {
        fake.set(key, Some("{}"));
        assert!(fake.bodies().read_parked(key).await.unwrap().is_none(), "{key}");
        fake.bodies().remove_parked(key).await.unwrap();
        assert!(fake.objects().contains_key(key), "{key}");
    }
}

#[tokio::test]
async fn a_spoilt_note_is_not_quoted_and_a_broken_bucket_passes() {
    let fake = Fake::start().await;
    let bodies = fake.bodies();
    bodies.park(&parked(b"one")).await.unwrap();
    let key = fake.objects().into_keys().next().unwrap();
    let not_base64 = r#"{"org":null,"source":"s","reason":"r","at":"1970-01-01T00:00:00Z","original":"%%"}"#;
    for spoilt in [format!("\"{WORDS}\""), not_base64.to_owned()] {
        fake.set(&key, Some(&spoilt));
        let error = bodies.read_parked(&key).await.unwrap_err();
        assert!(
            matches!(error, PortError::Unreadable { .. }) && !error.to_string().contains("card"),
            "{error}"
        );
    }
    fake.break_bucket(503);
    for error in [
        bodies.park(&parked(b"two")).await.unwrap_err(),
        bodies.read_parked(&key).await.unwrap_err(),
        bodies.list_parked().await.unwrap_err(),
        bodies.remove_parked(&key).await.unwrap_err(),
    ] {
        assert!(
            matches!(error, PortError::Unavailable { .. }) && !error.to_string().contains("card"),
            "{error}"
        );
    }
}
