//! The kill matrix: each function's process is ended before and after each call that it makes, and every story must go
//! on as if nothing had happened.

mod places;
mod seen;
mod stored;
pub mod stories;
mod story;
mod table;
pub mod telling;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use futures::future::join_all;

use self::places::{Atlas, Kill, Place};
use self::seen::Seen;
use self::stories::STORIES;
use self::table::Table;
use self::telling::{Outcome, Telling, expect, tell, tell_with};
use super::model::FAREWELL;
use super::neighbours::leaks;
use super::permissions::{called, missing};
use super::proxy::Side;
use super::setup::SECRETS;
use super::world::{FUNCTIONS, World};

/// How many lines are worked at once, each with an emulator of its own.
const WORLDS: usize = 3;

/// What must be seen after an act of a story.
type Expected = BTreeMap<(&'static str, usize), Seen>;

/// A number that no other customer of this test has.
pub fn next_customer() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// Has every task done by some world, as many at once as there are worlds. The results are in no order.
async fn share<T, R>(worlds: &mut [World], tasks: Vec<T>, work: impl AsyncFn(&mut World, T) -> R) -> Vec<R> {
    let (tasks, results) = (Mutex::new(VecDeque::from(tasks)), Mutex::new(Vec::new()));
    let next = || tasks.lock().unwrap().pop_front();
    join_all(worlds.iter_mut().map(async |world| {
        while let Some(task) = next() {
            let result = work(world, task).await;
            results.lock().unwrap().push(result);
        }
    }))
    .await;
    results.into_inner().unwrap()
}

/// Both sides of every place. Which comes first after the kill, queue or clock, alternates.
fn kills(places: &[Place]) -> Vec<Kill> {
    let sides = |(at, place): (usize, &Place)| {
        [(Side::Before, at % 2 == 0), (Side::After, at % 2 == 1)].map(|(side, queue_first)| Kill {
            place: place.clone(),
            side,
            queue_first,
        })
    };
    places.iter().enumerate().flat_map(sides).collect()
}

/// Spreads kills over as few tellings as possible: at most one in each act, and only one where the story may not go on.
fn tellings(kills: Vec<Kill>) -> Vec<Telling> {
    let mut tellings: Vec<Telling> = Vec::new();
    let mut next: BTreeMap<(&str, usize), usize> = BTreeMap::new();
    let mut by_story: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for kill in kills {
        let (story, act) = (kill.place.story, kill.place.act);
        let used = next.entry((story.name, act)).or_default();
        let of_story = by_story.entry(story.name).or_default();
        let free = of_story.get(*used).copied().filter(|_| story.goes_on);
        *used += 1;
        match free {
            Some(at) => drop(tellings[at].kills.insert(act, kill)),
            None => {
                of_story.push(tellings.len());
                tellings.push(Telling { story, kills: BTreeMap::from([(act, kill)]) });
            }
        }
    }
    tellings
}

/// What a run is told to do.
struct Plan {
    /// The only function that is killed: `KILLS=crm-sync`. `KILLS=everything` takes each single call for a place of its
    /// own, which takes more than an hour.
    only: Option<String>,
}

impl Plan {
    fn everything(&self) -> bool {
        self.only.as_deref() == Some("everything")
    }

    fn wants(&self, function: &str) -> bool {
        self.everything() || self.only.as_ref().is_none_or(|only| only == function)
    }
}

/// Tells every story without a kill and returns the places that this makes.
async fn explore(worlds: &mut [World], plan: &Plan) -> Vec<Place> {
    let told = share(worlds, STORIES.iter().collect(), async |world, story| {
        (story.name, tell(world, story, next_customer()).await)
    })
    .await;
    let told: BTreeMap<_, _> = told.into_iter().collect();
    let mut atlas = if plan.everything() { Atlas::of_everything() } else { Atlas::default() };
    for story in STORIES {
        atlas.add(story, &told[story.name]);
    }
    let places: Vec<Place> = atlas.places.into_iter().filter(|place| plan.wants(place.function)).collect();
    eprintln!(
        "{} calls in {} stories, {} distinct places to be killed at",
        atlas.calls,
        STORIES.len(),
        places.len()
    );
    places
}

/// What must be seen after each act in which somebody is killed.
async fn expectations(worlds: &mut [World], places: &[Place]) -> Expected {
    let mut acts: Vec<_> = places.iter().map(|place| (place.story, place.act)).collect();
    acts.sort_by_key(|(story, act)| (story.name, *act));
    acts.dedup_by_key(|(story, act)| (story.name, *act));
    let expected = share(worlds, acts, async |world, (story, act)| {
        ((story.name, act), expect(world, story, act, next_customer()).await)
    });
    expected.await.into_iter().collect()
}

/// Tells the stories with kills. Those that were not reached, because an earlier kill in the same telling changed the
/// road, are returned.
async fn carry_out(
    worlds: &mut [World],
    tasks: Vec<Telling>,
    expected: &Expected,
    table: &mut Table,
) -> Vec<Kill> {
    let outcomes = share(worlds, tasks, async |world, telling| {
        let outcomes = tell_with(world, &telling, expected, next_customer()).await;
        (telling, outcomes)
    });
    let mut missed = Vec::new();
    for (mut telling, outcomes) in outcomes.await {
        let alone = telling.kills.len() == 1;
        for (kill, outcome) in outcomes {
            telling.kills.remove(&kill.place.act);
            match outcome {
                Outcome::Missed if !alone => missed.push(kill),
                outcome => table.add(&kill, outcome),
            }
        }
        missed.extend(telling.kills.into_values());
    }
    missed
}

/// How much was done for all that.
fn work(worlds: &[World]) -> String {
    let workers = || worlds.iter().flat_map(|world| world.workers.values());
    let (starts, events): (Vec<_>, Vec<_>) = workers().map(|worker| worker.function.counts()).unzip();
    let calls: usize = workers().map(|worker| worker.proxy.count()).sum();
    let (starts, events): (usize, usize) = (starts.iter().sum(), events.iter().sum());
    format!("{calls} calls in {events} events by {starts} processes")
}

fn alone(kill: Kill) -> Telling {
    Telling { story: kill.place.story, kills: BTreeMap::from([(kill.place.act, kill)]) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_killed_before_or_after_any_call_loses_nothing_and_doubles_nothing() {
    let plan = Plan { only: std::env::var("KILLS").ok().filter(|text| !text.is_empty()) };
    let (began, mut table) = (Instant::now(), Table::default());
    let mut worlds = join_all((0..WORLDS).map(|_| World::open())).await;
    eprintln!("{WORLDS} lines deployed after {:?}", began.elapsed());
    let places = explore(&mut worlds, &plan).await;
    let expected = expectations(&mut worlds, &places).await;
    eprintln!("the kills begin after {:?}", began.elapsed());
    let missed = carry_out(&mut worlds, tellings(kills(&places)), &expected, &mut table).await;
    let missed = carry_out(&mut worlds, missed.into_iter().map(alone).collect(), &expected, &mut table).await;
    assert!(missed.is_empty());
    eprintln!("{table}\n{} after {:?}", work(&worlds), began.elapsed());
    assert!(table.failures().is_empty(), "{}", table.failures().join("\n\n"));
    for (_, function) in FUNCTIONS.iter().filter(|(_, name)| plan.wants(name)) {
        assert!(table.of(function) > 0, "{function} was not killed once");
    }
    let forbidden = missing(&called(&worlds));
    assert!(forbidden.is_empty(), "after a kill something was called that no role permits: {forbidden:?}");
    assert_nothing_leaked(&worlds);
}

/// What every customer of this test is known by, and words that they and others say.
const PERSONAL: [&str; 6] =
    ["Canary Name", "1202555", "US.7140000", "bicycle bell", "Regarding your words", FAREWELL];

/// No log line of any process, killed or not, has what must not be in logs.
fn assert_nothing_leaked(worlds: &[World]) {
    let never = SECRETS.iter().chain(&PERSONAL).map(|words| (*words).to_owned()).collect();
    for world in worlds {
        let said = world.said();
        assert!(said.len() > 1_000, "there is nothing to search in: {said}");
        assert!(
            leaks(&said, &never).is_empty(),
            "in the logs stands what must not: {:?}",
            leaks(&said, &never)
        );
    }
}

/// The matrix proves something only if it can fail: here the platform forgets what a killed process had in its hands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_removed_though_its_process_was_killed_is_noticed_as_lost() {
    let mut worlds = [World::open().await];
    let story = &STORIES[0];
    let mut atlas = Atlas::default();
    atlas.add(story, &tell(&mut worlds[0], story, next_customer()).await);
    let is_commit = |place: &&Place| {
        let commit = (place.function, place.what.as_str())
            == ("conversation", "dynamodb:TransactWriteItems LineTable");
        commit && place.act == 0 && place.trigger == "customer_wrote"
    };
    // The last one of them: the first only remembers who it is that writes.
    let place = atlas.places.iter().rfind(is_commit).unwrap().clone();
    let expected = expectations(&mut worlds, std::slice::from_ref(&place)).await;
    for forgets in [false, true] {
        worlds[0].forgets_the_killed = forgets;
        let kill = Kill { place: place.clone(), side: Side::Before, queue_first: true };
        let outcomes = tell_with(&mut worlds[0], &alone(kill), &expected, next_customer()).await;
        let is_lost = matches!(outcomes.as_slice(), [(_, Outcome::Broken(_))]);
        assert_eq!(is_lost, forgets, "{outcomes:?}");
    }
}
