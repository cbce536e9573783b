//! What a message can say, whatever Meta calls it.

use serde_json::Value;
use shared::Kind;

/// What a message says.
#[derive(Clone, PartialEq)]
pub enum Content {
    /// Words.
    Text(String),
    /// A file. The id is good for 7 days.
    Media {
        /// Which sort.
        kind: MediaKind,
        /// The id to fetch it by.
        id: Option<String>,
        /// What the sender's device says it is: hostile input.
        mime: Option<String>,
        /// Words that go with it.
        caption: Option<String>,
        /// The sender's name for it: hostile input.
        filename: Option<String>,
    },
    /// A sticker.
    Sticker {
        /// The id to fetch it by.
        id: Option<String>,
        /// Whether it moves.
        animated: bool,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// What it is called.
        name: Option<String>,
        /// Where it is, in words.
        address: Option<String>,
    },
    /// Contact cards.
    Contacts {
        /// The cards.
        cards: Vec<Card>,
        /// Whether this is the answer to a request for the sender's own number.
        requested: bool,
    },
    /// A tap on something that we offered.
    Choice {
        /// On what.
        kind: Choice,
        /// What we called it.
        id: Option<String>,
        /// What the customer read on it.
        title: Option<String>,
    },
    /// A completed form, as the object that its fields make; `None` when it cannot be read.
    Form(Option<Value>),
    /// A reaction to an earlier message, or its removal.
    Reaction {
        /// The message.
        target: Option<String>,
        /// The emoji; `None` takes the reaction back.
        emoji: Option<String>,
    },
    /// An order from a catalogue.
    Order {
        /// What was ordered.
        lines: Vec<OrderLine>,
        /// Words that go with it.
        note: Option<String>,
    },
    /// New words for an earlier message, which may arrive after this.
    Edit {
        /// The message.
        target: Option<String>,
        /// The new words.
        text: Option<String>,
    },
    /// An earlier message was deleted.
    Revoke {
        /// The message.
        target: Option<String>,
    },
    /// WhatsApp says something about the person.
    System,
    /// Something that the platform does not carry.
    Unsupported {
        /// What it was, in Meta's word.
        what: Option<String>,
    },
    /// A type we do not know, or a known type without its content.
    Unknown,
}

/// A sort of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A sound file.
    Audio,
    /// Something the customer said into their phone.
    Voice,
    /// Any other file.
    Document,
}

/// What was tapped on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// A reply button.
    Button,
    /// A row of a list.
    List,
    /// A quick reply of a template, which has a type of its own.
    Template,
}

/// A contact card, as far as it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// Whose.
    pub name: Option<String>,
    /// The first number on it, as written there.
    pub phone: Option<String>,
    /// The first number's WhatsApp id.
    pub wa_id: Option<String>,
}

/// A line of an order; numbers as they were written.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// The product.
    pub product: String,
    /// How many.
    pub quantity: Option<String>,
    /// What one costs.
    pub price: Option<String>,
    /// In what.
    pub currency: Option<String>,
}

impl Content {
    /// One word for it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Media { kind: MediaKind::Image, .. } => "image",
            Self::Media { kind: MediaKind::Video, .. } => "video",
            Self::Media { kind: MediaKind::Audio, .. } => "audio",
            Self::Media { kind: MediaKind::Voice, .. } => "voice",
            Self::Media { kind: MediaKind::Document, .. } => "document",
            Self::Sticker { .. } => "sticker",
            Self::Location { .. } => "location",
            Self::Contacts { .. } => "contacts",
            Self::Choice { kind: Choice::Button, .. } => "button_reply",
            Self::Choice { kind: Choice::List, .. } => "list_reply",
            Self::Choice { kind: Choice::Template, .. } => "template_button",
            Self::Form(_) => "flow_reply",
            Self::Reaction { emoji: Some(_), .. } => "reaction",
            Self::Reaction { emoji: None, .. } => "reaction_removed",
            Self::Order { .. } => "order",
            Self::Edit { .. } => "edit",
            Self::Revoke { .. } => "revoke",
            Self::System => "system",
            Self::Unsupported { .. } => "unsupported",
            Self::Unknown => "unknown",
        }
    }

    /// What the core calls it; `None` for what no customer said.
    #[must_use]
    pub fn in_core(&self) -> Option<Kind> {
        match self {
            Self::Text(_) => Some(Kind::Text),
            Self::Media { .. } => Some(Kind::Media),
            Self::Sticker { .. } => Some(Kind::Sticker),
            Self::Location { .. } => Some(Kind::Location),
            Self::Contacts { .. } => Some(Kind::Contacts),
            Self::Choice { .. } | Self::Form(_) => Some(Kind::Choice),
            Self::Reaction { .. } => Some(Kind::Reaction),
            Self::Order { .. } => Some(Kind::Order),
            Self::Edit { .. } | Self::Revoke { .. } => Some(Kind::Change),
            Self::Unsupported { .. } | Self::Unknown => Some(Kind::Unsupported),
            Self::System => None,
        }
    }

    /// The customer's own words, where there are any.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Media { caption, .. } => caption.as_deref(),
            Self::Choice { title, .. } => title.as_deref(),
            Self::Edit { text, .. } => text.as_deref(),
            Self::Order { note, .. } => note.as_deref(),
            _ => None,
        }
    }
}
