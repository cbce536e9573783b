//! WhatsApp Business Platform (Cloud API): what Meta posts to us, and how a text is sent.
//!
//! Facts about the platform, decisions taken here and the fixtures are described in this folder's `README.md`.

pub mod account;
pub mod client;
pub mod convert;
pub mod inspect;
mod loose;
pub mod map;
pub mod parse;
pub mod verify;
pub mod wire;

pub use account::Accounts;
pub use client::CloudApi;
pub use convert::{customer_message, event_key, status_note};
pub use inspect::inspect;
pub use parse::{InboundMessage, InboundStatus, Parsed, parse};
pub use verify::{AppSecret, BadSignature, Verified, challenge, verify};
