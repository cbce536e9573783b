//! Every vendor's folder has the same rooms, so that who knows one finds their way in all.

use std::collections::BTreeSet;

use crate::{none, tree};

/// What every vendor has: what it is like, how it is reached, its shapes, its calls, our words from and to them, and
/// what it really sent.
const ROOMS: [&str; 6] = ["README.md", "account.rs", "client.rs", "map.rs", "wire.rs", "fixtures/"];

fn missing(vendor: &str, paths: &[&str]) -> Vec<String> {
    let folder = format!("shared/vendors/src/{vendor}/");
    let has = |room: &str| {
        paths.iter().any(|path| path.strip_prefix(&folder).is_some_and(|rest| is_in(rest, room)))
    };
    ROOMS.iter().filter(|room| !has(room)).map(|room| format!("{folder} has no {room}")).collect()
}

fn is_in(path: &str, room: &str) -> bool {
    if room.ends_with('/') { path.starts_with(room) } else { path == room }
}

/// The folders of vendors: those with an account.
fn vendors<'a>(paths: &[&'a str]) -> BTreeSet<&'a str> {
    let inside = paths.iter().filter_map(|path| path.strip_prefix("shared/vendors/src/"));
    inside.filter_map(|path| path.strip_suffix("/account.rs")).collect()
}

#[test]
fn every_vendor_has_the_same_rooms() {
    let files = tree::files();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let vendors = vendors(&paths);
    assert!(vendors.len() >= 3, "only {vendors:?} were found");
    none(vendors.iter().flat_map(|vendor| missing(vendor, &paths)).collect());
}

#[test]
fn a_missing_room_is_found() {
    let paths = ["shared/vendors/src/fax/account.rs", "shared/vendors/src/fax/fixtures/a.json"];
    assert_eq!(vendors(&paths), BTreeSet::from(["fax"]));
    assert_eq!(missing("fax", &paths).len(), 4);
}
