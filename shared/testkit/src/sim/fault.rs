//! The fault menu: what can go wrong, how often in this run, and whether it does at this very moment.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// Something that can go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $($(#[$doc])* $name),* }

        impl Fault {
            /// The whole menu.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name used on the command line and in timelines.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

faults! {
    /// The worker dies before a call has any effect.
    CrashBefore = "crash-before",
    /// The worker dies after a call had its effect, before it learns of it.
    CrashAfter = "crash-after",
    /// A call fails and had no effect.
    LostRequest = "lost-request",
    /// A call had its effect, and the caller is told that it failed.
    LostAnswer = "lost-answer",
    /// A call takes seconds.
    Slow = "slow",
    /// The worker stands still for longer than its leases.
    Frozen = "frozen",
    /// Every worker dies at once.
    KillAll = "kill-all",
    /// A target cannot be reached for a while.
    Partition = "partition",
    /// Workers' clocks differ by up to ten minutes.
    ClockSkew = "clock-skew",
    /// The index of what is due lags.
    StaleIndex = "stale-index",
    /// Some jobs of a batch are in, others are not, and the batch failed.
    PartialSend = "partial-send",
    /// A queue holds an entry twice.
    DoubledEntry = "doubled-entry",
    /// An entry is handed out again while its first worker still has it.
    EarlyRedelivery = "early-redelivery",
    /// A finished entry comes back.
    LostAck = "lost-ack",
    /// A job cannot be read, however often it is tried.
    Unreadable = "unreadable",
    /// A vendor refuses the connection.
    NeverSent = "never-sent",
    /// A vendor asks us to slow down.
    Throttled = "throttled",
    /// A vendor answers 5xx and did nothing.
    ServerError = "server-error",
    /// A vendor did what was asked and answers with something unreadable.
    Malformed = "malformed",
    /// A vendor does what was asked after we gave up waiting.
    LateEffect = "late-effect",
    /// A vendor does not accept our credentials for a while.
    AuthBroken = "auth-broken",
    /// A vendor refuses this one thing for good.
    Refused = "refused",
    /// The channel says that its window is closed, whatever anybody's clock says.
    WindowClosed = "window-closed",
    /// The model does not want to answer.
    ModelRefused = "model-refused",
    /// The model is configured wrongly.
    Misconfigured = "misconfigured",
    /// A webhook comes twice.
    HookRepeated = "hook-repeated",
    /// A webhook comes much later, so others overtake it.
    HookLate = "hook-late",
    /// A webhook that was answered comes again hours later.
    HookAgain = "hook-again",
    /// A status never comes.
    StatusLost = "status-lost",
    /// A status comes twice.
    StatusRepeated = "status-repeated",
    /// A status comes without what we sent along to recognise it.
    StatusBare = "status-bare",
    /// The channel says that a message it took will not arrive.
    StatusFailed = "status-failed",
    /// The channel says that a message it took did not arrive, and may if sent again.
    StatusFailedForNow = "status-failed-for-now",
    /// The CRM's webhook never comes.
    CrmHookLost = "crm-hook-lost",
    /// The CRM's webhook comes twice.
    CrmHookRepeated = "crm-hook-repeated",
    /// A record of the CRM becomes visible after a newer one.
    RecordLate = "record-late",
}

impl Fault {
    /// The fault of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// How often it strikes where it can, in a million, in a run of average bad luck.
    fn base_rate(self) -> u32 {
        match self {
            Self::CrashBefore | Self::CrashAfter => 1_500,
            Self::LostRequest | Self::LostAnswer | Self::Slow => 3_000,
            Self::Frozen => 500,
            Self::PartialSend | Self::DoubledEntry | Self::EarlyRedelivery | Self::LostAck => 15_000,
            Self::StaleIndex => 100_000,
            Self::Unreadable => 2_000,
            Self::NeverSent | Self::Throttled | Self::ServerError | Self::Malformed | Self::LateEffect => {
                25_000
            }
            Self::AuthBroken
            | Self::Refused
            | Self::WindowClosed
            | Self::ModelRefused
            | Self::Misconfigured => 6_000,
            Self::HookRepeated | Self::HookLate | Self::HookAgain => 50_000,
            Self::StatusLost | Self::StatusRepeated => 100_000,
            Self::StatusBare => 30_000,
            Self::StatusFailed | Self::StatusFailedForNow => 30_000,
            Self::CrmHookLost | Self::CrmHookRepeated | Self::RecordLate => 200_000,
            // Drawn with the script or once a run.
            Self::KillAll | Self::Partition | Self::ClockSkew => 0,
        }
    }
}

/// What is left of a run when it is shrunk. The default leaves everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The events of the script that happen, by number; all when absent.
    pub events: Option<BTreeSet<usize>>,
    /// The faults that strike, by the order in which they come; all when absent.
    pub faults: Option<BTreeSet<u64>>,
    /// Faults that do not strike at all.
    pub without: BTreeSet<Fault>,
}

impl Keep {
    /// Whether an event of the script happens.
    #[must_use]
    pub fn has_event(&self, number: usize) -> bool {
        self.events.as_ref().is_none_or(|kept| kept.contains(&number))
    }
}

/// The faults of one run: each seed has its own mixture, so that rare combinations get their turn.
pub(super) struct Faults {
    on: bool,
    seed: u64,
    rng: SmallRng,
    /// Drawn from for the details of the last fault, so that leaving a fault out leaves the others as they are.
    details: SmallRng,
    rates: BTreeMap<Fault, u32>,
    keep: Keep,
    next: u64,
}

impl Faults {
    /// The faults of a run; `on` is false where nothing goes wrong.
    pub(super) fn new(seed: u64, on: bool, keep: Keep) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed ^ 0x5eed_fa17);
        let mut rates = BTreeMap::new();
        for fault in Fault::ALL {
            let often = [0, 0, 1, 3, 10].get(rng.random_range(0..5)).copied().unwrap_or(1);
            rates.insert(*fault, fault.base_rate() * often / 3);
        }
        let details = SmallRng::seed_from_u64(seed);
        Self { on, seed, rng, details, rates, keep, next: 0 }
    }

    /// Nothing goes wrong any more.
    pub(super) fn stop(&mut self) {
        self.on = false;
    }

    /// Whether things go wrong at all.
    pub(super) fn on(&self) -> bool {
        self.on
    }

    /// Whether this kind may strike in this run.
    pub(super) fn allows(&self, fault: Fault) -> bool {
        self.on && !self.keep.without.contains(&fault)
    }

    /// Whether an event of the script happens in this run.
    pub(super) fn keeps_event(&self, number: usize) -> bool {
        self.keep.has_event(number)
    }

    /// At most one of the candidates strikes, and which number it is in the run.
    pub(super) fn strike(&mut self, candidates: &[Fault]) -> Option<(Fault, u64)> {
        if !self.on {
            return None;
        }
        let mut drawn = self.rng.random_range(0..1_000_000_u32);
        for fault in candidates {
            let rate = self.rates.get(fault).copied().unwrap_or(0);
            if drawn < rate {
                return self.admitted(*fault);
            }
            drawn -= rate;
        }
        None
    }

    /// A fault drawn elsewhere, counted with the others.
    pub(super) fn admitted(&mut self, fault: Fault) -> Option<(Fault, u64)> {
        let number = self.next;
        self.next += 1;
        self.details = SmallRng::seed_from_u64(self.seed ^ (number << 20));
        let kept = self.keep.faults.as_ref().is_none_or(|kept| kept.contains(&number));
        (self.allows(fault) && kept).then_some((fault, number))
    }

    /// A number for the details of a fault.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.details.random_range(low..=high)
    }

    /// Whether something that is true so often, in a hundred, is true now.
    pub(super) fn percent(&mut self, often: u32) -> bool {
        self.details.random_range(0..100) < often
    }
}
