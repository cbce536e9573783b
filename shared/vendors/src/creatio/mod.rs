//! Creatio: cases, activities and contacts over OAuth and OData, and the webhook by which a site wakes us.
//!
//! What a site is like, and which of its habits are handled where, stands in the README beside this file.

pub mod account;
mod auth;
mod bounded;
mod cases;
pub mod client;
mod create;
mod fault;
mod map;
mod odata;
mod people;
mod phone;
mod redact;
mod site;
mod text;
pub mod webhook;
mod wire;

#[cfg(test)]
mod stub;
