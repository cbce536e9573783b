//! Which addresses a group of processes listens on, read from `/proc`, where there is one.

use std::collections::BTreeSet;
use std::path::Path;

/// What the kernel calls a socket that listens.
const LISTENING: &str = "0A";

/// The sockets on which processes of this group listen for anybody but this machine, as the kernel writes them:
/// address and port, in hexadecimal.
pub fn beyond_this_machine(group: u32) -> BTreeSet<String> {
    let own = sockets(group);
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines().skip(1).filter_map(listener));
    let strays = rows.filter(|(address, inode)| own.contains(*inode) && !is_loopback(address));
    strays.map(|(address, _)| address.to_owned()).collect()
}

/// How many sockets the processes of this group have open, so that a test can tell "none" from "not looked".
pub fn count(group: u32) -> usize {
    sockets(group).len()
}

/// The address and the inode of a row, if it is a listener's.
fn listener(row: &str) -> Option<(&str, &str)> {
    let columns: Vec<&str> = row.split_whitespace().collect();
    (columns.get(3) == Some(&LISTENING)).then(|| Some((*columns.get(1)?, *columns.get(9)?)))?
}

/// 127.0.0.0/8, `::1`, and the former in the latter's clothes. Each group of four bytes is written backwards.
fn is_loopback(address: &str) -> bool {
    let host = address.split(':').next().unwrap_or_default();
    match host.len() {
        8 => host.ends_with("7F"),
        _ => {
            host == "00000000000000000000000001000000"
                || host.starts_with("0000000000000000FFFF0000") && host.ends_with("7F")
        }
    }
}

/// The inodes of all sockets of a group of processes.
fn sockets(group: u32) -> BTreeSet<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let members = processes.map(|entry| entry.path()).filter(|process| group_of(process) == Some(group));
    members.flat_map(|process| sockets_of(&process)).collect()
}

fn group_of(process: &Path) -> Option<u32> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // After the name, which may hold anything: state, parent, group.
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

fn sockets_of(process: &Path) -> Vec<String> {
    let open = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let targets = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let inode = |target: std::path::PathBuf| {
        Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
    };
    targets.filter_map(inode).collect()
}

#[test]
fn loopback_is_told_from_everything_else() {
    for address in ["0100007F:1F90", "0200007F:0016", "00000000000000000000000001000000:1F90"] {
        assert!(is_loopback(address), "{address}");
    }
    assert!(is_loopback("0000000000000000FFFF00000100007F:1F90"));
    for address in ["00000000:22B3", "0100000A:1F90", "00000000000000000000000000000000:1F90"] {
        assert!(!is_loopback(address), "{address}");
    }
    assert!(!is_loopback("0000000000000000FFFF00000100000A:1F90"));
}
