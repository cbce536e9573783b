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
