//! Whole rounds against a stand-in: nothing is passed over, what stays is let go, and Ctrl-C loses nothing.

use std::collections::VecDeque;
use std::sync::Mutex;

use shared_flow::ports::Job;

use super::super::replay::tests::{poke, turn};
use super::super::yard::tests::Stand;
use super::*;

fn letters(letters: impl IntoIterator<Item = Option<Job>>) -> Mutex<VecDeque<Option<Job>>> {
    Mutex::new(letters.into_iter().collect())
}

async fn run(stand: &Stand, which: &Which, deed: Deed) -> (String, PortResult<()>) {
    let (_tell, told) = watch::channel(false);
    round(stand, which, deed, &Stop(told)).await
}

#[tokio::test]
async fn letters_that_say_the_same_are_all_replayed() {
    let stand = Stand { letters: letters(vec![Some(poke()); 35]), ..Stand::default() };
    let (words, done) = run(&stand, &Which::default(), Deed::Replay).await;
    assert!(done.is_ok());
    assert_eq!(words, "replayed 35, not needed 0, stays 0");
    assert_eq!((stand.times("send"), stand.times("remove"), stand.times("let go")), (35, 35, 0));
}

#[tokio::test]
async fn what_stays_is_let_go_and_keeps_nothing_behind_it_waiting() {
    let mixed = (0..15).map(|_| None).chain([Some(poke()), Some(turn())]);
    let stand = Stand { letters: letters(mixed), parked: vec![poke()], ..Stand::default() };
    let (words, _) = run(&stand, &Which::default(), Deed::Replay).await;
    assert!(words.starts_with("replayed 2, not needed 1, stays 15"), "{words}");
    assert_eq!(stand.times("let go"), 15);
}

#[tokio::test]
async fn a_failure_ends_the_round_and_lets_go_of_every_letter() {
    let fails = Some("send");
    let stand = Stand { letters: letters(vec![Some(poke()); 4]), fails, ..Stand::default() };
    let (words, done) = run(&stand, &Which::default(), Deed::Replay).await;
    assert!(done.is_err() && words.starts_with("replayed 0"), "{words}");
    assert_eq!((stand.times("remove"), stand.times("let go")), (0, 4));
}

#[tokio::test]
async fn told_to_stop_it_ends_between_two_items() {
    let (tell, told) = watch::channel(false);
    let stop_after = Some((3, tell));
    let letters = letters(vec![Some(poke()); 12]);
    let stand = Stand { letters, parked: vec![poke(); 2], stop_after, ..Stand::default() };
    let (words, done) = round(&stand, &Which::default(), Deed::Replay, &Stop(told)).await;
    assert!(done.is_ok());
    assert_eq!(words, "stopped; what is not done is where it was\nreplayed 3, not needed 0, stays 0");
    assert_eq!((stand.times("send"), stand.times("remove"), stand.times("let go")), (3, 3, 9));
}

#[tokio::test]
async fn only_what_is_meant_is_thrown_away() {
    let which = Which { ids: vec!["p1".to_owned()], ..Which::default() };
    let stand = Stand { letters: letters([Some(poke())]), parked: vec![poke(); 3], ..Stand::default() };
    let (words, _) = run(&stand, &which, Deed::Discard).await;
    assert_eq!(words, "discarded 1");
    assert_eq!((stand.times("remove"), stand.times("send"), stand.times("let go")), (1, 0, 1));
    let other = Which { from: Some("turns".to_owned()), ..Which::default() };
    let stand = Stand { letters: letters([Some(poke())]), parked: vec![poke()], ..Stand::default() };
    assert_eq!(run(&stand, &other, Deed::Discard).await.0, "discarded 0");
    assert!(stand.done().is_empty());
}
