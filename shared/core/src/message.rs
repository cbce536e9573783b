//! One entry of the transcript. What it says never changes; what becomes of it is its [`Delivery`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::{Delivery, DeliveryState};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The person who wrote to the company.
    Customer,
    /// The model.
    Assistant,
    /// A person of the company.
    Rep,
    /// Switchboard itself: notices to the customer, notes to the rep.
    System,
}

/// Who is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Only the customer: the rep wrote it in the CRM and sees it there.
    Customer,
    /// Only the rep.
    Rep,
    /// Everybody.
    Both,
    /// Nobody outside: kept for the record.
    Internal,
}

/// What sort of thing the customer sent. The text says the same in words wherever it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Plain text.
    Text,
    /// A tap on a button, list row, form or template button; the text is the choice's title.
    Choice,
    /// An image, video, document, audio file or voice note; the text holds a placeholder and the caption.
    Media,
    /// A place.
    Location,
    /// Contact cards.
    Contacts,
    /// An order from a catalogue.
    Order,
    /// A reaction to an earlier message.
    Reaction,
    /// A sticker.
    Sticker,
    /// An edit or a deletion of an earlier message.
    Change,
    /// Something the channel could not carry, or that we do not know yet.
    Unsupported,
}

impl Kind {
    /// Whether the customer expects an answer to it.
    #[must_use]
    pub fn asks_for_an_answer(self) -> bool {
        match self {
            Self::Text | Self::Choice | Self::Media | Self::Location | Self::Contacts | Self::Order => true,
            Self::Reaction | Self::Sticker | Self::Change | Self::Unsupported => false,
        }
    }

    /// Whether it opens the reply window again. Where Meta does not say, it is taken not to.
    #[must_use]
    pub fn opens_the_window(self) -> bool {
        self.asks_for_an_answer()
    }
}

/// One message of a session's transcript.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its place in the transcript, from 1. Assigned by the decision that wrote it.
    pub seq: u64,
    /// When it came or was written. Shown, never used to order.
    pub at: Timestamp,
    /// Who speaks.
    pub author: Author,
    /// Who is to be told.
    pub audience: Audience,
    /// What sort of thing it is.
    pub kind: Kind,
    /// The words, cleaned of hidden characters.
    pub text: String,
    /// The session's epoch when it was written: a machine's word from before a takeover is not sent after it.
    pub epoch: u32,
    /// The vendor's id of what caused it: WhatsApp's message id, the CRM's record id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What becomes of it on its way to the customer; `None` for what is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

// The words stay out of debug output, which ends up in logs.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("seq", &self.seq)
            .field("author", &self.author)
            .field("audience", &self.audience)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

impl Message {
    /// Whether its way to the customer still needs work.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.delivery.as_ref().is_some_and(Delivery::is_open)
    }

    /// Whether it is on its way to the customer and stands in one of these states.
    #[must_use]
    pub fn is_in(&self, states: &[DeliveryState]) -> bool {
        self.delivery.as_ref().is_some_and(|d| states.contains(&d.state))
    }

    /// Whether the machine speaks: words that a person's takeover silences.
    #[must_use]
    pub fn is_machine_word(&self) -> bool {
        self.author == Author::Assistant
    }

    /// Whether a rep is to see it in the CRM.
    #[must_use]
    pub fn is_for_the_rep(&self) -> bool {
        matches!(self.audience, Audience::Rep | Audience::Both)
    }
}
