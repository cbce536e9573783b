//! What was put aside, parked or as a dead letter, in one shape: where it is, since when, why, and what it would do.

use sha2::{Digest, Sha256};
use shared::{OrgId, Timestamp};
use shared_aws::bodies::{Bodies, ParkedObject};
use shared_aws::sqs::{self, Letter, Queue};
use shared_flow::ports::{Job, Parked, PortError, PortResult};

use super::rule::named;

/// Where intake parks what it cannot read.
pub const WEBHOOKS: &str = "webhooks/whatsapp";

/// Something that was put aside.
pub struct Item {
    /// Its name for an operator, the same at every look.
    pub id: String,
    /// The queue that it came from, or [`WEBHOOKS`].
    pub from: String,
    /// Since when it is there; a dead letter: when it was first sent, as far as the queue knows.
    pub since: Option<Timestamp>,
    /// Why it was put aside.
    pub why: String,
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub content: Content,
}

/// Where something was put aside.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// Under this key of the bucket.
    Parked(String),
    /// In a queue of dead letters, received under this receipt.
    Letter {
        /// The queue's address.
        url: String,
        /// Names this receiving of it.
        receipt: String,
    },
}

impl Place {
    /// In a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Parked(_) => "parked",
            Self::Letter { .. } => "dead letter",
        }
    }
}

/// What was put aside.
pub enum Content {
    /// A job of a queue.
    Job(Box<Job>),
    /// A genuine webhook, or a part of one.
    Webhook(Box<Parked>),
    /// Nothing that this version can read, and why.
    Unreadable(String),
}

impl Content {
    /// What it is and whose, without anything that it carries.
    #[must_use]
    pub fn named(&self) -> (&'static str, Option<&OrgId>) {
        match self {
            Self::Job(job) => {
                let (name, org) = named(job);
                (name, Some(org))
            }
            Self::Webhook(parked) => ("webhook", parked.org.as_ref()),
            Self::Unreadable(_) => ("unreadable", None),
        }
    }
}

/// Which items are meant.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Only what came from here.
    pub from: Option<String>,
    /// Only these.
    pub ids: Vec<String>,
}

impl Which {
    /// Whether this item is meant.
    #[must_use]
    pub fn means(&self, item: &Item) -> bool {
        let from = self.from.as_ref().is_none_or(|from| *from == item.from);
        from && (self.ids.is_empty() || self.ids.contains(&item.id))
    }

    /// Whether anything of this queue may be meant.
    #[must_use]
    pub fn means_queue(&self, queue: Queue) -> bool {
        self.from.as_ref().is_none_or(|from| from == queue.name())
    }
}

/// A parked original; `None` when somebody removed it meanwhile.
pub async fn parked(bodies: &Bodies, object: &ParkedObject) -> PortResult<Option<Item>> {
    let id = short(&object.key);
    let place = Place::Parked(object.key.clone());
    let parked = match bodies.read_parked(&object.key).await {
        Ok(Some(parked)) => parked,
        Ok(None) => return Ok(None),
        Err(PortError::Unreadable { why, .. }) => {
            let (from, since) = ("?".to_owned(), object.stored_at);
            let content = Content::Unreadable(why.clone());
            return Ok(Some(Item { id, from, since, why, place, content }));
        }
        Err(error) => return Err(error),
    };
    let (from, why, since) = (parked.source.clone(), parked.reason.clone(), Some(parked.at));
    let content = if parked.source == WEBHOOKS {
        Content::Webhook(Box::new(parked))
    } else {
        job(&String::from_utf8_lossy(&parked.original), bodies).await?
    };
    Ok(Some(Item { id, from, since, why, place, content }))
}

/// A dead letter.
pub async fn letter(bodies: &Bodies, queue: Queue, url: &str, letter: Letter) -> PortResult<Item> {
    let Letter { receipt, body, sent_at, receives } = letter;
    Ok(Item {
        id: short(&body),
        from: queue.name().to_owned(),
        since: sent_at,
        why: format!("no run finished it (received {receives} times, looks included)"),
        place: Place::Letter { url: url.to_owned(), receipt },
        content: job(&body, bodies).await?,
    })
}

async fn job(body: &str, bodies: &Bodies) -> PortResult<Content> {
    match sqs::read(body, bodies).await {
        Ok(job) => Ok(Content::Job(Box::new(job))),
        Err(PortError::Unreadable { why, .. }) => Ok(Content::Unreadable(why)),
        Err(error) => Err(error),
    }
}

/// A name to type: the beginning of a digest, so that it is the same wherever and whenever the item is seen.
fn short(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A parked item with this content.
    pub(in crate::deployed::redrive) fn item(id: &str, from: &str, content: Content) -> Item {
        let since = Some(Timestamp::UNIX_EPOCH);
        let (id, from, why) = (id.to_owned(), from.to_owned(), "the handler panicked".to_owned());
        Item { id, from, since, why, place: Place::Parked("parked/x.json".to_owned()), content }
    }

    #[test]
    fn only_what_is_meant_is_meant() {
        let item = item("a1", "turns", Content::Unreadable(String::new()));
        let which = |from: Option<&str>, ids: &[&str]| Which {
            from: from.map(str::to_owned),
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        for (which, meant) in [
            (which(None, &[]), true),
            (which(Some("turns"), &[]), true),
            (which(Some("receipts"), &[]), false),
            (which(None, &["b2", "a1"]), true),
            (which(None, &["b2"]), false),
            (which(Some("receipts"), &["a1"]), false),
        ] {
            assert_eq!(which.means(&item), meant, "{which:?}");
        }
        assert!(which(Some("turns"), &[]).means_queue(Queue::Turns));
        assert!(!which(Some(WEBHOOKS), &[]).means_queue(Queue::Turns));
    }
}
