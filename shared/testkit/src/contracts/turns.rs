//! What the store of turns promises: one worker at a time, and a verdict that never changes.

use futures::future::join_all;
use shared::agent::{Answer, GaveUp, Verdict};
use shared_flow::ports::{Claim, Turns};

use super::{after, now, org, stranger};

/// Checks a store of turns.
pub async fn turns(store: &dyn Turns) {
    a_turn_is_claimed_by_one_worker_at_a_time(store).await;
    of_workers_at_once_one_claims(store).await;
    the_first_verdict_stands(store).await;
    turns_do_not_know_each_other(store).await;
}

fn answer(words: &str) -> Verdict {
    Verdict::Answered(Answer::plain(words).expect("words"))
}

async fn a_turn_is_claimed_by_one_worker_at_a_time(store: &dyn Turns) {
    let org = org("claim");
    let claim = async |at, until| {
        store.claim(&org, stranger(), 1, after(at), after(until)).await.expect("the store answers")
    };
    assert_eq!(claim(0, 60).await, Claim::Ours { earlier: 0 });
    assert_eq!(claim(59, 90).await, Claim::Taken);
    assert_eq!(claim(60, 90).await, Claim::Ours { earlier: 1 });
    assert_eq!(claim(61, 99).await, Claim::Taken);
    assert_eq!(claim(90, 99).await, Claim::Ours { earlier: 2 });
}

async fn of_workers_at_once_one_claims(store: &dyn Turns) {
    let org = org("race");
    let claims = join_all((0..4).map(|_| store.claim(&org, stranger(), 1, now(), after(60)))).await;
    let ours = claims.into_iter().filter(|claim| matches!(claim, Ok(Claim::Ours { earlier: 0 })));
    assert_eq!(ours.count(), 1);
}

async fn the_first_verdict_stands(store: &dyn Turns) {
    let org = org("verdict");
    store.claim(&org, stranger(), 1, now(), after(60)).await.expect("an answer");
    let conclude =
        async |verdict| store.conclude(&org, stranger(), 1, &verdict).await.expect("the store answers");
    assert_eq!(conclude(answer("We open at nine.")).await, answer("We open at nine."));
    assert_eq!(conclude(answer("We are closed.")).await, answer("We open at nine."));
    assert_eq!(conclude(Verdict::GaveUp(GaveUp::Refused)).await, answer("We open at nine."));
    // Over is over, whether or not the lease has ended.
    for at in [1, 100] {
        let claim = store.claim(&org, stranger(), 1, after(at), after(200)).await.expect("an answer");
        assert_eq!(claim, Claim::Concluded(answer("We open at nine.")));
    }
}

async fn turns_do_not_know_each_other(store: &dyn Turns) {
    let org = org("apart");
    let gave_up = Verdict::GaveUp(GaveUp::Unavailable);
    // Concluding needs no claim: the words are there, so they count.
    assert_eq!(store.conclude(&org, stranger(), 1, &gave_up).await.expect("an answer"), gave_up);
    for (org, turn) in [(&org, 2), (&super::org("apart-2"), 1)] {
        let claim = store.claim(org, stranger(), turn, now(), after(60)).await.expect("an answer");
        assert_eq!(claim, Claim::Ours { earlier: 0 });
    }
}
