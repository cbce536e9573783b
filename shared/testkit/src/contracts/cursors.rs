//! What the store of cursors promises: one writer wins, every ask counts, a case finds its session.

use futures::future::join_all;
use shared::crm::{Cursor, case_id};
use shared_flow::ports::{Commit, Committed, Cursors, Sessions};

use super::{after, opening, org, said, session, stranger};

/// Checks a store of cursors; `sessions` is the same store.
pub async fn cursors(sessions: &dyn Sessions, store: &dyn Cursors) {
    the_first_writer_wins(store).await;
    of_writers_at_once_one_wins(store).await;
    every_ask_counts(store).await;
    a_case_finds_its_session(sessions, store).await;
    a_refused_commit_leaves_no_case(sessions, store).await;
}

async fn the_first_writer_wins(store: &dyn Cursors) {
    let org = org("cursor");
    let load = async || store.load(&org, stranger()).await.expect("the store answers");
    let save = async |to: &Cursor| store.save(&org, stranger(), to).await.expect("the store answers");
    assert_eq!(load().await, Cursor::default());
    assert!(!save(&Cursor { rev: 2, ..Cursor::default() }).await);
    let mut first = Cursor { rev: 1, contact: Some("c".to_owned()), ..Cursor::default() };
    first.seen.add("record#1", Some(after(1)));
    assert!(save(&first).await);
    assert!(!save(&first).await);
    assert_eq!(load().await, first);
    let second = Cursor { rev: 2, wake_at: Some(after(9)), lease_by: Some("w".to_owned()), ..first.clone() };
    assert!(save(&second).await);
    assert!(!save(&Cursor { rev: 2, ..first }).await);
    assert_eq!(load().await, second);
    assert_eq!(store.load(&super::org("cursor-2"), stranger()).await.expect("an answer"), Cursor::default());
}

async fn of_writers_at_once_one_wins(store: &dyn Cursors) {
    let org = org("race");
    let first = Cursor { rev: 1, ..Cursor::default() };
    let wins = join_all((0..4).map(|_| store.save(&org, stranger(), &first))).await;
    assert_eq!(wins.into_iter().filter(|won| *won.as_ref().expect("an answer")).count(), 1);
}

async fn every_ask_counts(store: &dyn Cursors) {
    let org = org("ask");
    assert_eq!(store.asked(&org, stranger()).await.expect("an answer"), 0);
    join_all((0..3).map(|_| store.ask(&org, stranger()))).await;
    assert_eq!(store.asked(&org, stranger()).await.expect("an answer"), 3);
    // Asking is nobody's cursor: it neither needs nor moves one.
    assert_eq!(store.load(&org, stranger()).await.expect("an answer"), Cursor::default());
    assert!(store.save(&org, stranger(), &Cursor { rev: 1, ..Cursor::default() }).await.expect("an answer"));
    assert_eq!(store.asked(&org, stranger()).await.expect("an answer"), 3);
    assert_eq!(store.asked(&super::org("ask-2"), stranger()).await.expect("an answer"), 0);
}

async fn a_case_finds_its_session(sessions: &dyn Sessions, store: &dyn Cursors) {
    let new = session(&org("case"), "US.1", "m1");
    let case = case_id(&new.org, new.id);
    let theirs = org("theirs");
    let find = async |org, case| store.session_of_case(org, case).await.expect("the store answers");
    assert_eq!(find(&new.org, case).await, None);
    let opening = Commit { case: Some(case), ..opening(&new, vec![said(1, "x")]).1 };
    sessions.commit(&opening).await.expect("an answer");
    assert_eq!(find(&new.org, case).await, Some(new.id));
    assert_eq!(find(&theirs, case).await, None);
    assert_eq!(find(&new.org, stranger().0).await, None);
}

async fn a_refused_commit_leaves_no_case(sessions: &dyn Sessions, store: &dyn Cursors) {
    let org = org("refused");
    let (one, other) = (session(&org, "US.1", "m1"), session(&org, "US.1", "m2"));
    sessions.commit(&opening(&one, vec![]).1).await.expect("an answer");
    let case = case_id(&org, other.id);
    let second = Commit { case: Some(case), ..opening(&other, vec![]).1 };
    assert_eq!(sessions.commit(&second).await.expect("an answer"), Committed::Stale);
    assert_eq!(store.session_of_case(&org, case).await.expect("an answer"), None);
}
