//! What a process has used so far, as Linux tells it in `/proc`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Processor time, user and system, of all threads of a process.
///
/// `/proc/<pid>/stat` counts in ticks of 10 ms, which is too coarse for a start that may take 15 ms. The scheduler's own
/// count in nanoseconds stands beside each thread, but forgets threads that ended; so the larger of the two is right.
pub fn cpu(pid: u32) -> Duration {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let tasks =
        fs::read_dir(process.join("task")).expect("processor time is read from /proc: this needs Linux");
    let exact = tasks.flatten().map(|task| scheduled(&task.path())).sum();
    ticks(&process).max(exact)
}

/// The first number of `schedstat`: nanoseconds on a processor. Zero where the kernel does not keep it.
fn scheduled(task: &Path) -> Duration {
    let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// `utime` and `stime`, the 14th and 15th field of `stat`, each cut off to whole ticks.
fn ticks(process: &Path) -> Duration {
    let stat =
        fs::read_to_string(process.join("stat")).expect("the process is there while it waits for its event");
    // The second field is the program's name in brackets, which may hold blanks.
    let (_, fields) = stat.rsplit_once(')').expect("the name stands in brackets");
    let times = fields.split_whitespace().skip(11).take(2);
    Duration::from_millis(times.map(|ticks| ticks.parse::<u64>().expect("a number") * 10).sum())
}

/// Resident memory in bytes, shared pages included.
pub fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its resident memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}
