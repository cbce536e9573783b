//! What the store of sessions promises: one transaction, decided by version, mark and pointer.

use futures::future::join_all;
use jiff::SignedDuration;
use shared::session::Change;
use shared::{Delivery, Session};
use shared_flow::ports::{Commit, Committed, PortError, Sessions};

use super::{after, commit, line, next, now, opening, org, queued, resolved, said, session, stranger};

/// Checks a store of sessions.
pub async fn sessions(store: &dyn Sessions) {
    what_is_written_is_read_back(store).await;
    messages_come_in_order_from_a_place_on(store).await;
    a_long_transcript_is_read_whole(store).await;
    a_stale_version_writes_nothing(store).await;
    of_writers_at_once_one_wins(store).await;
    a_marked_fact_counts_once(store).await;
    an_expired_mark_counts_as_absent(store).await;
    a_new_session_must_not_exist(store).await;
    one_person_has_one_open_session_per_line(store).await;
    a_session_follows_the_newest_one(store).await;
    a_move_needs_the_revision_before_it(store).await;
    a_place_in_the_transcript_is_taken_once(store).await;
    a_foreign_session_is_absent(store).await;
    the_recently_active_come_first(store).await;
    a_commit_too_large_for_one_transaction_is_refused(store).await;
    a_commit_that_moves_a_message_twice_is_refused(store).await;
}

async fn write(store: &dyn Sessions, commit: &Commit) -> Committed {
    store.commit(commit).await.expect("the store answers")
}

/// The head and the number of messages as stored.
async fn stored(store: &dyn Sessions, session: &Session) -> (Option<Session>, usize) {
    let head = store.head(&session.org, session.id).await.expect("the store answers");
    let messages = store.messages(&session.org, session.id, 1, 1_000).await.expect("the store answers");
    (head, messages.len())
}

async fn open(store: &dyn Sessions, session: &Session) -> Option<shared::SessionId> {
    store.latest_session(&session.org, session.contact, &session.line).await.expect("the store answers")
}

async fn what_is_written_is_read_back(store: &dyn Sessions) {
    let new = session(&org("back"), "US.1", "m1");
    assert_eq!(stored(store, &new).await, (None, 0));
    assert_eq!(open(store, &new).await, None);
    let messages = vec![said(1, "Grüße 👋 \"#\\\n\u{1F1EA}\u{1F1FA}"), queued(2), said(3, "")];
    let (first, opening) = opening(&new, messages.clone());
    assert_eq!(write(store, &opening).await, Committed::Done);
    assert_eq!(stored(store, &new).await, (Some(first.clone()), 3));
    assert_eq!(store.messages(&new.org, new.id, 1, 10).await.expect("an answer"), messages);
    assert_eq!(open(store, &new).await, Some(new.id));
    let second = Session { wake_at: Some(now()), language: Some("de".to_owned()), ..next(&first) };
    assert_eq!(write(store, &commit(&first, &second, vec![])).await, Committed::Done);
    assert_eq!(stored(store, &new).await, (Some(second), 3));
}

async fn messages_come_in_order_from_a_place_on(store: &dyn Sessions) {
    let new = session(&org("order"), "US.1", "m1");
    // Twelve, so that an order by text would show.
    let messages = (1..=12).map(|seq| said(seq, "x")).collect();
    write(store, &opening(&new, messages).1).await;
    let seqs = async |from, limit| -> Vec<u64> {
        let found = store.messages(&new.org, new.id, from, limit).await.expect("an answer");
        found.iter().map(|message| message.seq).collect()
    };
    assert_eq!(seqs(0, 100).await, (1..=12).collect::<Vec<_>>());
    assert_eq!(seqs(8, 3).await, [8, 9, 10]);
    assert_eq!(seqs(12, 100).await, [12]);
    assert!(seqs(13, 100).await.is_empty());
    assert!(seqs(1, 0).await.is_empty());
}

/// More than one page of the real table, which ends each answer at one megabyte.
async fn a_long_transcript_is_read_whole(store: &dyn Sessions) {
    let new = session(&org("long"), "US.1", "m1");
    let long = "ü".repeat(64_000);
    let mut head = new.clone();
    for start in [1, 6, 11] {
        let after = next(&head);
        let messages = (start..start + 5).map(|seq| said(seq, &long)).collect();
        assert_eq!(write(store, &commit(&head, &after, messages)).await, Committed::Done);
        head = after;
    }
    let found = store.messages(&new.org, new.id, 2, 13).await.expect("an answer");
    assert_eq!(found.iter().map(|m| m.seq).collect::<Vec<_>>(), (2..=14).collect::<Vec<_>>());
    assert!(found.iter().all(|message| message.text == long));
}

async fn a_stale_version_writes_nothing(store: &dyn Sessions) {
    let new = session(&org("stale"), "US.1", "m1");
    let (first, opening) = opening(&new, vec![said(1, "x")]);
    write(store, &opening).await;
    let second = next(&first);
    write(store, &commit(&first, &second, vec![])).await;
    let late =
        Commit { mark: Some("late".to_owned()), ..commit(&first, &resolved(&first), vec![said(2, "y")]) };
    assert_eq!(write(store, &late).await, Committed::Stale);
    assert_eq!(stored(store, &new).await, (Some(second.clone()), 1));
    assert_eq!(open(store, &new).await, Some(new.id));
    // Its mark was not written either, so the fact can still come in.
    let again = Commit { before: second.version, session: next(&second), ..late };
    assert_eq!(write(store, &again).await, Committed::Done);
    let nobody = session(&org("stale"), "US.2", "m1");
    let without = Commit { before: 1, ..commit(&nobody, &next(&next(&nobody)), vec![]) };
    assert_eq!(write(store, &without).await, Committed::Stale);
}

async fn of_writers_at_once_one_wins(store: &dyn Sessions) {
    let new = session(&org("race"), "US.1", "m1");
    let (first, opening) = opening(&new, vec![said(1, "x")]);
    let outcomes = join_all((0..4).map(|_| write(store, &opening))).await;
    assert_eq!(outcomes.iter().filter(|o| **o == Committed::Done).count(), 1, "{outcomes:?}");
    let step = commit(&first, &next(&first), vec![said(2, "y")]);
    let outcomes = join_all((0..4).map(|_| write(store, &step))).await;
    assert_eq!(outcomes.iter().filter(|o| **o == Committed::Done).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|o| *o != Committed::Duplicate), "{outcomes:?}");
}

async fn a_marked_fact_counts_once(store: &dyn Sessions) {
    let new = session(&org("mark"), "US.1", "m1");
    let (first, opening) = opening(&new, vec![said(1, "x")]);
    let marked = Commit { mark: Some("wa:wamid.1#T".to_owned()), ..opening };
    assert_eq!(write(store, &marked).await, Committed::Done);
    // The very same commit is stale as well; that it is a duplicate is what the caller must hear.
    assert_eq!(write(store, &marked).await, Committed::Duplicate);
    let again = Commit { mark: marked.mark.clone(), ..commit(&first, &next(&first), vec![said(2, "x")]) };
    assert_eq!(write(store, &again).await, Committed::Duplicate);
    assert_eq!(stored(store, &new).await, (Some(first), 1));
    let elsewhere = session(&org("mark-2"), "US.1", "m1");
    let same_mark = Commit { mark: marked.mark.clone(), ..super::opening(&elsewhere, vec![]).1 };
    assert_eq!(write(store, &same_mark).await, Committed::Done);
}

async fn an_expired_mark_counts_as_absent(store: &dyn Sessions) {
    let new = session(&org("expiry"), "US.1", "m1");
    let (first, opening) = opening(&new, vec![]);
    let marked = Commit { mark: Some("m".to_owned()), ..opening };
    write(store, &marked).await;
    let at = |days: i64, offset: i64| {
        let now = after(offset) + SignedDuration::from_hours(24 * days);
        Commit { mark: marked.mark.clone(), now, ..commit(&first, &next(&first), vec![]) }
    };
    assert_eq!(write(store, &at(30, -5)).await, Committed::Duplicate);
    assert_eq!(write(store, &at(30, 5)).await, Committed::Done);
    // Written anew, it holds anew.
    let second = next(&first);
    let third = Commit { before: second.version, session: next(&second), ..at(31, 0) };
    assert_eq!(write(store, &third).await, Committed::Duplicate);
}

async fn a_new_session_must_not_exist(store: &dyn Sessions) {
    let new = session(&org("twice"), "US.1", "m1");
    let (first, opening) = opening(&new, vec![said(1, "x")]);
    write(store, &opening).await;
    let other = Commit { messages: vec![said(2, "y")], ..opening };
    assert_eq!(write(store, &other).await, Committed::Stale);
    assert_eq!(stored(store, &new).await, (Some(first), 1));
}

async fn one_person_has_one_open_session_per_line(store: &dyn Sessions) {
    let org = org("pointer");
    let (one, other) = (session(&org, "US.1", "m1"), session(&org, "US.1", "m2"));
    assert_ne!(one.id, other.id);
    write(store, &opening(&one, vec![]).1).await;
    assert_eq!(write(store, &opening(&other, vec![said(1, "x")]).1).await, Committed::Stale);
    assert_eq!(stored(store, &other).await, (None, 0));
    assert_eq!(open(store, &one).await, Some(one.id));
    let line = shared::channel::LineKey { address: format!("{}#2", line().address), ..line() };
    let elsewhere = Session { line, ..other.clone() };
    assert_eq!(write(store, &opening(&elsewhere, vec![]).1).await, Committed::Done);
    assert_eq!(open(store, &elsewhere).await, Some(other.id));
    let somebody = session(&org, "US.2", "m1");
    assert_eq!(write(store, &opening(&somebody, vec![]).1).await, Committed::Done);
}

async fn a_session_follows_the_newest_one(store: &dyn Sessions) {
    let org = org("follow");
    let one = session(&org, "US.1", "m1");
    let other = |previous| Session { previous, ..session(&org, "US.1", "m2") };
    let (first, opened) = opening(&one, vec![]);
    write(store, &opened).await;
    let over = resolved(&first);
    assert_eq!(write(store, &commit(&first, &over, vec![])).await, Committed::Done);
    assert_eq!(open(store, &one).await, Some(one.id));
    for wrong in [None, Some(stranger())] {
        assert_eq!(write(store, &opening(&other(wrong), vec![]).1).await, Committed::Stale);
    }
    let next_one = other(Some(one.id));
    assert_eq!(write(store, &opening(&next_one, vec![]).1).await, Committed::Done);
    assert_eq!(open(store, &one).await, Some(next_one.id));
    // A late word on what is over leaves its successor the newest.
    assert_eq!(write(store, &commit(&over, &next(&over), vec![said(1, "x")])).await, Committed::Done);
    assert_eq!(open(store, &one).await, Some(next_one.id));
}

async fn a_move_needs_the_revision_before_it(store: &dyn Sessions) {
    let new = session(&org("move"), "US.1", "m1");
    let (first, opening) = opening(&new, vec![said(1, "x"), queued(2)]);
    write(store, &opening).await;
    let begun = Delivery::queued(now()).begun(now());
    let to = |seq, delivery: &Delivery| {
        let changes = vec![Change { seq, delivery: delivery.clone() }];
        Commit { changes, ..commit(&first, &next(&first), vec![said(3, "z")]) }
    };
    for lost in [to(2, &begun.unknown(now())), to(2, &Delivery::queued(now())), to(1, &begun), to(9, &begun)]
    {
        assert_eq!(write(store, &lost).await, Committed::Stale);
    }
    assert_eq!(stored(store, &new).await, (Some(first.clone()), 2));
    assert_eq!(write(store, &to(2, &begun)).await, Committed::Done);
    let found = store.messages(&new.org, new.id, 2, 1).await.expect("an answer");
    assert_eq!(found[0], shared::Message { delivery: Some(begun), ..queued(2) });
}

async fn a_place_in_the_transcript_is_taken_once(store: &dyn Sessions) {
    let new = session(&org("place"), "US.1", "m1");
    let (first, opening) = opening(&new, vec![said(1, "x")]);
    write(store, &opening).await;
    let over = commit(&first, &next(&first), vec![said(2, "y"), said(1, "z")]);
    assert_eq!(write(store, &over).await, Committed::Stale);
    let found = store.messages(&new.org, new.id, 1, 10).await.expect("an answer");
    assert_eq!(found, [said(1, "x")]);
}

async fn a_foreign_session_is_absent(store: &dyn Sessions) {
    let (ours, theirs) = (org("ours"), org("theirs"));
    let new = session(&ours, "US.1", "m1");
    write(store, &opening(&new, vec![said(1, "x")]).1).await;
    let foreign = Session { org: theirs.clone(), ..new.clone() };
    assert_eq!(stored(store, &foreign).await, (None, 0));
    assert_eq!(open(store, &foreign).await, None);
    assert!(store.recent(&theirs, 10).await.expect("an answer").is_empty());
    assert_eq!(store.head(&ours, stranger()).await.expect("an answer"), None);
}

async fn the_recently_active_come_first(store: &dyn Sessions) {
    let org = org("recent");
    for (user, seconds) in [("US.1", 20), ("US.2", 30), ("US.3", 10)] {
        let new = Session { last_activity_at: after(seconds), ..session(&org, user, "m") };
        write(store, &opening(&new, vec![]).1).await;
    }
    let found = store.recent(&org, 2).await.expect("an answer");
    let times: Vec<_> = found.iter().map(|session| session.last_activity_at).collect();
    assert_eq!(times, [after(30), after(20)]);
    let woken = Session { last_activity_at: after(40), ..next(&found[1]) };
    write(store, &commit(&found[1], &woken, vec![])).await;
    assert_eq!(store.recent(&org, 10).await.expect("an answer").len(), 3);
    assert_eq!(store.recent(&org, 1).await.expect("an answer"), [woken]);
}

async fn a_commit_too_large_for_one_transaction_is_refused(store: &dyn Sessions) {
    let new = session(&org("large"), "US.1", "m1");
    let many = opening(&new, (1..=100).map(|seq| said(seq, "x")).collect()).1;
    let refused = store.commit(&many).await;
    assert!(matches!(refused, Err(PortError::Unreadable { .. })), "{refused:?}");
    assert_eq!(stored(store, &new).await, (None, 0));
    let most = opening(&new, (1..=90).map(|seq| said(seq, "x")).collect()).1;
    assert_eq!(write(store, &most).await, Committed::Done);
    assert_eq!(stored(store, &new).await.1, 90);
}

async fn a_commit_that_moves_a_message_twice_is_refused(store: &dyn Sessions) {
    let new = session(&org("double"), "US.1", "m1");
    let (first, opening) = opening(&new, vec![queued(1)]);
    write(store, &opening).await;
    let change = Change { seq: 1, delivery: Delivery::queued(now()).begun(now()) };
    let double =
        Commit { changes: vec![change.clone(), change], ..commit(&first, &next(&first), vec![said(2, "x")]) };
    let refused = store.commit(&double).await;
    assert!(matches!(refused, Err(PortError::Unreadable { .. })), "{refused:?}");
    assert_eq!(stored(store, &new).await, (Some(first), 1));
}
