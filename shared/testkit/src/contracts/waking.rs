//! What the index of what is due promises: everything that keeps its own time is listed once its time has come.

use shared::crm::Cursor;
use shared::session::Change;
use shared::{Delivery, Message, MessageId, OrgId, Session, SessionId};
use shared_flow::ports::{Commit, Cursors, Deliveries, Sessions, Waking, What};

use super::{after, commit, next, now, opening, org, queued, said, session};

/// Checks the index; the others are the same store, which must be empty.
pub async fn waking(
    sessions: &dyn Sessions,
    deliveries: &dyn Deliveries,
    cursors: &dyn Cursors,
    store: &dyn Waking,
) {
    assert!(due(store, 1_000).await.is_empty());
    a_head_is_due_at_its_time(sessions, store).await;
    a_message_is_due_while_it_is_open(sessions, deliveries, store).await;
    a_cursor_is_due_at_its_time(cursors, store).await;
    the_longest_overdue_come_first(sessions, store).await;
}

async fn due(store: &dyn Waking, seconds: i64) -> Vec<(OrgId, SessionId, What, i64)> {
    let found = store.due(after(seconds), 100).await.expect("the store answers");
    let since = |at: jiff::Timestamp| at.duration_since(now()).as_secs();
    found.into_iter().map(|due| (due.org, due.session, due.what, since(due.at))).collect()
}

async fn a_head_is_due_at_its_time(sessions: &dyn Sessions, store: &dyn Waking) {
    let new = Session { wake_at: Some(after(10)), ..session(&org("head"), "US.1", "m1") };
    let (first, opening) = opening(&new, vec![said(1, "x")]);
    sessions.commit(&opening).await.expect("an answer");
    assert_eq!(due(store, 9).await, []);
    assert_eq!(due(store, 10).await, [(new.org.clone(), new.id, What::Session, 10)]);
    let later = Session { wake_at: Some(after(20)), ..next(&first) };
    sessions.commit(&commit(&first, &later, vec![])).await.expect("an answer");
    assert_eq!(due(store, 19).await, []);
    assert_eq!(due(store, 1_000).await, [(new.org.clone(), new.id, What::Session, 20)]);
    let never = Session { wake_at: None, ..next(&later) };
    sessions.commit(&commit(&later, &never, vec![])).await.expect("an answer");
    assert_eq!(due(store, 1_000).await, []);
}

async fn a_message_is_due_while_it_is_open(
    sessions: &dyn Sessions,
    deliveries: &dyn Deliveries,
    store: &dyn Waking,
) {
    let new = session(&org("message"), "US.1", "m1");
    let soon = Message { delivery: Some(Delivery::queued(after(-50))), ..queued(1) };
    let (first, opening) = opening(&new, vec![soon.clone(), queued(2)]);
    sessions.commit(&opening).await.expect("an answer");
    let one = |at| vec![(new.org.clone(), new.id, What::Delivery, at)];
    let first_place = async || store.due(after(100), 9).await.expect("an answer")[0].seq;
    assert_eq!(due(store, 9).await, []);
    assert_eq!(due(store, 10).await, one(10));
    // Two messages of one session are one reason to look.
    assert_eq!(due(store, 100).await, one(10));
    assert_eq!(first_place().await, Some(1));
    let begun = Delivery::queued(after(-50)).begun(now());
    let id = MessageId { session: new.id, seq: 1 };
    deliveries.advance(&new.org, id, &begun).await.expect("an answer");
    assert_eq!(due(store, 100).await, one(20));
    deliveries.advance(&new.org, id, &begun.accepted("wamid.1")).await.expect("an answer");
    assert_eq!(due(store, 100).await, one(60));
    assert_eq!(first_place().await, Some(2));
    let cancelled = Delivery::queued(now()).cancelled(shared::delivery::Trouble::new("not wanted"));
    let changes = vec![Change { seq: 2, delivery: cancelled }];
    let step = Commit { changes, ..commit(&first, &next(&first), vec![]) };
    sessions.commit(&step).await.expect("an answer");
    assert_eq!(due(store, 100).await, []);
}

async fn a_cursor_is_due_at_its_time(cursors: &dyn Cursors, store: &dyn Waking) {
    let session = session(&org("cursor"), "US.1", "m1");
    let armed = Cursor { rev: 1, wake_at: Some(after(30)), ..Cursor::default() };
    cursors.save(&session.org, session.id, &armed).await.expect("an answer");
    assert_eq!(due(store, 29).await, []);
    assert_eq!(due(store, 30).await, [(session.org.clone(), session.id, What::Cursor, 30)]);
    let done = Cursor { rev: 2, wake_at: None, ..armed };
    cursors.save(&session.org, session.id, &done).await.expect("an answer");
    assert_eq!(due(store, 100).await, []);
}

async fn the_longest_overdue_come_first(sessions: &dyn Sessions, store: &dyn Waking) {
    // Enough sessions that they fall into different parts of a divided index.
    for n in 0..30_u8 {
        let at = i64::from(n) * 7 % 30;
        let new = Session { wake_at: Some(after(at)), ..session(&org("many"), &format!("US.{n}"), "m") };
        sessions.commit(&opening(&new, vec![]).1).await.expect("an answer");
    }
    let times =
        |found: Vec<(OrgId, SessionId, What, i64)>| found.into_iter().map(|d| d.3).collect::<Vec<_>>();
    assert_eq!(times(due(store, 100).await), (0..30).collect::<Vec<_>>());
    let first = store.due(after(100), 5).await.expect("an answer");
    assert_eq!(first.iter().map(|due| due.at).collect::<Vec<_>>(), (0..5).map(after).collect::<Vec<_>>());
}
