//! What the store of deliveries promises: one worker a lane, and moves that only one writer wins.

use futures::future::join_all;
use shared::{Delivery, MessageId, Session};
use shared_flow::ports::{Deliveries, Sessions};

use super::{after, now, opening, org, queued, said, session, stranger};

/// Checks a store of deliveries; `sessions` is the same store.
pub async fn deliveries(sessions: &dyn Sessions, store: &dyn Deliveries) {
    one_worker_has_the_lane(store).await;
    a_lease_ends(store).await;
    the_first_writer_wins(sessions, store).await;
    of_writers_at_once_one_wins(sessions, store).await;
    only_what_is_sent_can_move(sessions, store).await;
    the_vendors_id_finds_the_message(sessions, store).await;
}

/// A session whose first message was said by the customer and whose second waits to be sent.
async fn stored(sessions: &dyn Sessions, name: &str) -> Session {
    let (first, opening) = opening(&session(&org(name), "US.1", "m1"), vec![said(1, "x"), queued(2)]);
    sessions.commit(&opening).await.expect("the store answers");
    first
}

async fn delivery(sessions: &dyn Sessions, session: &Session) -> Delivery {
    let found = sessions.messages(&session.org, session.id, 2, 1).await.expect("the store answers");
    found[0].delivery.clone().expect("a message that is sent")
}

async fn one_worker_has_the_lane(store: &dyn Deliveries) {
    let org = org("lane");
    let take = async |who, session| {
        store.take_lane(&org, session, who, now(), after(30)).await.expect("the store answers")
    };
    assert!(take("one", stranger()).await);
    assert!(!take("two", stranger()).await);
    // Who has it may take it again: its first answer may have been lost.
    assert!(take("one", stranger()).await);
    assert!(take("two", session(&org, "US.1", "m").id).await);
    store.release_lane(&org, stranger(), "two").await.expect("not theirs, and no error");
    assert!(!take("two", stranger()).await);
    store.release_lane(&org, stranger(), "one").await.expect("released");
    store.release_lane(&org, stranger(), "one").await.expect("released again, and no error");
    assert!(take("two", stranger()).await);
    let foreign = super::org("lane-2");
    assert!(store.take_lane(&foreign, stranger(), "one", now(), after(30)).await.expect("an answer"));
}

async fn a_lease_ends(store: &dyn Deliveries) {
    let org = org("lease");
    let take = async |who, at, until| {
        store.take_lane(&org, stranger(), who, after(at), after(until)).await.expect("the store answers")
    };
    assert!(take("one", 0, 30).await);
    assert!(!take("two", 29, 60).await);
    assert!(take("two", 30, 60).await);
    // The first worker comes back from its long sleep: the lane is not its own any more.
    store.release_lane(&org, stranger(), "one").await.expect("not theirs, and no error");
    assert!(!take("three", 31, 60).await);
}

async fn the_first_writer_wins(sessions: &dyn Sessions, store: &dyn Deliveries) {
    let session = stored(sessions, "move").await;
    let id = MessageId { session: session.id, seq: 2 };
    let advance = async |to: &Delivery| store.advance(&session.org, id, to).await.expect("an answer");
    let begun = Delivery::queued(now()).begun(now());
    assert!(advance(&begun).await);
    assert!(!advance(&begun).await);
    assert!(!advance(&begun.unknown(now()).begun(now())).await);
    assert_eq!(delivery(sessions, &session).await, begun);
    let accepted = begun.accepted("wamid.out.1");
    assert!(advance(&accepted).await);
    assert!(!advance(&begun.unknown(now())).await);
    assert_eq!(delivery(sessions, &session).await, accepted);
}

async fn of_writers_at_once_one_wins(sessions: &dyn Sessions, store: &dyn Deliveries) {
    let session = stored(sessions, "race").await;
    let id = MessageId { session: session.id, seq: 2 };
    let begun = Delivery::queued(now()).begun(now());
    let wins = join_all((0..4).map(|_| store.advance(&session.org, id, &begun))).await;
    assert_eq!(wins.into_iter().filter(|won| *won.as_ref().expect("an answer")).count(), 1);
}

async fn only_what_is_sent_can_move(sessions: &dyn Sessions, store: &dyn Deliveries) {
    let session = stored(sessions, "still").await;
    let begun = Delivery::queued(now()).begun(now());
    let theirs = org("theirs");
    let advance = async |org, seq| {
        let id = MessageId { session: session.id, seq };
        store.advance(org, id, &begun).await.expect("the store answers")
    };
    assert!(!advance(&session.org, 1).await);
    assert!(!advance(&session.org, 3).await);
    assert!(!advance(&theirs, 2).await);
    assert_eq!(sessions.messages(&session.org, session.id, 3, 9).await.expect("an answer"), []);
    assert_eq!(sessions.messages(&org("theirs"), session.id, 1, 9).await.expect("an answer"), []);
}

async fn the_vendors_id_finds_the_message(sessions: &dyn Sessions, store: &dyn Deliveries) {
    let session = stored(sessions, "vendor").await;
    let id = MessageId { session: session.id, seq: 2 };
    let theirs = org("theirs");
    let find = async |org, vendor| store.by_vendor_id(org, vendor).await.expect("the store answers");
    let begun = Delivery::queued(now()).begun(now());
    store.advance(&session.org, id, &begun).await.expect("an answer");
    assert_eq!(find(&session.org, "wamid.a#b=").await, None);
    store.advance(&session.org, id, &begun.accepted("wamid.a#b=")).await.expect("an answer");
    assert_eq!(find(&session.org, "wamid.a#b=").await, Some(id));
    assert_eq!(find(&theirs, "wamid.a#b=").await, None);
    // Who lost leaves no trace.
    assert!(!store.advance(&session.org, id, &begun.accepted("wamid.lost")).await.expect("an answer"));
    assert_eq!(find(&session.org, "wamid.lost").await, None);
}
