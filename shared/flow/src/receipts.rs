//! The channel's word on a message that we sent raises its delivery state; ranks only rise.

use std::sync::Arc;

use shared::session::Command;
use shared::{Message, MessageId};

use crate::ports::{Clock, Deliveries, Envelope, Job, PortResult, Queues, Sessions, StatusNote, Target};

/// How often a status is applied again because another writer moved the message meanwhile.
const ATTEMPTS: u32 = 5;

/// What `receipts` works with.
#[derive(Clone)]
pub struct Receipts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Transcripts, to read.
    pub sessions: Arc<dyn Sessions>,
    /// Deliveries.
    pub deliveries: Arc<dyn Deliveries>,
    /// The workers' queues.
    pub queues: Arc<dyn Queues>,
}

/// What came of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The message moved.
    Moved,
    /// It was further already.
    Nothing,
    /// No message is known by this id yet: the status may have overtaken our own record of the send.
    Unknown,
}

impl Receipts {
    /// Applies one status.
    pub async fn handle(&self, note: &StatusNote) -> PortResult<Outcome> {
        for _ in 0..ATTEMPTS {
            let Some((id, message)) = self.find(note).await? else { return Ok(Outcome::Unknown) };
            let Some(before) = &message.delivery else { return Ok(Outcome::Unknown) };
            let now = self.clock.now();
            let next = before.on_receipt(note.receipt, &note.vendor_id, note.trouble.clone(), now);
            let Some(next) = next else { return Ok(Outcome::Nothing) };
            if self.deliveries.advance(&note.org, id, &next).await? {
                let taken_up = next.is_open() && !before.is_open();
                self.tell(note, id, taken_up, !before.is_settled() || !next.is_settled()).await?;
                return Ok(Outcome::Moved);
            }
        }
        Err(crate::ports::PortError::Unavailable {
            what: "the message",
            why: "it kept moving while a status was applied".to_owned(),
        })
    }

    /// The message a status speaks of: by our own id, which the channel gave back, else by the channel's.
    async fn find(&self, note: &StatusNote) -> PortResult<Option<(MessageId, Message)>> {
        let ours = note.callback.as_deref().and_then(|text| text.parse::<MessageId>().ok());
        if let Some(id) = ours
            && let Some(message) = self.read(note, id).await?
        {
            return Ok(Some((id, message)));
        }
        let Some(id) = self.deliveries.by_vendor_id(&note.org, &note.vendor_id).await? else {
            return Ok(None);
        };
        Ok(self.read(note, id).await?.map(|message| (id, message)))
    }

    async fn read(&self, note: &StatusNote, id: MessageId) -> PortResult<Option<Message>> {
        let found = self.sessions.messages(&note.org, id.session, id.seq, 1).await?;
        Ok(found.into_iter().find(|message| message.seq == id.seq))
    }

    /// Wakes whoever waits for this: the next message, the CRM's copy, or, when the channel took back its word, the
    /// session, which thought that the message was done with.
    async fn tell(
        &self,
        note: &StatusNote,
        id: MessageId,
        taken_up: bool,
        fate_changed: bool,
    ) -> PortResult<()> {
        let (org, session) = (note.org.clone(), id.session);
        if taken_up {
            return self.take_up(note, id).await;
        }
        if fate_changed {
            let jobs = [Job::Deliver { org: org.clone(), session }, Job::SyncCrm { org, session }];
            return self.queues.send(&jobs).await;
        }
        Ok(())
    }

    async fn take_up(&self, note: &StatusNote, id: MessageId) -> PortResult<()> {
        let Some(session) = self.sessions.head(&note.org, id.session).await? else { return Ok(()) };
        let envelope = Envelope {
            org: note.org.clone(),
            target: Target::Session(id.session),
            key: None,
            command: Command::DeliveryReopened { seq: id.seq },
            at: note.at,
        };
        self.queues.send(&[Job::Command { lane: session.lane(), envelope: Box::new(envelope) }]).await
    }
}
