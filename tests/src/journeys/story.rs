//! A story under way: one customer, their sessions, and the shell's part of the work around `decide`.

use jiff::Timestamp;
use shared::channel::LineKey;
use shared::channel::window::believed_time;
use shared::crm::Cursor;
use shared::delivery::{Delivery, DeliveryState, Trouble};
use shared::session::state::Opening;
use shared::session::{
    By, CaseClosure, Conclusion, CustomerMessage, DeliveryEnd, Dispatch, Fate, RepReply, decide, dispatch,
    pokes,
};
use shared::{Author, Command, ContactId, CustomerAddress, Message, OrgId, Policy, Session, ids};

use super::copy::bring_up_to_date;
use super::script::{Outcome, Setting, Step, Verb};
use super::show;
use super::words::{beginning, show_time};

/// How often the clock may look in one `wait`. More would be a session that does not come to rest.
const LOOKS: usize = 30;

/// A story under way.
pub struct Story {
    now: Timestamp,
    policy: Policy,
    chapters: Vec<Chapter>,
    facts: u32,
}

/// One session of it.
struct Chapter {
    session: Session,
    messages: Vec<Message>,
    cursor: Cursor,
}

impl Default for Story {
    fn default() -> Self {
        Self::new()
    }
}

impl Story {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new() -> Self {
        let policy = Policy { crm: Some(shared::policy::CrmMode::EveryConversation), ..Policy::default() };
        Self { now: beginning(), policy, chapters: Vec::new(), facts: 0 }
    }

    /// The time of the last step.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What holds from here on.
    pub fn set(&mut self, settings: Vec<Setting>) {
        for setting in settings {
            match setting {
                Setting::Ai(on) => self.policy.ai_enabled = on,
                Setting::Crm(mode) => self.policy.crm = mode,
                Setting::Debounce(wait) => self.policy.debounce = wait,
                Setting::AutoResolve(wait) => self.policy.auto_resolve_after = wait,
            }
        }
    }

    /// Plays a step and says what it did.
    pub fn play(&mut self, step: &Step) -> Result<Vec<String>, String> {
        if let Verb::Wait = step.verb {
            let lines = self.wait(step);
            self.now = step.at;
            return lines;
        }
        self.now = step.at;
        if let Verb::Customer { kind, sent, text } = &step.verb {
            let message = CustomerMessage {
                source: self.fact("wamid"),
                kind: *kind,
                text: text.clone(),
                at: *sent,
                customer: customer(),
                name: None,
            };
            return self.customer_wrote(message);
        }
        let at = self.chapter_of(step)?;
        match &step.verb {
            Verb::Agent { turn, verdict } => {
                let turn = turn.or(self.chapters.get(at).map(|c| c.session.turn.number)).unwrap_or_default();
                let verdict = verdict.clone();
                Ok(self.decide(at, &Command::AgentConcluded(Conclusion { turn, verdict })))
            }
            Verb::Rep(text) => {
                let record = self.fact("record");
                Ok(self.decide(at, &Command::RepReplied(RepReply { record, text: text.clone() })))
            }
            Verb::CaseClosed => {
                Ok(self.decide(at, &Command::CaseClosed(CaseClosure { case: "case".to_owned() })))
            }
            Verb::HandOff => Ok(self.decide(at, &Command::HandoffRequested(by()))),
            Verb::HandBack => Ok(self.decide(at, &Command::HandBackRequested(by()))),
            Verb::Resolve => Ok(self.decide(at, &Command::ResolveRequested(by()))),
            Verb::Wake => Ok(self.decide(at, &Command::Woke)),
            Verb::Send { seq, outcome } => self.send(at, *seq, *outcome),
            Verb::Status { seq, receipt } => {
                let (now, id) = (self.now, self.vendor_id(at, *seq));
                self.advance(at, *seq, |d| d.on_receipt(*receipt, &id, None, now))
            }
            Verb::Crm => Ok(self.sync(at)),
            Verb::Customer { .. } | Verb::Wait => Ok(Vec::new()),
        }
    }

    fn fact(&mut self, what: &str) -> String {
        self.facts += 1;
        format!("{what}.{}", self.facts)
    }

    fn chapter_of(&self, step: &Step) -> Result<usize, String> {
        let number = step.session.unwrap_or(self.chapters.len());
        let at = number.checked_sub(1).filter(|at| *at < self.chapters.len());
        at.ok_or_else(|| format!("there is no session {number} yet"))
    }

    /// The customer's words go to the open session, or open one; what an earlier one holds back may go out with it.
    fn customer_wrote(&mut self, message: CustomerMessage) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        if self.chapters.last().is_none_or(|chapter| chapter.session.is_resolved()) {
            self.chapters.push(Chapter::open(&message.source, self.now)?);
            if self.chapters.len() > 1 {
                lines.push(format!("session {} begins", self.chapters.len()));
            }
        }
        let newest = self.chapters.len() - 1;
        let opens = message.kind.opens_the_window();
        let at = believed_time(Some(message.at), self.now);
        lines.extend(self.decide(newest, &Command::CustomerWrote(message)));
        for earlier in (0..newest).filter(|_| opens) {
            if self.chapters.get(earlier).is_some_and(|chapter| !chapter.open_messages().is_empty()) {
                let effects = self.decide(earlier, &Command::WindowReopened { at });
                lines.extend(effects.iter().map(|line| format!("in session {}: {line}", earlier + 1)));
            }
        }
        Ok(lines)
    }

    fn decide(&mut self, at: usize, command: &Command) -> Vec<String> {
        let Some(chapter) = self.chapters.get_mut(at) else { return Vec::new() };
        let open = chapter.open_messages();
        let decision = decide(&chapter.session, &open, command, self.now, &self.policy);
        let mut lines = show::effects(&chapter.session, &open, &decision, self.now);
        let nudges = pokes(&chapter.session, &decision, command, self.now, &self.policy);
        lines.extend(show::pokes(&nudges).filter(|_| decision.because.is_none()));
        chapter.session = decision.session;
        chapter.messages.extend(decision.messages);
        for change in decision.changes {
            if let Some(message) = chapter.messages.iter_mut().find(|m| m.seq == change.seq) {
                message.delivery = Some(change.delivery);
            }
        }
        lines
    }

    /// The delivery worker: one message, or all in order until one must be waited for.
    fn send(&mut self, at: usize, seq: Option<u64>, outcome: Outcome) -> Result<Vec<String>, String> {
        let open = self.chapters.get(at).map(Chapter::open_messages).unwrap_or_default();
        let mut lines = Vec::new();
        for message in open.iter().filter(|m| seq.is_none_or(|seq| m.seq == seq)) {
            lines.extend(self.work(at, message, outcome)?);
            let after = self.chapters.get(at).and_then(|chapter| chapter.message(message.seq));
            if after.and_then(|m| m.delivery.as_ref()).is_some_and(Delivery::blocks_the_lane) {
                break;
            }
        }
        if lines.is_empty() {
            lines.push("nothing to send".to_owned());
        }
        Ok(lines)
    }

    fn work(&mut self, at: usize, message: &Message, outcome: Outcome) -> Result<Vec<String>, String> {
        let (Some(delivery), Some(chapter)) = (&message.delivery, self.chapters.get(at)) else {
            return Ok(Vec::new());
        };
        let (now, id) = (self.now, self.vendor_id(at, message.seq));
        let due = delivery.look_at.is_none_or(|at| at <= now);
        match delivery.state {
            DeliveryState::Sending if due => self.advance(at, message.seq, |d| Some(d.unknown(now))),
            DeliveryState::Unknown if !due => Ok(Vec::new()),
            DeliveryState::Queued | DeliveryState::Unknown => {
                let wanted = dispatch(&chapter.session, message, now, &self.policy);
                self.advance(at, message.seq, |d| Some(sent(d, message, wanted, outcome, &id, now)))
            }
            DeliveryState::Held if due => self
                .advance(at, message.seq, |d| Some(d.failed(now, Trouble::new("It waited for too long.")))),
            _ => Ok(Vec::new()),
        }
    }

    /// The id under which the channel knows a message: another one for each attempt.
    fn vendor_id(&self, at: usize, seq: u64) -> String {
        let delivery = self.chapters.get(at).and_then(|c| c.message(seq)).and_then(|m| m.delivery.as_ref());
        let attempt = delivery.map_or(0, |d| d.tries + d.repeats);
        format!("wamid.{seq}.{attempt}")
    }

    /// A worker or a status moves a message. What had left and needs work again, and bad news, are facts for the
    /// session.
    fn advance(
        &mut self,
        at: usize,
        seq: u64,
        to: impl FnOnce(&Delivery) -> Option<Delivery>,
    ) -> Result<Vec<String>, String> {
        let message = self.chapters.get_mut(at).and_then(|c| c.messages.iter_mut().find(|m| m.seq == seq));
        let Some((message, before)) = message.and_then(|m| m.delivery.clone().map(|d| (m, d))) else {
            return Err(format!("message {seq} is not for the customer"));
        };
        let Some(after) = to(&before) else { return Ok(vec!["nothing: it was further already".to_owned()]) };
        message.delivery = Some(after.clone());
        let mut lines = vec![show::step(seq, &before, &after)];
        if !before.is_open() && after.is_open() {
            let effects = self.decide(at, &Command::DeliveryReopened { seq });
            lines.extend(effects.into_iter().filter(|line| !line.starts_with("nothing")));
        }
        let fate = match after.state {
            DeliveryState::Failed => Some(Fate::Failed),
            DeliveryState::Held => Some(Fate::Held),
            _ => None,
        };
        if let Some(fate) = fate.filter(|_| !after.reported) {
            let trouble = after.trouble.unwrap_or_else(|| Trouble::new("no reason was given"));
            lines.extend(self.decide(at, &Command::DeliveryEnded(DeliveryEnd { seq, fate, trouble })));
        }
        Ok(lines)
    }

    fn sync(&mut self, at: usize) -> Vec<String> {
        let mode = self.policy.crm;
        let Some(Chapter { session, messages, cursor }) = self.chapters.get_mut(at) else {
            return Vec::new();
        };
        bring_up_to_date(session, messages, cursor, mode)
    }

    /// The clock looks whenever it is due, until the step's time.
    fn wait(&mut self, step: &Step) -> Result<Vec<String>, String> {
        let at = self.chapter_of(step)?;
        let mut lines = Vec::new();
        for _ in 0..LOOKS {
            let wake_at = self.chapters.get(at).and_then(|chapter| chapter.session.wake_at);
            let Some(due) = wake_at.filter(|due| *due <= step.at) else {
                lines.extend(lines.is_empty().then(|| "the clock has nothing to do".to_owned()));
                return Ok(lines);
            };
            self.now = due.max(self.now);
            let effects = self.decide(at, &Command::Woke);
            let time = show_time(self.now, step.at);
            lines.extend(effects.iter().map(|line| format!("{time} {line}")));
        }
        Err(format!("the clock looked {LOOKS} times and the session is not at rest"))
    }
}

/// What becomes of a message that a worker takes in hand.
fn sent(
    delivery: &Delivery,
    message: &Message,
    wanted: Dispatch,
    outcome: Outcome,
    id: &str,
    now: Timestamp,
) -> Delivery {
    let begun = delivery.begun(now);
    match (wanted, outcome) {
        (Dispatch::Cancel(why), _) => delivery.cancelled(why),
        (Dispatch::Hold(why), _) => delivery.held(now, why),
        (Dispatch::Fail(why), _) => delivery.failed(now, why),
        (Dispatch::Send, Outcome::Accepted) => begun.accepted(id),
        (Dispatch::Send, Outcome::Begun) => begun,
        (Dispatch::Send, Outcome::Unknown) => begun.unknown(now),
        (Dispatch::Send, Outcome::Refused) => begun.failed(now, Trouble::new("The channel refused it.")),
        (Dispatch::Send, Outcome::Closed) if message.author == Author::Rep => {
            begun.held(now, Trouble::new("The channel says that the window is closed."))
        }
        (Dispatch::Send, Outcome::Closed) => {
            begun.failed(now, Trouble::new("The channel says that the window is closed."))
        }
    }
}

impl Chapter {
    fn open(key: &str, at: Timestamp) -> Result<Self, String> {
        let opening = Opening {
            org: OrgId::new("acme").map_err(|error| error.to_string())?,
            contact: ContactId(ids::derive("contact", &[])),
            line: LineKey::whatsapp("880200000000011"),
            customer: customer(),
            name: None,
            key: key.to_owned(),
            at,
        };
        Ok(Self { session: Session::open(opening), messages: Vec::new(), cursor: Cursor::default() })
    }

    /// The messages that the shell hands to `decide`.
    fn open_messages(&self) -> Vec<Message> {
        let from = self.session.open_from;
        self.messages.iter().filter(|m| m.seq >= from && m.is_open()).cloned().collect()
    }

    fn message(&self, seq: u64) -> Option<&Message> {
        self.messages.iter().find(|m| m.seq == seq)
    }
}

fn customer() -> CustomerAddress {
    CustomerAddress::Whatsapp { user_id: Some("US.1".to_owned()), phone: Some("12025550142".to_owned()) }
}

fn by() -> By {
    By { via: "inbox".to_owned() }
}
