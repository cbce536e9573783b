//! A session: one conversation, the facts that can happen to it, and what each fact does.

pub mod command;
pub mod decide;
pub mod decision;
pub mod dispatch;
mod on;
pub mod pokes;
pub mod state;
pub mod timer;

pub use command::{By, CaseClosure, Command, Conclusion, CustomerMessage, DeliveryEnd, Fate, RepReply};
pub use decide::decide;
pub use decision::{Because, Change, Decision};
pub use dispatch::{Dispatch, dispatch};
pub use pokes::{Poke, pokes};
pub use state::{Resolution, Resolver, Session, State, Turn};
