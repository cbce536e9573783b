//! The sessions as the commits and moves make them: versions rise by one, and deciding again gives the same.

use std::collections::BTreeMap;

use shared::channel::LineKey;
use shared::crm::{activity_id, case_id};
use shared::session::state::Opening;
use shared::{ContactId, Message, MessageId, OrgId, Session, SessionId, decide};
use shared_flow::ports::Committed;
use uuid::Uuid;

use super::{Evidence, Findings};
use crate::sim::history::{Committing, Entry, Event, short};
use crate::sim::scenario::Scenario;
use crate::sim::whatsapp::markers;

/// The most that one fact may add to a transcript.
const CONSEQUENCES: usize = 12;

/// A session as it should be stored.
pub(super) struct Known {
    pub(super) head: Session,
    pub(super) messages: BTreeMap<u64, Message>,
    /// The customer whose words it holds, by number.
    pub(super) customer: Option<usize>,
}

/// All sessions so far.
#[derive(Default)]
pub(super) struct Fold {
    sessions: BTreeMap<SessionId, Known>,
    /// Whose each case is, and which message each record in the CRM, by the ids computed for them.
    cases: BTreeMap<(OrgId, Uuid), SessionId>,
    records: BTreeMap<Uuid, MessageId>,
}

impl Fold {
    /// The session of this id, if it exists by now.
    pub(super) fn session(&self, id: SessionId) -> Option<&Known> {
        self.sessions.get(&id)
    }

    /// The session whose case this is.
    pub(super) fn of_case(&self, org: &OrgId, case: Uuid) -> Option<&Known> {
        self.sessions.get(self.cases.get(&(org.clone(), case))?)
    }

    /// The message that is filed under this record.
    pub(super) fn of_record(&self, record: Uuid) -> Option<MessageId> {
        self.records.get(&record).copied()
    }

    /// All sessions.
    pub(super) fn all(&self) -> impl Iterator<Item = &Known> {
        self.sessions.values()
    }

    pub(super) fn see(&mut self, entry: &Entry, evidence: &Evidence<'_>, findings: &mut Findings) {
        match &entry.event {
            Event::Committed(committing) if committing.outcome == Committed::Done => {
                self.check(entry, committing, evidence, findings);
                self.apply(committing, evidence.scenario);
            }
            Event::Moved { id, to, won: true, .. } => {
                let known = self.sessions.get_mut(&id.session);
                if let Some(message) = known.and_then(|known| known.messages.get_mut(&id.seq)) {
                    message.delivery = Some((**to).clone());
                }
            }
            _ => {}
        }
    }

    fn check(&self, entry: &Entry, made: &Committing, evidence: &Evidence<'_>, findings: &mut Findings) {
        let after = &made.commit.session;
        let name = || format!("{} of {}", made.command.name(), short(after.id));
        let known = self.sessions.get(&after.id);
        let version = known.map_or(0, |known| known.head.version);
        let rises = version == made.commit.before && after.version == version + 1;
        findings.expect(rises, "I14", entry.at, || {
            format!("{}: version {version} was followed by {}", name(), after.version)
        });
        let few = made.commit.messages.len() <= CONSEQUENCES;
        findings.expect(few, "I7", entry.at, || {
            format!("{} added {} messages", name(), made.commit.messages.len())
        });
        if known.is_none() {
            self.check_alone(entry, after, evidence, findings);
        }
        let before = known.map(|known| self.as_loaded(known, after)).or_else(|| self.opened(made));
        let Some(before) = before else { return };
        let again = decide(&before, &made.open, &made.command, made.commit.now, &made.policy);
        let same = again.session == *after
            && again.messages == made.commit.messages
            && again.changes == made.commit.changes;
        findings.expect(same, "I14", entry.at, || format!("{}: deciding again gives something else", name()));
    }

    /// The head as a decision met it: one that is over borrows the reply window of the customer's newest session.
    fn as_loaded(&self, known: &Known, after: &Session) -> Session {
        let head = &known.head;
        let theirs = self.all().map(|other| &other.head);
        let mut later = theirs.filter(|other| other.contact == head.contact && other.line == head.line);
        let borrows = head.is_resolved() && later.any(|other| other.last_inbound_at >= after.last_inbound_at);
        let last_inbound_at = if borrows { after.last_inbound_at } else { head.last_inbound_at };
        Session { last_inbound_at, ..head.clone() }
    }

    /// The session that a first fact meets: it knows the one before and its reply window.
    fn opened(&self, made: &Committing) -> Option<Session> {
        let after = &made.commit.session;
        let name = match &made.command {
            shared::Command::CustomerWrote(message) => message.name.clone(),
            _ => None,
        };
        let new = Session::open(Opening {
            org: after.org.clone(),
            contact: after.contact,
            line: after.line.clone(),
            customer: made.customer.clone()?,
            name,
            key: made.key.clone().unwrap_or_default(),
            at: after.opened_at,
        });
        let previous = after.previous.and_then(|id| self.sessions.get(&id));
        let last_inbound_at = previous.and_then(|known| known.head.last_inbound_at);
        Some(Session { previous: after.previous, last_inbound_at, ..new })
    }

    /// A customer has one open session on a line.
    fn check_alone(&self, entry: &Entry, new: &Session, evidence: &Evidence<'_>, findings: &mut Findings) {
        let scenario = evidence.scenario;
        let who = |session: &Session| {
            let customer = scenario.customer_at(&session.line, &session.customer)?;
            scenario.customers.get(customer).filter(|c| c.is_always_the_same()).map(|_| customer)
        };
        let of = |session: &Session| -> (OrgId, ContactId, LineKey) {
            (session.org.clone(), session.contact, session.line.clone())
        };
        let open = self.all().filter(|known| !known.head.is_resolved()).map(|known| &known.head);
        let mut others = open.filter(|head| {
            of(head) == of(new) || (head.line == new.line && who(new).is_some() && who(head) == who(new))
        });
        let other = others.next();
        findings.expect(other.is_none() || new.is_resolved(), "I6", entry.at, || {
            let other = other.map(|head| short(head.id)).unwrap_or_default();
            format!("{} opens while {other} of the same customer is open", short(new.id))
        });
    }

    fn apply(&mut self, made: &Committing, scenario: &Scenario) {
        let head = made.commit.session.clone();
        if made.commit.before == 0 {
            self.cases.insert((head.org.clone(), case_id(&head.org, head.id)), head.id);
        }
        for message in made.commit.messages.iter().filter(|m| m.is_for_the_rep()) {
            let id = MessageId { session: head.id, seq: message.seq };
            self.records.insert(activity_id(&head.org, id), id);
        }
        let known = self.sessions.entry(head.id).or_insert_with(|| Known {
            customer: None,
            head: head.clone(),
            messages: BTreeMap::new(),
        });
        known.head = head;
        for message in &made.commit.messages {
            if known.customer.is_none() {
                known.customer = writer(scenario, message);
            }
            known.messages.insert(message.seq, message.clone());
        }
        for change in &made.commit.changes {
            if let Some(message) = known.messages.get_mut(&change.seq) {
                message.delivery = Some(change.delivery.clone());
            }
        }
    }

    /// What is stored is what was committed.
    pub(super) fn finish(&self, evidence: &Evidence<'_>, findings: &mut Findings) {
        let end = evidence.entries.last().map_or(evidence.scenario.stop, |entry| entry.at);
        let stored = evidence.store.all_sessions();
        findings.expect(stored.len() == self.sessions.len(), "I14", end, || {
            format!("{} sessions are stored, {} were committed", stored.len(), self.sessions.len())
        });
        for head in stored {
            let Some(known) = self.sessions.get(&head.id) else { continue };
            findings.expect(known.head == head, "I14", end, || {
                format!("the head of {} is not what was committed", short(head.id))
            });
            let transcript = evidence.store.transcript(&head.org, head.id);
            let same = transcript.iter().eq(known.messages.values());
            findings.expect(same, "I14", end, || {
                format!("the transcript of {} is not what was committed", short(head.id))
            });
        }
    }
}

/// The customer whose marker a message carries.
fn writer(scenario: &Scenario, message: &Message) -> Option<usize> {
    let marker = markers(&message.text).pop()?;
    scenario.customers.iter().position(|customer| belongs(&marker, &customer.tag))
}

/// Whether a marker is that of the customer with this tag.
pub(super) fn belongs(marker: &str, tag: &str) -> bool {
    marker.strip_prefix(tag).is_some_and(|rest| rest.starts_with('/'))
}
