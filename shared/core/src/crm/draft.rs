//! What is written to a CRM, in our words; each vendor maps it to its own columns. Ids are computed, never drawn.

use jiff::Timestamp;
use uuid::Uuid;

use crate::channel::render::shorten;
use crate::contact::CustomerAddress;
use crate::delivery::DeliveryState;
use crate::ids::{ContactId, MessageId, OrgId, SessionId, derive};
use crate::message::{Author, Message};
use crate::session::Session;

/// The id that a session's case has, before it exists.
#[must_use]
pub fn case_id(org: &OrgId, session: SessionId) -> Uuid {
    derive("case", &[org.as_str(), &session.to_string()])
}

/// The id that a message's activity has.
#[must_use]
pub fn activity_id(org: &OrgId, message: MessageId) -> Uuid {
    derive("activity", &[org.as_str(), &message.to_string()])
}

/// The id that a contact has in the CRM when we have to create it.
#[must_use]
pub fn contact_id(org: &OrgId, contact: ContactId) -> Uuid {
    derive("crm contact", &[org.as_str(), &contact.to_string()])
}

/// A person to find or create.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactDraft {
    /// Its id if it has to be created.
    pub id: Uuid,
    /// What to call it.
    pub name: String,
    /// Digits without `+`.
    pub phone: Option<String>,
}

/// A case to create.
#[derive(Clone, PartialEq, Eq)]
pub struct CaseDraft {
    /// Its id.
    pub id: Uuid,
    /// One line.
    pub subject: String,
    /// What a rep reads first.
    pub description: String,
    /// The customer's contact in the CRM.
    pub contact: Option<String>,
    /// When the session began.
    pub opened_at: Timestamp,
}

/// A message to add to a case.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivityDraft {
    /// Its id.
    pub id: Uuid,
    /// The case it belongs to.
    pub case: Uuid,
    /// Who speaks and in which direction.
    pub kind: ActivityKind,
    /// A short line for lists.
    pub title: String,
    /// The words.
    pub text: String,
    /// When it was said.
    pub at: Timestamp,
    /// The customer's contact in the CRM.
    pub contact: Option<String>,
}

/// Who speaks in an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityKind {
    /// The customer.
    FromCustomer,
    /// The assistant or a notice.
    FromAssistant,
    /// A rep, from elsewhere than this CRM.
    FromRep,
    /// Switchboard to the rep.
    Note,
}

// Drafts are made of personal data.
macro_rules! quiet_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("id", &self.id).finish_non_exhaustive()
            }
        }
    )*};
}
quiet_debug!(ContactDraft, CaseDraft, ActivityDraft);

/// The customer as a CRM contact.
#[must_use]
pub fn contact(session: &Session) -> ContactDraft {
    let phone = session.customer.phone().map(str::to_owned);
    let name = session.customer_name.clone().filter(|name| !name.trim().is_empty());
    let shown = name.or_else(|| phone.as_ref().map(|digits| format!("+{digits}")));
    ContactDraft {
        id: contact_id(&session.org, session.contact),
        name: shorten(&shown.unwrap_or_else(|| format!("{} customer", session.channel().label())), 250),
        phone,
    }
}

/// The session as a CRM case.
#[must_use]
pub fn case(session: &Session, first_words: &str, contact: Option<String>) -> CaseDraft {
    let channel = session.channel().label();
    let description =
        session.handoff().map_or_else(|| first_words.to_owned(), |handoff| handoff.summary.clone());
    let line: String = first_words.split_whitespace().collect::<Vec<_>>().join(" ");
    CaseDraft {
        id: case_id(&session.org, session.id),
        subject: shorten(&format!("{channel}: {line}"), 200),
        description,
        contact,
        opened_at: session.opened_at,
    }
}

/// A message as an activity. The first of a case says who the customer is and links the session.
#[must_use]
pub fn activity(
    session: &Session,
    message: &Message,
    first: bool,
    link: &str,
    contact: Option<String>,
) -> ActivityDraft {
    let kind = kind_of(message);
    let channel = session.channel().label();
    let who = match kind {
        ActivityKind::FromCustomer => format!("Customer via {channel}"),
        ActivityKind::FromAssistant => format!("Assistant via {channel}"),
        ActivityKind::FromRep => format!("Rep via {channel}"),
        ActivityKind::Note => "Switchboard".to_owned(),
    };
    let line: String = message.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = format!("{}{}", message.text, fate_of(message));
    if first {
        text.push_str(&format!("\n\n{}\nView session: {link}", identity(channel, &session.customer)));
    }
    ActivityDraft {
        id: activity_id(&session.org, MessageId { session: session.id, seq: message.seq }),
        case: case_id(&session.org, session.id),
        kind,
        title: shorten(&format!("{who}: {line}"), 120),
        text,
        at: message.at,
        contact,
    }
}

fn kind_of(message: &Message) -> ActivityKind {
    match message.author {
        Author::Customer => ActivityKind::FromCustomer,
        Author::Assistant => ActivityKind::FromAssistant,
        Author::Rep => ActivityKind::FromRep,
        // What goes to the customer is a notice; a rep must not take it for a note to themselves.
        Author::System if message.delivery.is_some() => ActivityKind::FromAssistant,
        Author::System => ActivityKind::Note,
    }
}

/// Who the customer is on the channel, for a rep who must recognise or call them.
fn identity(channel: &str, customer: &CustomerAddress) -> String {
    let phone = customer.phone().map(|digits| format!("+{digits}"));
    let user = customer.user_id().map(|id| format!("user id {id}"));
    let known: Vec<String> = [phone, user].into_iter().flatten().collect();
    format!("Customer on {channel}: {}", known.join(", "))
}

/// What became of the message, when it is not simply there.
fn fate_of(message: &Message) -> String {
    let Some(delivery) = &message.delivery else { return String::new() };
    let what = match delivery.state {
        DeliveryState::Held => "waits for the customer to write again",
        DeliveryState::Failed | DeliveryState::Cancelled if delivery.may_have_arrived() => {
            "may have arrived or not, and is not sent again"
        }
        DeliveryState::Failed => "not delivered",
        DeliveryState::Cancelled => "not sent",
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Unknown
        | DeliveryState::Accepted
        | DeliveryState::Sent
        | DeliveryState::Delivered
        | DeliveryState::Read => {
            return if delivery.repeats > 0 {
                "\n\n[possibly delivered twice]".to_owned()
            } else {
                String::new()
            };
        }
    };
    let why = delivery.trouble.as_ref().map(|t| format!(": {}", t.text)).unwrap_or_default();
    format!("\n\n[{what}{why}]")
}
