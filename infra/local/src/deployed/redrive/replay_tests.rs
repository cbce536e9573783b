//! Replays against a stand-in for the stack: what is sent, what is removed and when, and what a failure leaves behind.

use shared::{OrgId, SessionId, SignedDuration};
use uuid::Uuid;

use super::super::items::WEBHOOKS;
use super::super::items::tests::item;
use super::super::yard::tests::Stand;
use super::*;

pub(in crate::deployed::redrive) fn poke() -> Job {
    Job::Deliver { org: OrgId::new("acme").unwrap(), session: SessionId(Uuid::from_u128(7)) }
}

pub(in crate::deployed::redrive) fn turn() -> Job {
    let (org, session) = (OrgId::new("acme").unwrap(), SessionId(Uuid::from_u128(7)));
    Job::Turn { org, session, number: 1, wait: SignedDuration::ZERO }
}

fn of(job: Job) -> Item {
    item("a1", "deliveries", Content::Job(Box::new(job)))
}

fn webhook() -> Item {
    let parked = Parked {
        org: None,
        source: WEBHOOKS.to_owned(),
        reason: String::new(),
        original: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
    };
    item("b2", WEBHOOKS, Content::Webhook(Box::new(parked)))
}

fn now() -> Timestamp {
    Timestamp::from_second(1_794_819_600).unwrap()
}

#[tokio::test]
async fn it_is_removed_after_it_was_sent_and_not_before() {
    let stand = Stand::default();
    assert_eq!(replay(&stand, &of(poke()), now()).await.unwrap(), Fate::Replayed);
    assert_eq!(stand.done(), ["pace", "send", "remove"]);
}

#[tokio::test]
async fn what_could_not_be_sent_is_still_there() {
    let stand = Stand { fails: Some("send"), reading: Some((2, 0)), ..Stand::default() };
    assert!(replay(&stand, &of(poke()), now()).await.is_err());
    assert!(replay(&stand, &webhook(), now()).await.is_err());
    assert!(!stand.done().contains(&"remove".to_owned()), "{:?}", stand.done());
}

#[tokio::test]
async fn what_could_not_be_removed_is_told_so_that_it_is_done_again() {
    let stand = Stand { fails: Some("remove"), ..Stand::default() };
    assert!(replay(&stand, &of(poke()), now()).await.is_err());
    assert_eq!(stand.done(), ["pace", "send"]);
}

#[tokio::test]
async fn what_is_not_needed_is_removed_unsent_and_what_stays_is_not_touched() {
    let stand = Stand::default();
    assert!(matches!(replay(&stand, &of(turn()), now()).await.unwrap(), Fate::Unneeded(_)));
    let unreadable = item("c3", "turns", Content::Unreadable("no job".to_owned()));
    assert_eq!(replay(&stand, &unreadable, now()).await.unwrap(), Fate::Stays("no job".to_owned()));
    assert_eq!(stand.done(), ["remove"]);
}

#[tokio::test]
async fn a_letter_of_unknown_age_is_old() {
    let stand = Stand::default();
    let letter = Item { since: None, ..of(turn()) };
    assert!(matches!(replay(&stand, &letter, now()).await.unwrap(), Fate::Unneeded(_)));
}

#[tokio::test]
async fn a_webhook_is_removed_only_when_all_of_it_was_read() {
    let whole = Stand { reading: Some((2, 0)), ..Stand::default() };
    assert_eq!(replay(&whole, &webhook(), now()).await.unwrap(), Fate::Replayed);
    assert_eq!(whole.done(), ["pace", "send", "pace", "send", "remove"], "each job is paced");
    let part = Stand { reading: Some((1, 1)), ..Stand::default() };
    assert!(matches!(replay(&part, &webhook(), now()).await.unwrap(), Fate::Stays(_)));
    assert_eq!(part.done(), ["pace", "send"]);
    let none = Stand::default();
    assert!(matches!(replay(&none, &webhook(), now()).await.unwrap(), Fate::Stays(_)));
    assert!(none.done().is_empty());
}

#[test]
fn the_tally_says_how_many_and_why() {
    let mut tally = Tally::default();
    for fate in [Fate::Replayed, Fate::Replayed, Fate::Stays("x".into()), Fate::Unneeded("y".into())] {
        tally.add(fate);
    }
    assert_eq!(tally.total(), 4);
    assert_eq!(tally.words(), "replayed 2, not needed 1, stays 1\n  not needed (1): y\n  stays (1): x");
}
