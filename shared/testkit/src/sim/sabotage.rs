//! Planted mistakes: what the checker must notice, or it is blind.

macro_rules! sabotages {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// A mistake planted in a port.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Sabotage { $($(#[$doc])* $name),* }

        impl Sabotage {
            /// Every mistake.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name used on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

sabotages! {
    /// A committed message is not stored.
    DropMessage = "drop-message",
    /// A request to send reaches the channel twice.
    DoubleSend = "double-send",
    /// A commit forgets its mark, so that a repeat counts again.
    ForgetMark = "forget-mark",
    /// The lane has no lease and moves need no revision. One alone changes nothing that can be seen: each covers
    /// for the other.
    IgnoreLane = "ignore-lane",
    /// A queue loses a command that it took.
    LoseEntry = "lose-entry",
    /// A message goes to somebody else.
    WrongCustomer = "wrong-customer",
    /// A takeover does not take back what the machine still had to say, and nobody looks again before it leaves. One
    /// alone changes nothing that can be seen: each covers for the other.
    SpeakAfterTakeover = "speak-after-takeover",
    /// A status lowers a state.
    LowerRank = "lower-rank",
    /// A commit skips a version.
    SkipVersion = "skip-version",
    /// The CRM's records get fresh ids with each try.
    FreshRecords = "fresh-records",
    /// What we wrote in the CRM comes back as if a rep had written it.
    Echo = "echo",
    /// Every session looks as if the customer had just written.
    OpenWindow = "open-window",
    /// The clock wakes nobody.
    NoClock = "no-clock",
    /// The pointer to the open session is not found.
    SecondSession = "second-session",
    /// Parked input is thrown away.
    LoseParked = "lose-parked",
}

impl Sabotage {
    /// The mistake of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sabotage| sabotage.name() == name)
    }
}
