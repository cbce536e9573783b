//! How a worker waits: every call hands the turn back to the scheduler once, and the scheduler says who goes on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use jiff::Timestamp;

use super::world::{Shared, Signal};

/// A wait that ends when the scheduler picks the worker again, or never when the worker dies here.
pub(super) struct Pause {
    world: Shared,
    signal: Signal,
    asked: bool,
}

impl Pause {
    /// Until the worker's next turn, not before `at`.
    pub(super) fn until(world: &Shared, at: Timestamp) -> Self {
        Self { world: world.clone(), signal: Signal::Resume(at), asked: false }
    }

    /// For ever: the worker dies here.
    pub(super) fn death(world: &Shared) -> Self {
        Self { world: world.clone(), signal: Signal::Die, asked: false }
    }
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.asked && self.signal != Signal::Die {
            return Poll::Ready(());
        }
        self.asked = true;
        self.world.lock().signal = self.signal;
        Poll::Pending
    }
}
