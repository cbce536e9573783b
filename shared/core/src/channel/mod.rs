//! What a channel allows: the line it comes in on, when one may still answer, and how long a message may be.

pub mod render;
pub mod window;

use serde::{Deserialize, Serialize};

/// The kind of transport a customer writes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// WhatsApp Business Platform (Cloud API).
    Whatsapp,
}

impl Channel {
    /// The name used in keys, logs and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
        }
    }

    /// The name people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Whatsapp => "WhatsApp",
        }
    }
}

/// A line: one of our addresses on one channel. For WhatsApp the address is the `phone_number_id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineKey {
    /// The transport.
    pub channel: Channel,
    /// Our address there, an opaque id.
    pub address: String,
}

impl LineKey {
    /// The WhatsApp line with this `phone_number_id`.
    #[must_use]
    pub fn whatsapp(phone_number_id: &str) -> Self {
        Self { channel: Channel::Whatsapp, address: phone_number_id.to_owned() }
    }
}

impl std::fmt::Display for LineKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.channel.name(), self.address)
    }
}
