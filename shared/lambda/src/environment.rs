//! What a function is told at its start: names of tables, queues and the bucket, all given by the template.

use shared::SignedDuration;
use shared_aws::sqs::QueueUrls;
use shared_vendors::guard::Guard;

/// Meta's own address of the Cloud API.
pub const GRAPH: &str = "https://graph.facebook.com";

/// A variable that this function needs is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not set: deploy the function with this project's template, which gives it")]
pub struct NotSet {
    name: &'static str,
}

/// The environment of one function. What it was not given stays empty; each function is given only what it uses.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    stack: Option<String>,
    line_table: Option<String>,
    settings_table: Option<String>,
    bodies_bucket: Option<String>,
    /// The queues that it may send to or receives from.
    pub queues: QueueUrls,
    whatsapp_url: Option<String>,
    insecure: bool,
    ahead: SignedDuration,
}

impl Environment {
    /// Reads the process's environment.
    #[must_use]
    pub fn read() -> Self {
        Self::from(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// Reads what `get` knows.
    fn from(get: impl Fn(&str) -> Option<String>) -> Self {
        // Neither can be set by the template: both are for stand-ins on one's own machine.
        let insecure = get("SWITCHBOARD_ALLOW_INSECURE").is_some_and(|value| value == "1");
        let ahead = get("SWITCHBOARD_CLOCK_AHEAD_SECONDS").filter(|_| insecure);
        Self {
            stack: get("SWITCHBOARD_STACK"),
            line_table: get("SWITCHBOARD_LINE_TABLE"),
            settings_table: get("SWITCHBOARD_SETTINGS_TABLE"),
            bodies_bucket: get("SWITCHBOARD_BODIES_BUCKET"),
            queues: QueueUrls {
                conversation: get("SWITCHBOARD_CONVERSATION_QUEUE"),
                deliveries: get("SWITCHBOARD_DELIVERIES_QUEUE"),
                crm_sync: get("SWITCHBOARD_CRM_SYNC_QUEUE"),
                turns: get("SWITCHBOARD_TURNS_QUEUE"),
                receipts: get("SWITCHBOARD_RECEIPTS_QUEUE"),
            },
            whatsapp_url: get("SWITCHBOARD_WHATSAPP_URL"),
            insecure,
            ahead: SignedDuration::from_secs(ahead.and_then(|text| text.parse().ok()).unwrap_or(0)),
        }
    }

    /// The stack's name: the beginning of its secrets' names, and what its metrics are told apart by.
    pub fn stack(&self) -> Result<&str, NotSet> {
        needed(&self.stack, "SWITCHBOARD_STACK")
    }

    /// The table of contacts and sessions.
    pub fn line_table(&self) -> Result<&str, NotSet> {
        needed(&self.line_table, "SWITCHBOARD_LINE_TABLE")
    }

    /// The table of settings.
    pub fn settings_table(&self) -> Result<&str, NotSet> {
        needed(&self.settings_table, "SWITCHBOARD_SETTINGS_TABLE")
    }

    /// The bucket of what is too large for a queue, and of what could not be handled.
    pub fn bodies_bucket(&self) -> Result<&str, NotSet> {
        needed(&self.bodies_bucket, "SWITCHBOARD_BODIES_BUCKET")
    }

    /// Where the Cloud API is.
    #[must_use]
    pub fn whatsapp_url(&self) -> &str {
        self.whatsapp_url.as_deref().unwrap_or(GRAPH)
    }

    /// Which addresses may be talked to.
    #[must_use]
    pub const fn guard(&self) -> Guard {
        Guard::new(self.insecure)
    }

    /// How far the clock is ahead of the machine's.
    #[must_use]
    pub const fn ahead(&self) -> SignedDuration {
        self.ahead
    }
}

fn needed<'a>(value: &'a Option<String>, name: &'static str) -> Result<&'a str, NotSet> {
    value.as_deref().ok_or(NotSet { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Environment {
        let find = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Environment::from(find)
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = of(&[]).line_table().unwrap_err().to_string();
        assert!(said.starts_with("SWITCHBOARD_LINE_TABLE is not set"), "{said}");
        assert_eq!(of(&[("SWITCHBOARD_LINE_TABLE", "t")]).line_table(), Ok("t"));
    }

    #[test]
    fn the_clock_can_be_moved_only_among_stand_ins() {
        let ahead = ("SWITCHBOARD_CLOCK_AHEAD_SECONDS", "60");
        assert_eq!(of(&[ahead]).ahead(), SignedDuration::ZERO);
        assert_eq!(of(&[ahead, ("SWITCHBOARD_ALLOW_INSECURE", "1")]).ahead(), SignedDuration::from_secs(60));
    }

    #[test]
    fn plain_http_is_refused_unless_it_was_allowed() {
        assert!(of(&[]).guard().check("http://127.0.0.1:1").is_err());
        assert!(of(&[("SWITCHBOARD_ALLOW_INSECURE", "1")]).guard().check("http://127.0.0.1:1").is_ok());
    }
}
