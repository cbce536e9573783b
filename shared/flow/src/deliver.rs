//! Takes a session's messages to the customer, in order, each at most once but for one counted repeat.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::delivery::{Delivery, DeliveryState, REPEATS, SEND_LIMIT, Trouble};
use shared::session::{Command, DeliveryEnd, Dispatch, Fate, dispatch};
use shared::{Author, Message, MessageId, OrgId, Policy, Session, SessionId};

use crate::backoff::{at, doubling};
use crate::converse::open_messages;
use crate::ports::settings::policy;
use crate::ports::{
    ChannelSender, Clock, Deliveries, Envelope, Job, Outgoing, PortResult, Queues, SendError, Sessions,
    Settings, Target,
};
use crate::shift::Shift;

/// How long a worker keeps the lane without renewing it: one send and the writing down.
const LANE: SignedDuration = SignedDuration::from_secs(30);
/// The most steps of one run; the rest is the next run's.
const STEPS: usize = 100;
/// How often a worker that was turned away by compare-and-set, or found new work after releasing, starts over.
const ROUNDS: usize = 20;
/// How long to wait while a credential is broken. It is probed, not used up.
const PROBE: SignedDuration = SignedDuration::from_secs(60);

/// What `delivery` works with.
#[derive(Clone)]
pub struct Deliver {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Sessions and transcripts, to read.
    pub sessions: Arc<dyn Sessions>,
    /// Deliveries.
    pub deliveries: Arc<dyn Deliveries>,
    /// What organisations allow.
    pub settings: Arc<dyn Settings>,
    /// The channel.
    pub channel: Arc<dyn ChannelSender>,
    /// The other workers' queues.
    pub queues: Arc<dyn Queues>,
}

/// What a look at the lane came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Something moved; look again.
    Moved,
    /// Nothing can be done now.
    Idle,
}

impl Deliver {
    /// Works the session's lane until nothing can be done now. A lane that another worker has is left to it.
    pub async fn handle(&self, org: &OrgId, id: SessionId, shift: &Shift) -> PortResult<()> {
        for _ in 0..ROUNDS {
            let now = self.clock.now();
            if !self.deliveries.take_lane(org, id, &shift.who, now, at(now, LANE)).await? {
                return Ok(());
            }
            let worked = self.work(org, id, shift).await;
            self.deliveries.release_lane(org, id, &shift.who).await?;
            worked?;
            // Whoever came while the lane was taken left at once, so their work is looked for here.
            let Some(session) = self.sessions.head(org, id).await? else { return Ok(()) };
            let open = open_messages(self.sessions.as_ref(), &session).await?;
            if !shift.has_time_for(SEND_LIMIT, self.clock.now()) || next(&open, self.clock.now()).is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn work(&self, org: &OrgId, id: SessionId, shift: &Shift) -> PortResult<()> {
        let Some(mut session) = self.sessions.head(org, id).await? else { return Ok(()) };
        for _ in 0..STEPS {
            let now = self.clock.now();
            if !shift.has_time_for(SEND_LIMIT, now) {
                // What is left keeps its own time; this only makes it faster.
                return self.queues.send(&[Job::Deliver { org: org.clone(), session: id }]).await;
            }
            let open = open_messages(self.sessions.as_ref(), &session).await?;
            let Some(message) = next(&open, now) else { return self.let_wait(&session, &open, now).await };
            if !self.deliveries.take_lane(org, id, &shift.who, now, at(now, LANE)).await? {
                return Ok(());
            }
            // Read after the message: a decision that this head lacks and that touched the message makes our move
            // fail, so what is decided here is never older than the message.
            let Some(fresh) = self.sessions.head(org, id).await? else { return Ok(()) };
            session = fresh;
            if self.step(&session, message, now).await? == Step::Idle {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Messages behind one that must be waited for are due when that one is: until then nobody need look.
    async fn let_wait(&self, session: &Session, open: &[Message], now: Timestamp) -> PortResult<()> {
        let blocks = |m: &&Message| m.delivery.as_ref().is_some_and(Delivery::blocks_the_lane);
        let Some(blocker) = open.iter().find(blocks) else { return Ok(()) };
        let Some(until) = blocker.delivery.as_ref().and_then(|d| d.look_at).filter(|at| *at > now) else {
            return Ok(());
        };
        for message in open.iter().filter(|m| m.seq > blocker.seq) {
            let overdue =
                |d: &&Delivery| d.state == DeliveryState::Queued && d.look_at.is_some_and(|at| at <= now);
            if let Some(delivery) = message.delivery.as_ref().filter(overdue) {
                self.advance(session, message, &delivery.waiting_until(until)).await?;
            }
        }
        Ok(())
    }

    async fn step(&self, session: &Session, message: &Message, now: Timestamp) -> PortResult<Step> {
        let Some(delivery) = &message.delivery else { return Ok(Step::Idle) };
        match delivery.state {
            DeliveryState::Queued => self.send_if_wanted(session, message, delivery, now).await,
            // The worker that began the call is gone: whether it arrived is not known, and never assumed.
            DeliveryState::Sending => self.advance(session, message, &delivery.unknown(now)).await,
            DeliveryState::Unknown if delivery.repeats < REPEATS => {
                self.send_if_wanted(session, message, delivery, now).await
            }
            DeliveryState::Unknown => {
                let why = "WhatsApp never confirmed it, and it was sent twice already: it may or may not have arrived.";
                self.end(session, message, &delivery.failed(now, Trouble::new(why))).await
            }
            DeliveryState::Held if !delivery.reported => {
                self.report(session, message, Fate::Held, delivery, now).await
            }
            DeliveryState::Held => {
                let why = "The customer did not write again within 7 days, so the reply was given up.";
                self.end(session, message, &delivery.failed(now, Trouble::new(why))).await
            }
            DeliveryState::Failed => self.report(session, message, Fate::Failed, delivery, now).await,
            DeliveryState::Accepted
            | DeliveryState::Sent
            | DeliveryState::Delivered
            | DeliveryState::Read
            | DeliveryState::Cancelled => Ok(Step::Idle),
        }
    }

    async fn send_if_wanted(
        &self,
        session: &Session,
        message: &Message,
        delivery: &Delivery,
        now: Timestamp,
    ) -> PortResult<Step> {
        match dispatch(session, message, now, &self.policy(session).await?) {
            Dispatch::Send => self.send(session, message, delivery, now).await,
            Dispatch::Cancel(why) => self.end(session, message, &delivery.cancelled(why)).await,
            Dispatch::Hold(why) => self.end(session, message, &delivery.held(now, why)).await,
            Dispatch::Fail(why) => self.end(session, message, &delivery.failed(now, why)).await,
        }
    }

    /// Writes the intent, makes the call, writes what came of it.
    async fn send(
        &self,
        session: &Session,
        message: &Message,
        delivery: &Delivery,
        now: Timestamp,
    ) -> PortResult<Step> {
        let begun = delivery.begun(now);
        let id = MessageId { session: session.id, seq: message.seq };
        if !self.deliveries.advance(&session.org, id, &begun).await? {
            return Ok(Step::Moved);
        }
        // A worker that was frozen between intent and call must not call after its lease: others may have settled it.
        if self.clock.now().duration_since(now) > SEND_LIMIT {
            return Ok(Step::Moved);
        }
        let (org, line, to) = (&session.org, &session.line, &session.customer);
        let outgoing = Outgoing { org, line, to, text: &message.text, id };
        let outcome = self.channel.send(&outgoing).await;
        let now = self.clock.now();
        tracing::info!(session.id = %session.id, seq = message.seq, ok = outcome.is_ok(), "send attempted");
        match outcome {
            Ok(vendor_id) => self.end(session, message, &begun.accepted(&vendor_id)).await,
            Err(error) => self.after_failure(session, message, &begun, error, now).await,
        }
    }

    async fn after_failure(
        &self,
        session: &Session,
        message: &Message,
        begun: &Delivery,
        error: SendError,
        now: Timestamp,
    ) -> PortResult<Step> {
        tracing::warn!(session.id = %session.id, seq = message.seq, error = %error, "send failed");
        let key = format!("{}:{}", session.id, message.seq);
        match error {
            SendError::NeverSent(why) => {
                let wait = doubling(
                    SignedDuration::from_millis(400),
                    SignedDuration::from_secs(30),
                    begun.tries,
                    &key,
                );
                self.advance(session, message, &begun.postponed(at(now, wait), Trouble::new(why), true)).await
            }
            SendError::Throttled { after, trouble } => {
                let own =
                    doubling(SignedDuration::from_secs(1), SignedDuration::from_secs(60), begun.tries, &key);
                self.advance(session, message, &begun.postponed(at(now, own.max(after)), trouble, true)).await
            }
            SendError::Unknown(_) => self.advance(session, message, &begun.unknown(now)).await,
            SendError::Credentials(trouble) => {
                metrics::counter!("IntegrationBroken", "Vendor" => "whatsapp").increment(1);
                tracing::error!(org = %session.org, line = %session.line, code = trouble.code, "line is broken: {}", trouble.text);
                self.advance(session, message, &begun.postponed(at(now, PROBE), trouble, false)).await
            }
            SendError::WindowClosed(trouble) if message.author == Author::Rep => {
                self.end(session, message, &begun.held(now, trouble)).await
            }
            SendError::WindowClosed(trouble) | SendError::Refused(trouble) => {
                self.end(session, message, &begun.failed(now, trouble)).await
            }
        }
    }

    async fn advance(&self, session: &Session, message: &Message, to: &Delivery) -> PortResult<Step> {
        let id = MessageId { session: session.id, seq: message.seq };
        self.deliveries.advance(&session.org, id, to).await?;
        Ok(Step::Moved)
    }

    /// A move after which the message's fate is known, so the CRM's copy may go on.
    async fn end(&self, session: &Session, message: &Message, to: &Delivery) -> PortResult<Step> {
        self.advance(session, message, to).await?;
        let job = Job::SyncCrm { org: session.org.clone(), session: session.id };
        self.queues.send(&[job]).await?;
        Ok(Step::Moved)
    }

    /// Bad news that the session has not been told. It stays open until the decision that takes note of it is written.
    async fn report(
        &self,
        session: &Session,
        message: &Message,
        fate: Fate,
        delivery: &Delivery,
        now: Timestamp,
    ) -> PortResult<Step> {
        self.tell(session, message, fate, delivery).await?;
        self.advance(session, message, &delivery.telling(now)).await
    }

    async fn tell(
        &self,
        session: &Session,
        message: &Message,
        fate: Fate,
        delivery: &Delivery,
    ) -> PortResult<()> {
        let trouble = delivery.trouble.clone().unwrap_or_else(|| Trouble::new("no reason was given"));
        let end = DeliveryEnd { seq: message.seq, fate, trouble };
        let envelope = Envelope {
            org: session.org.clone(),
            target: Target::Session(session.id),
            key: None,
            command: Command::DeliveryEnded(end),
            at: self.clock.now(),
        };
        self.queues.send(&[Job::Command { lane: session.lane(), envelope: Box::new(envelope) }]).await
    }

    async fn policy(&self, session: &Session) -> PortResult<Policy> {
        let org = self.settings.org(&session.org).await?;
        let line = self.settings.line(&session.line).await?.filter(|line| line.org == session.org);
        Ok(match (org, line) {
            (Some(org), Some(line)) => policy(&org, &line),
            (_, _) => Policy::default(),
        })
    }
}

/// The message to work on now: the first that can move, unless an earlier one must be waited for.
fn next(open: &[Message], now: Timestamp) -> Option<&Message> {
    let mut blocked = false;
    for message in open {
        let Some(delivery) = &message.delivery else { continue };
        if !blocked && is_due(delivery, now) {
            return Some(message);
        }
        blocked |= delivery.blocks_the_lane();
        // Held and failed messages keep nobody waiting, and are looked at even behind one that does.
        if blocked && !delivery.blocks_the_lane() && is_due(delivery, now) {
            return Some(message);
        }
    }
    None
}

fn is_due(delivery: &Delivery, now: Timestamp) -> bool {
    let reached = delivery.look_at.is_none_or(|at| at <= now);
    match delivery.state {
        // A fresh message goes at once; its time is only for the case that nobody came. A postponed one waits.
        DeliveryState::Queued => delivery.trouble.is_none() || reached,
        DeliveryState::Sending | DeliveryState::Unknown | DeliveryState::Held => reached,
        DeliveryState::Failed => !delivery.reported && reached,
        DeliveryState::Accepted
        | DeliveryState::Sent
        | DeliveryState::Delivered
        | DeliveryState::Read
        | DeliveryState::Cancelled => false,
    }
}
