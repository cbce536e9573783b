//! The only place where a fact meets a session: load, decide, commit in one transaction, poke the workers.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::channel::LineKey;
use shared::session::state::Opening;
use shared::session::{Because, Command, Decision, Poke, decide, pokes};
use shared::{Contact, CustomerAddress, Message, OrgId, Policy, Session, SessionId};

use crate::ports::settings::policy;
use crate::ports::{
    Clock, Commit, Committed, Contacts, Envelope, Job, PortError, PortResult, Queues, Sessions, Settings,
    Target,
};

/// How often a fact is decided again because something moved meanwhile.
const ATTEMPTS: u32 = 5;
/// Open messages read at once; more than a session ever has under way.
const OPEN_MOST: usize = 500;
/// How many sessions in a row, each of reactions only, are looked back over for a reply that waits for the window.
const REACTIONS_ONLY: usize = 5;
/// The longest a queue keeps a job back.
const DELAY_MOST: SignedDuration = SignedDuration::from_mins(15);

/// What `conversation` works with.
#[derive(Clone)]
pub struct Converse {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Sessions and transcripts.
    pub sessions: Arc<dyn Sessions>,
    /// People.
    pub contacts: Arc<dyn Contacts>,
    /// What organisations allow.
    pub settings: Arc<dyn Settings>,
    /// The workers' queues.
    pub queues: Arc<dyn Queues>,
}

/// What came of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The session changed.
    Changed(SessionId),
    /// It did not, and why.
    Unchanged(SessionId, Because),
    /// The fact was written before.
    Duplicate,
    /// There is nothing it could apply to.
    Ignored(&'static str),
}

struct Loaded {
    session: Session,
    open: Vec<Message>,
    policy: Policy,
}

impl Converse {
    /// Applies one fact. Returns an error only when nothing could be written; the same fact may then come again.
    pub async fn handle(&self, envelope: &Envelope) -> PortResult<Outcome> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                self.clock.sleep(SignedDuration::from_millis(20 * i64::from(attempt * attempt))).await;
            }
            let Some(loaded) = self.load(envelope).await? else {
                return Ok(Outcome::Ignored("no such session, line or organisation"));
            };
            if let Some(outcome) = self.attempt(envelope, loaded).await? {
                return Ok(outcome);
            }
        }
        Err(PortError::Unavailable {
            what: "the session",
            why: "it kept moving while a fact was decided".to_owned(),
        })
    }

    /// One decision and its commit; `None` when something moved and it must be decided again.
    async fn attempt(&self, envelope: &Envelope, loaded: Loaded) -> PortResult<Option<Outcome>> {
        let Loaded { session, open, policy } = loaded;
        let now = self.clock.now();
        let decision = decide(&session, &open, &envelope.command, now, &policy);
        if let Some(because) = decision.because {
            // The fact may be here again because an earlier run died before its pokes.
            self.poke(&session, session.version > 0, &policy, now).await?;
            return Ok(Some(Outcome::Unchanged(session.id, because)));
        }
        match self.sessions.commit(&commit(envelope, &session, &decision, now)).await? {
            Committed::Done => {
                let pokes = pokes(&session, &decision, &envelope.command, now, &policy);
                self.send(&session, pokes).await?;
                // A session that opens with a reaction opens the window only later.
                let opens = !session.window_is_open(now) && decision.session.window_is_open(now);
                if session.version == 0 || opens {
                    self.reopen_the_window_of_the_previous(&decision.session).await?;
                }
                Ok(Some(Outcome::Changed(session.id)))
            }
            Committed::Duplicate => {
                self.poke_again(envelope, &session, &policy, now).await?;
                Ok(Some(Outcome::Duplicate))
            }
            Committed::Stale => Ok(None),
        }
    }

    async fn load(&self, envelope: &Envelope) -> PortResult<Option<Loaded>> {
        let Some(org) = self.settings.org(&envelope.org).await? else {
            return unknown_org(&envelope.command);
        };
        let session = match &envelope.target {
            Target::Session(id) => match self.sessions.head(&envelope.org, *id).await? {
                Some(session) => Some(self.with_the_newest_window(session).await?),
                None => None,
            },
            Target::Customer { line, customer } => Some(self.open_or_new(envelope, line, customer).await?),
        };
        let Some(session) = session else { return Ok(None) };
        let line = self.settings.line(&session.line).await?.filter(|line| line.org == envelope.org);
        let policy = match line {
            Some(line) => policy(&org, &line),
            // The line was taken out of service: people may finish what is open, the machine may not go on.
            None => Policy { ai_enabled: false, crm: org.crm, ..Policy::default() },
        };
        let open = open_messages(self.sessions.as_ref(), &session).await?;
        Ok(Some(Loaded { session, open, policy }))
    }

    async fn open_or_new(
        &self,
        envelope: &Envelope,
        line: &LineKey,
        customer: &CustomerAddress,
    ) -> PortResult<Session> {
        let name = match &envelope.command {
            Command::CustomerWrote(message) => message.name.clone(),
            _ => None,
        };
        let contact = self.contact(&envelope.org, customer, name.clone()).await?;
        let latest = match self.sessions.latest_session(&envelope.org, contact.id, line).await? {
            Some(id) => self.sessions.head(&envelope.org, id).await?,
            None => None,
        };
        if let Some(session) = latest.as_ref().filter(|session| !session.is_resolved()) {
            return Ok(session.clone());
        }
        let new = Session::open(Opening {
            org: envelope.org.clone(),
            contact: contact.id,
            line: line.clone(),
            customer: customer.clone(),
            name,
            key: envelope.key.clone().unwrap_or_default(),
            at: self.clock.now(),
        });
        // A first word that opens no window, like a reaction, may still come within the one that is open.
        let last_inbound_at = latest.as_ref().and_then(|session| session.last_inbound_at);
        Ok(Session { previous: latest.map(|session| session.id), last_inbound_at, ..new })
    }

    /// A late word on a resolved session goes by the window that the customer's newest message opened, also when that
    /// message opened another session.
    async fn with_the_newest_window(&self, session: Session) -> PortResult<Session> {
        if !session.is_resolved() {
            return Ok(session);
        }
        let (org, contact, line) = (&session.org, session.contact, &session.line);
        let newest = self.sessions.latest_session(org, contact, line).await?.filter(|id| *id != session.id);
        let Some(newest) = newest else { return Ok(session) };
        let newest = self.sessions.head(org, newest).await?.and_then(|newest| newest.last_inbound_at);
        Ok(Session { last_inbound_at: session.last_inbound_at.max(newest), ..session })
    }

    /// Finds the person behind an address, strongest identity first, or makes one.
    async fn contact(
        &self,
        org: &OrgId,
        address: &CustomerAddress,
        name: Option<String>,
    ) -> PortResult<Contact> {
        let identities = address.identities();
        for identity in &identities {
            let found = self.contacts.by_identity(org, identity).await?;
            if let Some(known) = found.filter(|contact| contact.may_be(address)) {
                let fresh = known.refreshed(address, name);
                if fresh != known {
                    self.contacts.save(&fresh, &identities).await?;
                }
                return Ok(fresh);
            }
        }
        let contact = Contact::new(org, address, name);
        self.contacts.save(&contact, &identities).await?;
        Ok(contact)
    }

    /// A fact that was written before: whoever wrote it may have died before poking, so everything is poked again.
    async fn poke_again(
        &self,
        envelope: &Envelope,
        session: &Session,
        policy: &Policy,
        now: Timestamp,
    ) -> PortResult<()> {
        let written = match session.version {
            0 => self.sessions.head(&envelope.org, session.id).await?,
            _ => Some(session.clone()),
        };
        let Some(written) = written else { return Ok(()) };
        self.poke(&written, true, policy, now).await?;
        self.reopen_the_window_of_the_previous(&written).await
    }

    /// What waited in earlier sessions for the customer to write again may go out now.
    async fn reopen_the_window_of_the_previous(&self, session: &Session) -> PortResult<()> {
        let Some(at) = session.last_inbound_at else { return Ok(()) };
        let mut previous = session.previous;
        for _ in 0..REACTIONS_ONLY {
            let Some(id) = previous else { return Ok(()) };
            let Some(earlier) = self.sessions.head(&session.org, id).await? else { return Ok(()) };
            if earlier.open_from <= earlier.last_seq {
                self.reopen_the_window_of(&earlier, at).await?;
            }
            // One in which the customer said something has let go what waited before it.
            if !earlier.recent_words.is_empty() {
                return Ok(());
            }
            previous = earlier.previous;
        }
        Ok(())
    }

    async fn reopen_the_window_of(&self, session: &Session, at: Timestamp) -> PortResult<()> {
        let envelope = Envelope {
            org: session.org.clone(),
            target: Target::Session(session.id),
            key: None,
            command: Command::WindowReopened { at },
            at: self.clock.now(),
        };
        self.queues.send(&[Job::Command { lane: session.lane(), envelope: Box::new(envelope) }]).await
    }

    async fn poke(&self, session: &Session, exists: bool, policy: &Policy, now: Timestamp) -> PortResult<()> {
        if !exists {
            return Ok(());
        }
        self.send(session, shared::session::pokes::all(session, now, policy)).await
    }

    async fn send(&self, session: &Session, pokes: Vec<Poke>) -> PortResult<()> {
        let jobs: Vec<Job> = pokes.into_iter().map(|poke| job(session, poke)).collect();
        if jobs.is_empty() {
            return Ok(());
        }
        self.queues.send(&jobs).await
    }
}

/// Somebody took the organisation out of the settings, perhaps by mistake: what was acknowledged waits until it is back.
fn unknown_org(command: &Command) -> PortResult<Option<Loaded>> {
    if matches!(command, Command::Woke) {
        return Ok(None);
    }
    let why = "an organisation with waiting messages is not in the settings: put it back".to_owned();
    Err(PortError::Unavailable { what: "the organisation", why })
}

/// The session's messages that still need work on their way to the customer.
pub async fn open_messages(sessions: &dyn Sessions, session: &Session) -> PortResult<Vec<Message>> {
    if session.version == 0 || session.open_from > session.last_seq {
        return Ok(Vec::new());
    }
    let mut messages = sessions.messages(&session.org, session.id, session.open_from, OPEN_MOST).await?;
    messages.retain(Message::is_open);
    Ok(messages)
}

fn commit(envelope: &Envelope, before: &Session, decision: &Decision, now: Timestamp) -> Commit {
    let new = before.version == 0;
    Commit {
        before: before.version,
        session: decision.session.clone(),
        messages: decision.messages.clone(),
        changes: decision.changes.clone(),
        mark: envelope.key.clone(),
        case: new.then(|| shared::crm::case_id(&before.org, before.id)),
        now,
    }
}

fn job(session: &Session, poke: Poke) -> Job {
    let (org, id) = (session.org.clone(), session.id);
    match poke {
        Poke::Deliveries => Job::Deliver { org, session: id },
        Poke::CrmSync => Job::SyncCrm { org, session: id },
        Poke::Turn { number, wait } => Job::Turn { org, session: id, number, wait: wait.min(DELAY_MOST) },
    }
}
