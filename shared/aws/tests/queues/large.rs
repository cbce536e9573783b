//! Bodies that are too large for a queue, and what is read from one.

use shared_aws::sqs::{read, whole};
use shared_flow::ports::{Job, PortError, Queues};

use crate::fake::{Fake, WORDS, fact};

fn large() -> Job {
    fact("a", Some("k"), &"größer 🚒 ".repeat(30_000))
}

fn body(fake: &Fake) -> String {
    fake.requests()[0].entries()[0]["MessageBody"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_large_body_is_stored_first_and_a_pointer_travels() {
    let fake = Fake::start().await;
    fake.queues().send(&[large()]).await.unwrap();
    let pointer = body(&fake);
    assert!(pointer.starts_with(r#"{"job":"stored","key":"queued/"#) && pointer.len() < 200, "{pointer}");
    assert_eq!(fake.objects().len(), 1);
    assert!(read(&pointer, &fake.bodies()).await.unwrap() == large());
    // For whoever keeps it longer than the bucket does.
    let whole = whole(&pointer, &fake.bodies()).await.unwrap().into_owned();
    fake.set(fake.objects().keys().next().unwrap(), None);
    assert!(read(&whole, &fake.bodies()).await.unwrap() == large());
}

#[tokio::test]
async fn what_fits_is_not_stored_and_needs_no_bucket() {
    let fake = Fake::start().await;
    let job = fact("a", None, &"x".repeat(190_000));
    fake.queues_of(fake.urls()).send(std::slice::from_ref(&job)).await.unwrap();
    assert!(fake.objects().is_empty());
    fake.break_bucket(500);
    assert!(read(&body(&fake), &fake.bodies()).await.unwrap() == job);
}

#[tokio::test]
async fn nothing_is_queued_that_could_not_be_stored() {
    let fake = Fake::start().await;
    let error = fake.queues_of(fake.urls()).send(&[large()]).await.unwrap_err();
    assert!(
        matches!(&error, PortError::Unavailable { why, .. } if why.contains("SWITCHBOARD_BODIES_BUCKET")),
        "{error}"
    );
    fake.break_bucket(503);
    let error = fake.queues().send(&[large()]).await.unwrap_err();
    assert!(matches!(error, PortError::Unavailable { .. }), "{error}");
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_stored_body_that_is_gone_cannot_be_read_and_one_that_is_away_can_later() {
    let fake = Fake::start().await;
    fake.queues().send(&[large()]).await.unwrap();
    let pointer = body(&fake);
    let key = fake.objects().into_keys().next().unwrap();
    fake.set(&key, None);
    let error = read(&pointer, &fake.bodies()).await.unwrap_err();
    assert!(matches!(&error, PortError::Unreadable { why, .. } if why.contains("gone")), "{error}");
    fake.break_bucket(500);
    let error = read(&pointer, &fake.bodies()).await.unwrap_err();
    assert!(matches!(error, PortError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_job_is_unreadable_and_not_quoted() {
    let fake = Fake::start().await;
    let nested = format!("queued/{}", "0".repeat(64));
    fake.set(&nested, Some(&format!(r#"{{"job":"stored","key":"{nested}"}}"#)));
    let real = serde_json::to_string(&fact("a", None, "Hi")).unwrap();
    fake.set("parked/secret", Some(&real));
    let bodies = [
        format!(r#"{{"job":"dance","text":"{WORDS}"}}"#),
        WORDS.to_owned(),
        String::new(),
        format!(r#"{{"job":"turn","org":"{WORDS}"}}"#),
        r#"{"job":"stored"}"#.to_owned(),
        // Keys that are not ours are not fetched.
        r#"{"job":"stored","key":"parked/secret"}"#.to_owned(),
        r#"{"job":"stored","key":"queued/../parked/secret"}"#.to_owned(),
        // Nor does one pointer lead to another.
        format!(r#"{{"job":"stored","key":"{nested}"}}"#),
    ];
    for body in bodies {
        let error = read(&body, &fake.bodies()).await.unwrap_err();
        assert!(matches!(error, PortError::Unreadable { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("card"), "{error}");
    }
}
