//! The faults that a sandbox was asked to make: a queue, used up in order, one a request.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

/// The most repetitions of one order.
const MOST: u32 = 1_000;

/// A sandbox's queue of faults.
pub struct Faults<F>(Mutex<VecDeque<F>>);

/// `{"fault": …, "times": 3}`; once when it does not say.
#[derive(Clone, Deserialize)]
pub struct Order<F> {
    /// What is to go wrong.
    #[serde(flatten)]
    pub fault: F,
    /// For how many requests in a row.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl<F: Clone> Faults<F> {
    /// No faults.
    #[must_use]
    pub fn none() -> Self {
        Self(Mutex::default())
    }

    /// Adds to the end of the queue.
    pub fn add(&self, order: &Order<F>) {
        let times = usize::try_from(order.times.min(MOST)).unwrap_or_default();
        self.queue().extend(std::iter::repeat_n(order.fault.clone(), times));
    }

    /// Takes the next one.
    pub fn next(&self) -> Option<F> {
        self.queue().pop_front()
    }

    /// Forgets those that were not used.
    pub fn clear(&self) {
        self.queue().clear();
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<F>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Deserialize)]
    #[serde(tag = "fault", rename_all = "snake_case")]
    enum Fault {
        Silence { ms: u64 },
        Rubbish,
    }

    #[test]
    fn faults_are_used_up_in_order() {
        let faults = Faults::none();
        faults.add(&serde_json::from_str(r#"{"fault":"silence","ms":5,"times":2}"#).unwrap());
        faults.add(&serde_json::from_str(r#"{"fault":"rubbish"}"#).unwrap());
        let used: Vec<Fault> = std::iter::from_fn(|| faults.next()).collect();
        assert_eq!(used, [Fault::Silence { ms: 5 }, Fault::Silence { ms: 5 }, Fault::Rubbish]);
    }

    #[test]
    fn an_unknown_fault_is_an_error() {
        assert!(serde_json::from_str::<Order<Fault>>(r#"{"fault":"sillence"}"#).is_err());
    }
}
