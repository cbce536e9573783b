//! Journeys, the laptop line from outside, and the structure itself.

pub mod journeys;
