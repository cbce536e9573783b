//! Telling a story with kills in it, and what must be seen afterwards.

use std::collections::BTreeMap;

use super::super::proxy::Strike;
use super::super::world::{Event, World};
use super::places::{Doubt, Kill};
use super::seen::Seen;
use super::story::{Act, Scene, Story};

/// How the time after a kill is cut up, in seconds: past the leases of workers, past an unknown outcome, past a
/// record's return, and ten minutes in all, by which everything must be mended.
const WAVES: [i64; 4] = [61, 130, 250, 160];

/// A story with a kill in some of its acts.
#[derive(Clone, Debug)]
pub struct Telling {
    /// The story.
    pub story: &'static Story,
    /// By act.
    pub kills: BTreeMap<usize, Kill>,
}

/// What came of a kill.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// As if nothing had happened.
    Mended,
    /// The call was not made, so nothing was killed.
    Missed,
    /// Something is lost, doubled or left undone.
    Broken(String),
}

/// Tells a story without a kill. Every act meets processes that have just started, so that what they keep is asked for
/// in each.
pub async fn tell(world: &mut World, story: &'static Story, customer: u32) -> Vec<Vec<Event>> {
    world.forget().await;
    let (mut scene, mut acts) = (Scene::new(customer), Vec::new());
    for act in story.acts {
        world.start_afresh().await;
        world.history.clear();
        scene.play(world, *act).await;
        acts.push(std::mem::take(&mut world.history));
    }
    acts
}

/// What is seen after this act when nobody is killed and as much time passes as after a kill.
pub async fn expect(world: &mut World, story: &'static Story, act: usize, customer: u32) -> Seen {
    world.forget().await;
    let mut scene = Scene::new(customer);
    for act in &story.acts[..=act] {
        scene.play(world, *act).await;
    }
    let mut seen = world.seen(&scene).await;
    for seconds in WAVES {
        world.wave(seconds, false).await;
        seen = world.seen(&scene).await;
        if seen.unfinished.is_empty() {
            break;
        }
    }
    assert!(seen.is_at_rest(), "without a kill: {seen:#?}");
    seen
}

/// Tells a story up to its last kill. After each kill it goes on only when all is as it would be without.
pub async fn tell_with(
    world: &mut World,
    telling: &Telling,
    expected: &BTreeMap<(&'static str, usize), Seen>,
    customer: u32,
) -> Vec<(Kill, Outcome)> {
    world.forget().await;
    let (mut scene, mut outcomes) = (Scene::new(customer), Vec::new());
    let last = telling.kills.keys().next_back().copied().unwrap_or_default();
    for (at, act) in telling.story.acts.iter().enumerate().take(last + 1) {
        let Some(kill) = telling.kills.get(&at) else {
            scene.play(world, *act).await;
            continue;
        };
        let outcome = strike(world, kill, &mut scene, *act, &expected[&(telling.story.name, at)]).await;
        let broken = matches!(outcome, Outcome::Broken(_));
        outcomes.push((kill.clone(), outcome));
        if broken {
            break;
        }
    }
    // Dead letters stay where they are, so it is enough to look for them once.
    let left = world.empty_queues().await;
    if let Some((_, outcome)) = outcomes.last_mut().filter(|_| !left.is_empty()) {
        *outcome = Outcome::Broken(format!("left in queues: {left:?}; {outcome:?}"));
    }
    outcomes
}

async fn strike(world: &mut World, kill: &Kill, scene: &mut Scene, act: Act, expected: &Seen) -> Outcome {
    let Kill { place, side, queue_first } = kill;
    let worker = &world.workers[place.function];
    // What a process keeps is asked for again only by a new one.
    worker.function.end().await;
    worker.proxy.order(Strike { what: place.what.clone(), nth: place.nth, side: *side });
    scene.play(world, act).await;
    if !world.workers[place.function].proxy.call_off() {
        return Outcome::Missed;
    }
    let mut difference = String::new();
    for seconds in WAVES {
        world.wave(seconds, *queue_first).await;
        let seen = world.seen(scene).await;
        match compare(expected, &seen, kill) {
            Ok(()) => return Outcome::Mended,
            Err(why) => difference = why,
        }
    }
    Outcome::Broken(difference)
}

impl World {
    /// Some time passes: leases end, the clock looks, what a killed process had in its hands comes back.
    async fn wave(&mut self, seconds: i64, queue_first: bool) {
        self.pass(seconds).await;
        if queue_first {
            self.show_everything().await;
            self.rest().await;
        }
        self.tick().await;
        self.rest().await;
        self.show_everything().await;
        self.rest().await;
    }
}

/// What differs from the telling without a kill and must not.
fn compare(expected: &Seen, seen: &Seen, kill: &Kill) -> Result<(), String> {
    if !seen.is_at_rest() {
        return Err(format!("not at rest: {:?} {:?}", seen.wrong, seen.unfinished));
    }
    let doubt = kill.doubt();
    let most = expected.repeated.len() + usize::from(doubt == Doubt::Sent);
    if seen.repeated.len() > most {
        return Err(format!("the customer got more than once: {:?}", seen.repeated));
    }
    if doubt == Doubt::None && seen.doubted != expected.doubted {
        return Err(format!("told as perhaps delivered twice: {:?}", seen.doubted));
    }
    let (repeated, doubted) = (seen.repeated.clone(), seen.doubted.clone());
    let expected = Seen { repeated, doubted, ..expected.clone() };
    if *seen == expected {
        return Ok(());
    }
    // A send whose outcome nobody learned, begun twice, may end in a message to the rep instead of a third attempt.
    if kill.place.story.unsure_acts > kill.place.act && doubt != Doubt::None && arrived(&expected, seen) {
        return Ok(());
    }
    Err(format!("seen: {seen:#?}\nexpected: {expected:#?}"))
}

/// Whether the customer's words are all there and the customer got all answers.
fn arrived(expected: &Seen, seen: &Seen) -> bool {
    let heard = |seen: &Seen| -> Vec<String> {
        seen.transcript.iter().filter(|line| line.starts_with("Customer")).cloned().collect()
    };
    seen.phone == expected.phone && heard(seen) == heard(expected)
}

#[cfg(test)]
mod tests {
    use super::super::super::proxy::Side;
    use super::super::places::Place;
    use super::super::stories::STORIES;
    use super::*;

    fn kill(doubt: Doubt) -> Kill {
        let (function, trigger, what) = ("delivery", String::new(), String::new());
        let place =
            Place { story: &STORIES[0], act: 0, function, trigger, what, nth: 1, doubt: (doubt, doubt) };
        Kill { place, side: Side::After, queue_first: true }
    }

    fn seen() -> Seen {
        Seen { phone: vec!["an answer".to_owned()], transcript: vec!["a word".to_owned()], ..Seen::default() }
    }

    #[test]
    fn a_repeat_is_allowed_once_and_only_where_nobody_could_know() {
        let repeated = |times: usize| Seen { repeated: vec!["an answer".to_owned(); times], ..seen() };
        for (doubt, most) in [(Doubt::None, 0), (Doubt::Intended, 0), (Doubt::Sent, 1)] {
            for times in 0..3 {
                let outcome = compare(&seen(), &repeated(times), &kill(doubt));
                assert_eq!(outcome.is_ok(), times <= most, "{doubt:?}, {times} times");
            }
        }
        let doubted = Seen { doubted: vec!["an answer".to_owned()], ..seen() };
        assert!(compare(&seen(), &doubted, &kill(Doubt::None)).is_err());
        assert!(compare(&seen(), &doubted, &kill(Doubt::Intended)).is_ok());
    }

    #[test]
    fn what_is_lost_or_left_undone_is_noticed() {
        let lost = Seen { transcript: Vec::new(), ..seen() };
        let unheard = Seen { phone: Vec::new(), ..seen() };
        let undone = Seen { unfinished: vec!["HEAD".to_owned()], ..seen() };
        let overdue = Seen { wrong: vec!["overdue".to_owned()], ..seen() };
        for other in [lost, unheard, undone, overdue] {
            assert!(compare(&seen(), &other, &kill(Doubt::Sent)).is_err(), "{other:?}");
        }
    }
}
