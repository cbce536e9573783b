//! Models behind an OpenAI-compatible endpoint: one question, one `finish_turn` call back.
//!
//! Facts and decisions stand in this folder's `README.md`.

pub mod account;
pub mod client;
pub mod map;
pub mod parse;
pub mod schema;
pub mod wire;

pub use account::{Account, Accounts};
pub use client::OpenAi;
