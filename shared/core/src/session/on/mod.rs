//! What each fact does, one file a fact.

pub(super) mod agent_verdict;
pub(super) mod case_closed;
pub(super) mod customer_message;
pub(super) mod delivery_end;
mod hand_off;
pub(super) mod person;
pub(super) mod rep_reply;
pub(super) mod silence;
pub(super) mod window;

pub(super) use hand_off::window_closed;
