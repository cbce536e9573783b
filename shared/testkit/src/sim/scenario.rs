//! Who takes part in a run and what they do of their own accord: drawn once from the seed, before anything happens.

mod draw;

use jiff::{SignedDuration, Timestamp};
use shared::channel::LineKey;
use shared::{CustomerAddress, Kind, OrgId};
use shared_flow::ports::{LineSettings, OrgSettings};

use super::fault::Fault;
use crate::memory::MemorySettings;

/// Something that a partition cuts off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Target {
    Table,
    Queue,
    Settings,
    Whatsapp,
    Crm,
    Model,
}

impl Target {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Table => "the table",
            Self::Queue => "the queues",
            Self::Settings => "the settings",
            Self::Whatsapp => "WhatsApp",
            Self::Crm => "the CRM",
            Self::Model => "the model",
        }
    }
}

/// What a customer's words ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    Plain,
    /// A person.
    Human,
    /// An answer that does not fit one message.
    Long,
    /// Long enough that the language is recognised.
    German,
    /// With characters that no reader sees.
    Hidden,
}

/// What happens of somebody's own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Write { customer: usize, kind: Kind, words: Words },
    HandOff { customer: usize },
    HandBack { customer: usize },
    Resolve { customer: usize },
    RepReply { customer: usize },
    RepNote { customer: usize },
    RepBlank { customer: usize },
    RepClose { customer: usize },
    RepDelete { customer: usize },
    ForeignHook { customer: usize },
    Switch { line: usize, on: bool },
    Garbage { line: usize },
    KillAll,
    Partition { target: Target, seconds: i64 },
}

impl Action {
    /// The fault it is, if it is one.
    fn fault(self) -> Option<Fault> {
        match self {
            Self::KillAll => Some(Fault::KillAll),
            Self::Partition { .. } => Some(Fault::Partition),
            _ => None,
        }
    }
}

/// A customer of one line. The same person at another organisation is another entry with the same address.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    /// What every word to and from this customer is marked with.
    pub(super) tag: String,
    pub(super) line: usize,
    phone: String,
    user: String,
    habit: Habit,
}

/// Which of a customer's identities the channel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Both,
    PhoneOnly,
    UserOnly,
    /// The phone at first, and both from the third message on.
    PhoneThenBoth,
}

impl Customer {
    /// The address that the channel gives with the customer's n-th message.
    pub(super) fn address(&self, nth: u32) -> CustomerAddress {
        let (user, phone) = match self.habit {
            Habit::Both => (true, true),
            Habit::PhoneOnly => (false, true),
            Habit::UserOnly => (true, false),
            Habit::PhoneThenBoth => (nth >= 2, true),
        };
        CustomerAddress::Whatsapp {
            user_id: user.then(|| self.user.clone()),
            phone: phone.then(|| self.phone.clone()),
        }
    }

    /// Whether every message of theirs names them alike, so that no two can be taken for two persons'.
    pub(super) fn is_always_the_same(&self) -> bool {
        self.habit != Habit::PhoneThenBoth
    }

    /// Whether what is sent to this address reaches this customer. The user id decides where there is one.
    pub(super) fn is_at(&self, address: &CustomerAddress) -> bool {
        match address.user_id() {
            Some(user) => user == self.user,
            None => address.phone() == Some(self.phone.as_str()),
        }
    }
}

/// A line of an organisation.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) org: OrgId,
    pub(super) key: LineKey,
    ai_enabled: bool,
    auto_resolve_after: SignedDuration,
}

/// Everything that is fixed before a run begins.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) start: Timestamp,
    pub(super) orgs: Vec<OrgSettings>,
    pub(super) lines: Vec<Line>,
    pub(super) customers: Vec<Customer>,
    /// What happens, in order of time.
    pub(super) script: Vec<(Timestamp, Action)>,
    /// When the script is over.
    pub(super) stop: Timestamp,
    /// Whether the CRM says who writes under our credentials.
    pub(super) crm_names_us: bool,
    /// How many workers run at once.
    pub(super) workers: usize,
}

impl Scenario {
    /// The settings as they are at the beginning.
    pub(super) fn settings(&self) -> MemorySettings {
        let settings = MemorySettings::new();
        for org in &self.orgs {
            settings.set_org(org.clone());
        }
        for line in &self.lines {
            settings.set_line(LineSettings {
                org: line.org.clone(),
                line: line.key.clone(),
                ai_enabled: line.ai_enabled,
                auto_resolve_after: line.auto_resolve_after,
            });
        }
        settings
    }

    /// The customer's line.
    pub(super) fn line_of(&self, customer: usize) -> Option<&Line> {
        self.lines.get(self.customers.get(customer)?.line)
    }

    /// The customer of this line who is at this address.
    pub(super) fn customer_at(&self, line: &LineKey, address: &CustomerAddress) -> Option<usize> {
        let on_line = |customer: &Customer| self.lines.get(customer.line).is_some_and(|l| &l.key == line);
        self.customers.iter().position(|customer| on_line(customer) && customer.is_at(address))
    }

    /// Whether the action is a fault rather than somebody's doing.
    pub(super) fn fault_of(action: Action) -> Option<Fault> {
        action.fault()
    }
}
