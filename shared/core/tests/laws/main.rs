//! The laws of the core, held against random stories of customers, models, reps, workers and clocks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod acts;
mod law;
mod world;

use jiff::SignedDuration;
use proptest::prelude::*;
use shared::agent::{Answer, Verdict};
use shared::delivery::{Delivery, Receipt, rank};
use shared::{DeliveryState, Kind, State};

use acts::{Act, Sent, story};
use world::World;

fn told(story: &[(SignedDuration, Act)]) -> World {
    let mut world = World::new();
    for (wait, act) in story {
        world.act(*wait, act);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// The laws themselves are in `law.rs` and are held against every step.
    #[test]
    fn the_laws_hold_and_a_story_told_again_ends_the_same(story in story(60)) {
        prop_assert_eq!(told(&story), told(&story));
    }

    /// Once nothing more happens, a session comes to rest by itself: the clock is asked a bounded number of times,
    /// and it ends with a person or resolved, with nothing left on its way.
    #[test]
    fn left_alone_a_session_comes_to_rest(story in story(40)) {
        let mut world = told(&story);
        let mut looks = 0;
        while let Some(at) = next_look(&world) {
            looks += 1;
            prop_assert!(looks < 60 + 4 * world.messages.len(), "the clock is asked again and again");
            let wait = at.duration_since(world.now).max(SignedDuration::ZERO);
            world.act(wait, &Act::Woke);
            for pick in 0..world.messages.len() {
                world.work(pick, Sent::Accepted);
            }
        }
        let at_rest = !matches!(world.session.state, State::Assistant) || world.session.version == 0;
        prop_assert!(at_rest, "{:?}", world.session);
        prop_assert!(world.open().is_empty());
    }

    /// Whatever statuses come, in whatever order and however often: what the customer has is not taken back, a rank
    /// falls only by a failure, and each write is one revision.
    #[test]
    fn a_rank_never_falls_but_by_a_failure(statuses in prop::collection::vec((0..5_u8, 0..3_u32), 1..40)) {
        let now = World::new().now;
        let mut delivery = Delivery::queued(now);
        for (status, attempt) in statuses {
            let receipt = [Receipt::Sent, Receipt::Delivered, Receipt::Read, Receipt::FailedForNow, Receipt::Failed]
                [usize::from(status)];
            if delivery.state == DeliveryState::Queued {
                delivery = delivery.begun(now).accepted(&format!("wamid.{}", delivery.tries));
            }
            let Some(next) = delivery.on_receipt(receipt, &format!("wamid.{attempt}"), None, now) else { continue };
            prop_assert_eq!(next.rev, delivery.rev + 1);
            let fell = rank(next.state) < rank(delivery.state);
            let failure = matches!(receipt, Receipt::FailedForNow | Receipt::Failed);
            prop_assert!(!fell || (failure && rank(delivery.state) < rank(DeliveryState::Delivered)));
            delivery = next;
        }
    }
}

/// A transaction takes 100 items. What a decision cannot move at once is moved by the next one, or stopped when it is
/// about to leave.
#[test]
fn more_messages_than_fit_a_transaction_are_neither_lost_nor_sent() {
    let hello = Act::Customer { kind: Kind::Text, text: "hello".to_owned(), minutes_late: 0 };
    let reply = Act::Rep { text: "reply".to_owned() };
    let mut world = World::new();
    world.act(SignedDuration::ZERO, &hello);
    world.act(SignedDuration::from_hours(30), &reply);
    (0..149).for_each(|_| world.act(SignedDuration::ZERO, &reply));
    let held = |world: &World| world.messages.iter().filter(|m| m.is_in(&[DeliveryState::Held])).count();
    assert_eq!(held(&world), 150);
    let left = [0, 1, 2].map(|_| {
        world.act(SignedDuration::ZERO, &hello);
        held(&world)
    });
    assert_eq!(left, [90, 30, 0]);

    let mut world = World::new();
    for _ in 0..100 {
        world.act(SignedDuration::ZERO, &hello);
        let verdict = Verdict::Answered(Answer::plain("answer").unwrap());
        world.act(SignedDuration::ZERO, &Act::Agent { turns_ago: 0, verdict });
    }
    // The laws say that of these no word is sent after it.
    world.act(SignedDuration::ZERO, &Act::HandOff);
}

/// When the clock comes by next, for the session or one of its messages.
fn next_look(world: &World) -> Option<shared::Timestamp> {
    let messages = world.messages.iter().filter_map(|m| m.delivery.as_ref()?.look_at);
    world.session.wake_at.into_iter().chain(messages).min()
}
