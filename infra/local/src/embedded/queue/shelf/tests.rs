//! The rows at given times: what may be taken, and what comes back.

use super::*;

struct Kept {
    folder: tempfile::TempDir,
    shelf: Shelf,
}

fn kept() -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(&folder.path().join("queue.db"), 0).unwrap();
    Kept { folder, shelf }
}

fn job(lane: Option<&str>, body: &str, visible_at: i64) -> Put {
    let (poke, lane) = (lane.is_none(), lane.map(str::to_owned));
    Put { queue: "q", lane, body: body.to_owned(), poke, visible_at }
}

fn bodies(taken: &[Taken]) -> Vec<&str> {
    taken.iter().map(|taken| taken.body.as_str()).collect()
}

#[test]
fn a_lane_gives_its_next_only_when_its_first_is_done() {
    let mut shelf = kept().shelf;
    let jobs = [job(Some("a"), "a1", 0), job(Some("a"), "a2", 0), job(Some("b"), "b1", 0)];
    shelf.put(&jobs, 0).unwrap();
    let first = shelf.take("q", 10, 1, 100).unwrap();
    assert_eq!(bodies(&first), ["a1", "b1"]);
    assert!(shelf.take("q", 10, 99, 100).unwrap().is_empty());
    // Put back for later, it still goes before its neighbour.
    shelf.put_back(first[0].ticket, 50).unwrap();
    assert!(shelf.take("q", 10, 49, 100).unwrap().is_empty());
    let again = shelf.take("q", 10, 50, 100).unwrap();
    assert_eq!((bodies(&again), again[0].receive_count), (vec!["a1"], 2));
    assert!(shelf.finish(again[0].ticket).unwrap());
    assert_eq!(bodies(&shelf.take("q", 10, 50, 100).unwrap()), ["a2"]);
}

#[test]
fn what_nobody_finishes_comes_back_and_the_slow_one_has_no_say() {
    let mut shelf = kept().shelf;
    shelf.put(&[job(Some("a"), "a1", 0), job(Some("a"), "a2", 0)], 0).unwrap();
    let slow = shelf.take("q", 1, 0, 100).unwrap();
    let quick = shelf.take("q", 1, 100, 200).unwrap();
    assert_eq!((bodies(&quick), quick[0].receive_count), (vec!["a1"], 2));
    assert!(!shelf.finish(slow[0].ticket).unwrap());
    shelf.put_back(slow[0].ticket, 0).unwrap();
    assert!(shelf.take("q", 1, 150, 300).unwrap().is_empty());
    assert!(shelf.finish(quick[0].ticket).unwrap());
}

#[test]
fn equal_pokes_that_wait_are_one() {
    let mut shelf = kept().shelf;
    shelf.put(&[job(None, "p", 90), job(None, "p", 50), job(None, "other", 90)], 0).unwrap();
    let first = shelf.take("q", 10, 50, 1_000).unwrap();
    // The earlier time counts.
    assert_eq!(bodies(&first), ["p"]);
    // One that is being worked on may have looked already, so the next is another.
    shelf.put(&[job(None, "p", 60)], 0).unwrap();
    assert_eq!(bodies(&shelf.take("q", 10, 90, 1_000).unwrap()), ["p", "other"]);
}

#[test]
fn equal_commands_stay_apart() {
    let mut shelf = kept().shelf;
    shelf.put(&[job(Some("a"), "c", 0), job(Some("a"), "c", 0)], 0).unwrap();
    let first = shelf.take("q", 1, 0, 10).unwrap();
    assert!(shelf.finish(first[0].ticket).unwrap(), "there is a second");
}

#[test]
fn what_is_kept_back_is_taken_at_its_time() {
    let mut shelf = kept().shelf;
    shelf.put(&[job(None, "t", 3_000)], 0).unwrap();
    assert!(shelf.take("q", 1, 2_999, 9_000).unwrap().is_empty());
    assert_eq!(shelf.next_at("q").unwrap(), Some(3_000));
    assert_eq!(bodies(&shelf.take("q", 1, 3_000, 9_000).unwrap()), ["t"]);
    assert_eq!(shelf.next_at("q").unwrap(), Some(9_000));
    assert_eq!(shelf.next_at("elsewhere").unwrap(), None);
}

#[test]
fn what_was_in_hand_waits_again_after_a_restart() {
    let Kept { folder, mut shelf } = kept();
    shelf.put(&[job(Some("a"), "a1", 0), job(Some("a"), "a2", 0), job(None, "late", 500)], 0).unwrap();
    shelf.take("q", 1, 0, 360_000).unwrap();
    drop(shelf);
    let mut shelf = Shelf::open(&folder.path().join("queue.db"), 10).unwrap();
    let taken = shelf.take("q", 10, 10, 360_000).unwrap();
    // What was kept back stays so, and a lane keeps its order.
    assert_eq!((bodies(&taken), taken[0].receive_count), (vec!["a1"], 2));
}

#[test]
fn a_long_lane_is_worked_off_in_order() {
    let mut shelf = kept().shelf;
    let jobs: Vec<Put> = (0..1_000).map(|n| job(Some("a"), &n.to_string(), 0)).collect();
    shelf.put(&jobs, 0).unwrap();
    for n in 0..1_000 {
        let taken = shelf.take("q", 10, 0, 100).unwrap();
        assert_eq!(bodies(&taken), [n.to_string()]);
        assert_eq!(shelf.finish(taken[0].ticket).unwrap(), n < 999);
    }
}

#[test]
fn what_cannot_be_read_is_kept_and_blocks_nobody() {
    let mut shelf = kept().shelf;
    shelf.put(&[job(Some("a"), "junk", 0), job(Some("a"), "a2", 0)], 0).unwrap();
    let taken = shelf.take("q", 1, 0, 100).unwrap();
    assert!(shelf.set_aside(taken[0].ticket, "not a job", 1).unwrap());
    assert_eq!(bodies(&shelf.take("q", 1, 0, 100).unwrap()), ["a2"]);
    let kept: String = shelf.db.query_row("SELECT body FROM unreadable", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "junk");
}
