//! WhatsApp, Creatio and the model: how each speaks, one folder each.
//!
//! Every folder has the same rooms: `verify` or `auth`, `wire`, `parse`, `client`, `map`. What they share stands
//! here: the address guard and the HTTP client that obeys it.

pub mod creatio;
pub mod guard;
pub mod http;
pub mod llm;
pub mod whatsapp;
