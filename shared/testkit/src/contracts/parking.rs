//! What a parking place promises. What is parked is read by people, so the suite asks for a count only.

use shared_flow::ports::{Parked, Parking};

use super::{after, now, org};

/// Checks a parking place; `count` says how many entries it holds.
pub async fn parking(store: &dyn Parking, count: &(dyn Fn() -> usize + Sync)) {
    let parked = Parked {
        org: Some(org("parked")),
        source: "../command".to_owned(),
        reason: "not JSON".to_owned(),
        original: vec![0, 159, 146, 150],
        at: now(),
    };
    store.park(&parked).await.expect("parked");
    assert_eq!(count(), 1);
    store.park(&Parked { at: after(9), ..parked.clone() }).await.expect("parked");
    assert_eq!(count(), 1, "the same original is one entry");
    store.park(&Parked { original: b"{".to_vec(), ..parked.clone() }).await.expect("parked");
    store.park(&Parked { org: None, ..parked }).await.expect("parked");
    assert_eq!(count(), 3);
}
