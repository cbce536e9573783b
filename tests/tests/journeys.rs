//! Every conversation in `journeys/*.txt` goes as it is written there.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use switchboard_tests::journeys::tell;

/// With `UPDATE_JOURNEYS=1` the scripts are rewritten instead; review the difference before it is committed.
#[test]
fn every_journey_goes_as_written() {
    let update = std::env::var_os("UPDATE_JOURNEYS").is_some();
    let scripts = scripts();
    assert!(scripts.len() >= 30, "journeys are missing: {} found", scripts.len());
    let mut wrong = Vec::new();
    for path in scripts {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let written = std::fs::read_to_string(&path).unwrap();
        match tell(&written) {
            Err(bad) => wrong.push(format!("{name}, {bad}")),
            Ok(told) if told != written && update => std::fs::write(&path, told).unwrap(),
            Ok(told) if told != written => wrong.push(difference(&name, &written, &told)),
            Ok(_) => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "\n{}\n\nIf this is intended: UPDATE_JOURNEYS=1, and review.",
        wrong.join("\n\n")
    );
}

/// Whoever writes a script wrongly is told where and why; a step is never passed over.
#[test]
fn a_script_that_cannot_be_told_says_where() {
    for (script, expected) in [
        ("12:00 customer Hi\n12:01 dance", "line 2: nobody knows how to \"dance\""),
        ("12:00 customer Hi\n11:59 wake", "line 2: time does not go backwards"),
        ("25:00 customer Hi", "line 1: \"25:00\" is no time of day"),
        ("line: ai maybe", "line 1: there is no setting \"ai maybe\""),
        ("12:00 rep Hi", "line 1: there is no session 0 yet"),
        ("12:00 customer Hi\n12:01 @2 rep Hi", "line 2: there is no session 2 yet"),
        ("12:00 customer Hi\n12:01 status 7 sent", "line 2: message 7 is not for the customer"),
        ("12:00 customer Hi\n12:01 status 1 sent", "line 2: message 1 is not for the customer"),
        ("12:00 customer Hi\n12:01 agent sing", "line 2: no model can \"sing\""),
        ("12:00 customer Hi\n12:01 agent escalate angry Hello", "line 2: an escalation has a \"summary\""),
    ] {
        assert_eq!(tell(script).map_err(|bad| bad.to_string()), Err(expected.to_owned()));
    }
    assert!(tell("12:00 customer kind=song Hi").unwrap_err().why.contains("unknown variant `song`"));
}

/// What a step did is never taken for granted: whatever stands below it is replaced by what happened.
#[test]
fn expectations_are_written_anew() {
    let told = tell("12:00 customer Hi\n        > something else").unwrap();
    assert!(told.contains("> #1 customer") && !told.contains("something else"), "{told}");
    assert_eq!(tell(&told).unwrap(), told);
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("journeys");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    paths.sort();
    paths
}

/// The first place where two tellings differ, with the step before it.
fn difference(name: &str, written: &str, told: &str) -> String {
    let (expected, got): (Vec<&str>, Vec<&str>) = (written.lines().collect(), told.lines().collect());
    let at = expected.iter().zip(&got).take_while(|(a, b)| a == b).count();
    let step = got.iter().take(at + 1).rposition(|line| !line.trim_start().starts_with('>')).unwrap_or(0);
    let from = |lines: &[&str]| {
        lines.iter().skip(step).take(at + 4 - step).map(|l| format!("  {l}\n")).collect::<String>()
    };
    format!("{name}, line {}: expected\n{}but it went\n{}", at + 1, from(&expected), from(&got))
}
