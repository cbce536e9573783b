//! The last look before a message leaves: whether it is still wanted, given what happened since it was written.

use jiff::Timestamp;

use super::on::window_closed;
use super::state::Session;
use crate::delivery::Trouble;
use crate::message::{Author, Message};
use crate::policy::Policy;

/// What to do with a message that is about to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dispatch {
    /// Send it.
    Send,
    /// It is not wanted any more.
    Cancel(Trouble),
    /// It may not go now; it waits for the customer.
    Hold(Trouble),
    /// It may not go any more, and somebody must know.
    Fail(Trouble),
}

/// Looks at the session as it is now. A machine's word needs the epoch it was written in and is soon too old; a
/// person's word needs the reply window only.
#[must_use]
pub fn dispatch(session: &Session, message: &Message, now: Timestamp, policy: &Policy) -> Dispatch {
    let window = session.window_is_open(now);
    match message.author {
        Author::Rep if window => Dispatch::Send,
        Author::Rep => Dispatch::Hold(window_closed()),
        Author::Customer => Dispatch::Cancel(Trouble::new("a customer's own words are not sent back")),
        Author::Assistant | Author::System if message.epoch != session.epoch => {
            Dispatch::Cancel(Trouble::new("a person acted on the session after this was written"))
        }
        Author::Assistant | Author::System if !window => Dispatch::Fail(window_closed()),
        Author::Assistant | Author::System if now.duration_since(message.at) > policy.answer_within => {
            Dispatch::Fail(Trouble::new(
                "It could not be sent in time, and a late answer would confuse. Please answer.",
            ))
        }
        Author::Assistant | Author::System => Dispatch::Send,
    }
}
