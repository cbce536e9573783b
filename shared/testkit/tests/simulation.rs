//! The line keeps its promises in a fixed set of stories, and the judge notices when it does not.

use shared_testkit::sim::{Fault, Keep, Mode, Options, Run, Sabotage, run, shrink};

/// Stories a mode. `simulate --seeds 20000` tells many more.
const SEEDS: u64 = 70;
/// Within how many stories a planted mistake must be noticed.
const NOTICED_WITHIN: u64 = 200;

fn check_stories(mode: Mode, from: u64) {
    for seed in from..from + SEEDS {
        let run = run(seed, &Options::new(mode));
        let broken = run.violations.first();
        assert!(
            broken.is_none(),
            "{}\nsee `cargo run -p shared-testkit --release -- simulate --seed {seed} --mode {}`",
            broken.map(ToString::to_string).unwrap_or_default(),
            mode.name()
        );
    }
}

#[test]
fn nothing_is_lost_late_or_doubled_when_nothing_goes_wrong() {
    check_stories(Mode::FaultFree, 0);
}

#[test]
fn nothing_is_lost_doubled_or_misdirected_while_things_go_wrong() {
    check_stories(Mode::Safety, 1_000);
}

#[test]
fn everything_is_made_good_once_nothing_goes_wrong_any_more() {
    check_stories(Mode::Liveness, 2_000);
}

#[test]
fn a_seed_tells_the_same_story_again() {
    for seed in 0..6 {
        for mode in Mode::ALL {
            let told = || run(seed, &Options::new(*mode));
            let (first, second) = (told(), told());
            assert_eq!(first.hash, second.hash, "seed {seed} {}", mode.name());
            assert_eq!(first.counters, second.counters);
        }
    }
    assert_ne!(run(1, &Options::new(Mode::Safety)).hash, run(2, &Options::new(Mode::Safety)).hash);
}

#[test]
fn what_is_left_out_does_not_happen() {
    let whole = run(7, &Options::new(Mode::Safety));
    assert!(!whole.struck.is_empty());
    let keep = Keep { faults: Some([].into()), ..Keep::default() };
    let calm = run(7, &Options { keep, ..Options::new(Mode::Safety) });
    assert!(calm.struck.is_empty());
    let keep = Keep { events: Some([].into()), ..Keep::default() };
    let empty = run(7, &Options { keep, ..Options::new(Mode::Safety) });
    assert_eq!(empty.counters.commands, 0);
    assert!(Fault::ALL.iter().all(|fault| Fault::named(fault.name()) == Some(*fault)));
}

/// The first story in which the planted mistake is noticed as a breach of one of these promises.
fn noticed(sabotage: Sabotage, mode: Mode, promises: &[&str]) -> Option<(u64, Run)> {
    let options = Options { sabotage: Some(sabotage), ..Options::new(mode) };
    let mut told = (0..NOTICED_WITHIN).map(|seed| (seed, run(seed, &options)));
    told.find(|(_, run)| promises.iter().any(|promise| run.broke(promise)))
}

/// Which promise each planted mistake breaks, and in which mode it shows.
fn what_it_breaks(sabotage: Sabotage) -> (Mode, &'static [&'static str]) {
    match sabotage {
        Sabotage::DropMessage => (Mode::FaultFree, &["I1"]),
        Sabotage::DoubleSend => (Mode::FaultFree, &["I4"]),
        Sabotage::ForgetMark => (Mode::Safety, &["I2"]),
        Sabotage::IgnoreLane => (Mode::Safety, &["I4"]),
        Sabotage::LoseEntry => (Mode::FaultFree, &["I1"]),
        Sabotage::WrongCustomer => (Mode::FaultFree, &["I8"]),
        Sabotage::SpeakAfterTakeover => (Mode::Safety, &["I5"]),
        Sabotage::LowerRank => (Mode::FaultFree, &["I16"]),
        Sabotage::SkipVersion => (Mode::FaultFree, &["I14"]),
        Sabotage::FreshRecords => (Mode::FaultFree, &["I2"]),
        Sabotage::Echo => (Mode::FaultFree, &["I7"]),
        Sabotage::OpenWindow => (Mode::FaultFree, &["I9"]),
        Sabotage::NoClock => (Mode::Liveness, &["I10"]),
        Sabotage::SecondSession => (Mode::FaultFree, &["I6"]),
        Sabotage::LoseParked => (Mode::FaultFree, &["I11"]),
    }
}

#[test]
fn every_planted_mistake_is_noticed() {
    for sabotage in Sabotage::ALL {
        let (mode, promises) = what_it_breaks(*sabotage);
        let seen = noticed(*sabotage, mode, promises).is_some();
        assert!(seen, "{} was not noticed as {promises:?} in {NOTICED_WITHIN} stories", sabotage.name());
    }
}

#[test]
fn a_failing_story_is_told_shorter() {
    let (seed, whole) = noticed(Sabotage::DoubleSend, Mode::Safety, &["I4"]).unwrap();
    let options = Options { sabotage: Some(Sabotage::DoubleSend), ..Options::new(Mode::Safety) };
    let (keep, short) = shrink(seed, &options, "I4");
    assert!(short.broke("I4"));
    assert!(keep.events.is_some_and(|events| events.len() < whole.events));
    assert!(short.struck.is_empty(), "no fault is needed to see a doubled send");
    assert!(short.timeline.iter().any(|line| line.contains("WhatsApp takes")));
}
