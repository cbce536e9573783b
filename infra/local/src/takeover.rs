//! Ends the leases of a process that is gone. This process holds the folder's lock, so whoever took a lease is dead.
//!
//! Only who may work on a session is ended here. What was under way stays what it is: a message that was being sent
//! when the process died may have arrived, and is settled like any unknown outcome.

use shared::crm::Cursor;
use shared::{OrgId, SessionId, SignedDuration, Timestamp};
use shared_flow::ports::{Clock, Cursors, Deliveries, PortError, PortResult, Waking, What};

/// Leases end within this time by themselves, so whatever is held keeps a time in the index before then.
const LEASES_END: SignedDuration = SignedDuration::from_mins(3);
/// The most sessions that are looked at; more were never under way at once.
const MOST: usize = 10_000;
/// The name in which a lane is taken over.
const WHO: &str = "takeover";

/// Frees every session that somebody was working on.
pub async fn end_leases<S: Waking + Deliveries + Cursors>(store: &S, clock: &dyn Clock) -> PortResult<()> {
    let now = clock.now();
    let until = now.saturating_add(LEASES_END).unwrap_or(Timestamp::MAX);
    for due in store.due(until, MOST).await? {
        match due.what {
            What::Session => {}
            What::Delivery => free_lane(store, &due.org, due.session, until).await?,
            What::Cursor => match free_cursor(store, &due.org, due.session, now).await {
                // It ends by itself; what cannot be read must not keep the line from starting.
                Err(PortError::Unreadable { .. }) => {}
                other => other?,
            },
        }
    }
    Ok(())
}

/// By the end of every lease the lane is free for anybody, and we give it back at once.
async fn free_lane<S: Deliveries>(
    store: &S,
    org: &OrgId,
    session: SessionId,
    until: Timestamp,
) -> PortResult<()> {
    if store.take_lane(org, session, WHO, until, until).await? {
        store.release_lane(org, session, WHO).await?;
    }
    Ok(())
}

async fn free_cursor<S: Cursors>(
    store: &S,
    org: &OrgId,
    session: SessionId,
    now: Timestamp,
) -> PortResult<()> {
    let cursor = store.load(org, session).await?;
    if cursor.lease_until.is_none() {
        return Ok(());
    }
    let rev = cursor.rev + 1;
    let free = Cursor { rev, lease_until: None, lease_by: None, wake_at: Some(now), ..cursor };
    store.save(org, session, &free).await.map(drop)
}

#[cfg(test)]
mod tests {
    use shared::ids::derive;
    use shared_testkit::memory::{MemoryStore, VirtualClock};

    use super::*;

    #[tokio::test]
    async fn a_dead_workers_cursor_is_free_at_once() {
        let (store, now) = (MemoryStore::new(), Timestamp::UNIX_EPOCH);
        let (org, session) = (OrgId::new("acme").unwrap(), SessionId(derive("s", &[])));
        let end = now.saturating_add(SignedDuration::from_secs(60)).unwrap();
        let held = Cursor { rev: 1, lease_until: Some(end), wake_at: Some(end), ..Cursor::default() };
        store.save(&org, session, &held).await.unwrap();
        end_leases(&store, &VirtualClock::new(now)).await.unwrap();
        let free = store.load(&org, session).await.unwrap();
        assert_eq!((free.lease_until, free.wake_at), (None, Some(now)));
    }
}
