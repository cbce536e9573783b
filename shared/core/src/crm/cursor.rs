//! How far a CRM's copy of a session has got. It belongs to crm-sync alone, which takes it by lease.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of one session's copy in one CRM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Rises with every write.
    pub rev: u64,
    /// The CRM's contact of the customer, once known.
    pub contact: Option<String>,
    /// Whether the case exists.
    pub case_exists: bool,
    /// The case's human-readable number, once the CRM told it.
    pub case_number: Option<String>,
    /// Every message up to this place is in the CRM, or was refused for good.
    pub synced_seq: u64,
    /// The description we wrote last: a rep's own words in its place are not overwritten.
    pub description: Option<String>,
    /// Whether our resolution has been written to the case.
    pub resolution_written: bool,
    /// The contact under which we write there: what that contact adds is ours.
    pub our_author: Option<String>,
    /// What has been read from the case.
    pub seen: Seen,
    /// Until when a worker has it; `None` when nobody does.
    pub lease_until: Option<Timestamp>,
    /// Who has it.
    pub lease_by: Option<String>,
    /// When a worker last had it.
    #[serde(default)]
    pub tried_at: Option<Timestamp>,
    /// When the case was last read.
    pub looked_at: Option<Timestamp>,
    /// How many times somebody had asked to look at the case when it was last looked at.
    pub answered: u64,
    /// When to look again by itself.
    pub wake_at: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// Since when writes wait, and why, in words an operator can act on.
    pub trouble: Option<String>,
}

/// What has been read from a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The newest creation time read, in the CRM's own clock and form.
    pub until: Option<Timestamp>,
    /// Records read around that time, so that reading with an overlap passes nothing on twice.
    pub records: Vec<String>,
}

/// How many records are remembered. More than a CRM shows in an overlap.
const REMEMBERED: usize = 200;

impl Seen {
    /// Whether the record was read before.
    #[must_use]
    pub fn has(&self, record: &str) -> bool {
        self.records.iter().any(|known| known == record)
    }

    /// Remembers a record.
    pub fn add(&mut self, record: &str, created: Option<Timestamp>) {
        self.until = self.until.max(created);
        if !self.has(record) {
            self.records.push(record.to_owned());
            let surplus = self.records.len().saturating_sub(REMEMBERED);
            self.records.drain(..surplus);
        }
    }
}
