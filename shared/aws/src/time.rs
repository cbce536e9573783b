//! The time by which what a process remembers grows old.

use std::sync::Arc;

use shared::{SignedDuration, Timestamp};
use shared_flow::ports::Clock;

/// The machine's clock, unless another was given. Not a steady one: that may stand still while a function is frozen
/// between two events.
#[derive(Clone, Default)]
pub(crate) struct Time(Option<Arc<dyn Clock>>);

impl Time {
    pub(crate) fn of(clock: Arc<dyn Clock>) -> Self {
        Self(Some(clock))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.as_ref().map_or_else(Timestamp::now, |clock| clock.now())
    }

    /// Whether less than `span` has passed. Of a clock that was set back nobody can say.
    pub(crate) fn is_within(&self, span: SignedDuration, since: Timestamp) -> bool {
        let passed = self.now().duration_since(since);
        passed < span && !passed.is_negative()
    }

    /// How many whole minutes have passed, for people.
    pub(crate) fn minutes(&self, since: Timestamp) -> i64 {
        self.now().duration_since(since).as_mins()
    }
}
