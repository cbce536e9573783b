//! One session moved by facts, workers and receipts, as the shell moves it. Every decision is held against the laws.

use jiff::{SignedDuration, Timestamp};
use shared::channel::LineKey;
use shared::delivery::Trouble;
use shared::session::state::Opening;
use shared::session::{
    By, CaseClosure, Conclusion, CustomerMessage, DeliveryEnd, Dispatch, Fate, RepReply, decide, dispatch,
};
use shared::{
    Author, Command, ContactId, CustomerAddress, Delivery, DeliveryState, Kind, Message, OrgId, Policy,
    Session, State, ids,
};

use crate::acts::{Act, Sent};
use crate::law;

/// What is stored, and the time.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    pub now: Timestamp,
    pub session: Session,
    pub messages: Vec<Message>,
    pub policy: Policy,
    /// The last turn that the session had been asked for when it last left the machine.
    pub turns_over: u32,
    facts: u32,
}

impl World {
    pub fn new() -> Self {
        let now = Timestamp::from_second(1_794_819_600).unwrap();
        let opening = Opening {
            org: OrgId::new("acme").unwrap(),
            contact: ContactId(ids::derive("contact", &[])),
            line: LineKey::whatsapp("880200000000011"),
            customer: customer(),
            name: None,
            key: "first".to_owned(),
            at: now,
        };
        let (session, policy) = (Session::open(opening), Policy::default());
        Self { now, session, messages: Vec::new(), policy, turns_over: 0, facts: 0 }
    }

    /// What the shell hands to `decide`.
    pub fn open(&self) -> Vec<Message> {
        let from = self.session.open_from;
        self.messages.iter().filter(|m| m.seq >= from && m.is_open()).cloned().collect()
    }

    pub fn act(&mut self, wait: SignedDuration, act: &Act) {
        self.now = self.now.checked_add(wait).unwrap();
        match act {
            Act::Customer { kind, text, minutes_late } => self.customer(*kind, text, *minutes_late),
            Act::Agent { turns_ago, verdict } => {
                let turn = self.session.turn.number.saturating_sub(*turns_ago);
                self.decide(&Command::AgentConcluded(Conclusion { turn, verdict: verdict.clone() }));
            }
            Act::Rep { text } => {
                let record = self.fact();
                self.decide(&Command::RepReplied(RepReply { record, text: text.clone() }));
            }
            Act::CaseClosed => self.decide(&Command::CaseClosed(CaseClosure { case: "case".to_owned() })),
            Act::HandOff => self.decide(&Command::HandoffRequested(by())),
            Act::HandBack => self.decide(&Command::HandBackRequested(by())),
            Act::Resolve => self.decide(&Command::ResolveRequested(by())),
            Act::Woke => self.decide(&Command::Woke),
            Act::WroteElsewhere => self.decide(&Command::WindowReopened { at: self.now }),
            Act::Worker { pick, sent } => self.work(*pick, *sent),
            Act::Status { pick, receipt, attempt } => {
                let Some(at) = self.pick(*pick, |m| m.delivery.is_some()) else { return };
                let id = format!("wamid.{at}.{attempt}");
                let now = self.now;
                self.advance(at, |d| d.on_receipt(*receipt, &id, None, now));
            }
            Act::Switch { ai } => self.policy.ai_enabled = *ai,
        }
    }

    fn fact(&mut self) -> String {
        self.facts += 1;
        format!("fact {}", self.facts)
    }

    fn customer(&mut self, kind: Kind, text: &str, minutes_late: i64) {
        let message = CustomerMessage {
            source: self.fact(),
            kind,
            text: text.to_owned(),
            at: self.now.checked_sub(SignedDuration::from_mins(minutes_late)).unwrap(),
            customer: customer(),
            name: None,
        };
        self.decide(&Command::CustomerWrote(message));
    }

    fn decide(&mut self, command: &Command) {
        let decision = decide(&self.session, &self.open(), command, self.now, &self.policy);
        law::of_a_decision(self, command, &decision);
        let was_machines = matches!(self.session.state, State::Assistant);
        self.session = decision.session;
        self.messages.extend(decision.messages);
        for change in decision.changes {
            let at = self.messages.iter().position(|m| m.seq == change.seq).unwrap();
            self.messages[at].delivery = Some(change.delivery);
        }
        if was_machines && !matches!(self.session.state, State::Assistant) {
            self.turns_over = self.session.turn.number;
        }
        law::of_a_world(self);
    }

    /// The delivery worker looks at one message and does what there is to do now.
    pub fn work(&mut self, pick: usize, sent: Sent) {
        let Some(at) = self.pick(pick, Message::is_open) else { return };
        let message = self.messages[at].clone();
        let delivery = message.delivery.clone().unwrap();
        let (now, due) = (self.now, delivery.look_at.is_none_or(|at| at <= self.now));
        match delivery.state {
            DeliveryState::Queued => self.send_if_wanted(at, &message, sent),
            DeliveryState::Sending if due => self.advance(at, |d| Some(d.unknown(now))),
            DeliveryState::Unknown if due => self.send_if_wanted(at, &message, sent),
            DeliveryState::Failed => self.report(&message, Fate::Failed),
            DeliveryState::Held if !delivery.reported => self.report(&message, Fate::Held),
            DeliveryState::Held if due => self.advance(at, |d| Some(d.failed(now, Trouble::new("given up")))),
            _ => {}
        }
    }

    fn send_if_wanted(&mut self, at: usize, message: &Message, sent: Sent) {
        let (now, id) = (self.now, format!("wamid.{at}.{}", message.delivery.as_ref().unwrap().tries));
        let wanted = dispatch(&self.session, message, now, &self.policy);
        self.advance(at, |d| {
            Some(match (wanted, sent) {
                (Dispatch::Cancel(why), _) => d.cancelled(why),
                (Dispatch::Hold(why), _) => d.held(now, why),
                (Dispatch::Fail(why), _) => d.failed(now, why),
                (Dispatch::Send, Sent::Accepted) => d.begun(now).accepted(&id),
                (Dispatch::Send, Sent::Unknown) => d.begun(now).unknown(now),
                (Dispatch::Send, Sent::Refused) => d.begun(now).failed(now, Trouble::new("refused")),
                (Dispatch::Send, Sent::Later) => d.begun(now).postponed(now, Trouble::new("busy"), true),
                (Dispatch::Send, Sent::WindowClosed) if message.author == Author::Rep => {
                    d.begun(now).held(now, Trouble::new("closed"))
                }
                (Dispatch::Send, Sent::WindowClosed) => d.begun(now).failed(now, Trouble::new("closed")),
                (Dispatch::Send, Sent::Crashed) => d.begun(now),
            })
        });
    }

    fn report(&mut self, message: &Message, fate: Fate) {
        let before = self.messages.len();
        // What a vendor says of a failure may hold anything.
        let trouble = Trouble::new("it did \u{202E}not work");
        let news = Command::DeliveryEnded(DeliveryEnd { seq: message.seq, fate, trouble });
        self.decide(&news);
        assert!(self.messages.len() > before, "bad news is never swallowed: {message:?}");
        let version = self.session.version;
        self.decide(&news);
        assert_eq!(self.session.version, version, "the same news counts once");
    }

    /// A writer other than a decision moves a message. What had left and is open again is a fact for the session.
    fn advance(&mut self, at: usize, to: impl FnOnce(&Delivery) -> Option<Delivery>) {
        let message = &mut self.messages[at];
        let Some(next) = message.delivery.as_ref().and_then(to) else { return };
        let was_open = message.is_open();
        message.delivery = Some(next);
        if !was_open && message.is_open() {
            let seq = message.seq;
            self.decide(&Command::DeliveryReopened { seq });
        }
    }

    fn pick(&self, pick: usize, wanted: impl Fn(&Message) -> bool) -> Option<usize> {
        let found: Vec<usize> = (0..self.messages.len()).filter(|at| wanted(&self.messages[*at])).collect();
        found.get(pick.checked_rem(found.len())?).copied()
    }
}

fn customer() -> CustomerAddress {
    CustomerAddress::Whatsapp { user_id: Some("US.1".to_owned()), phone: Some("12025550142".to_owned()) }
}

fn by() -> By {
    By { via: "inbox".to_owned() }
}
