//! What a doctor found, hop by hop: lines for people, JSON for machines, and the first hop that fails.

use serde_json::{Value, json};

/// How one hop is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Ok,
    /// It works, and this is worth a look.
    Note(String),
    /// It was not tried, and why.
    Skipped(String),
    /// It does not work.
    Failed {
        /// What happened.
        why: String,
        /// What to do.
        todo: String,
    },
}

impl Outcome {
    /// A failure in these words.
    pub fn failed(why: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::Failed { why: why.into(), todo: todo.into() }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note(_) => "note",
            Self::Skipped(_) => "skipped",
            Self::Failed { .. } => "FAILED",
        }
    }

    fn words(&self) -> Option<&str> {
        match self {
            Self::Ok => None,
            Self::Note(words) | Self::Skipped(words) | Self::Failed { why: words, .. } => Some(words),
        }
    }
}

/// One hop of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Its name.
    pub name: String,
    /// How it is.
    pub outcome: Outcome,
}

/// All hops, in the order in which a message meets them.
#[derive(Debug, Default)]
pub struct Report {
    hops: Vec<Hop>,
}

impl Report {
    /// Adds a hop.
    pub fn add(&mut self, name: impl Into<String>, outcome: Outcome) {
        self.hops.push(Hop { name: name.into(), outcome });
    }

    /// Adds hops.
    pub fn extend(&mut self, hops: impl IntoIterator<Item = Hop>) {
        self.hops.extend(hops);
    }

    /// The first hop that fails; `None` when the line works.
    #[must_use]
    pub fn first_failed(&self) -> Option<&Hop> {
        self.hops.iter().find(|hop| matches!(hop.outcome, Outcome::Failed { .. }))
    }

    /// One line a hop, and at the end what to do first.
    #[must_use]
    pub fn words(&self) -> String {
        let line = |hop: &Hop| {
            let words = hop.outcome.words().map(|words| format!(": {words}")).unwrap_or_default();
            format!("{:8}{}{words}", hop.outcome.name(), hop.name)
        };
        let mut lines: Vec<String> = self.hops.iter().map(line).collect();
        lines.push(String::new());
        lines.push(match self.first_failed() {
            Some(Hop { name, outcome: Outcome::Failed { todo, .. } }) => {
                format!("The first hop that fails is {name}. What to do: {todo}")
            }
            Some(_) | None => "Every hop works.".to_owned(),
        });
        lines.join("\n")
    }

    /// `{"ok", "first_failed", "checks": [{"name", "outcome", "why", "todo"}]}`.
    #[must_use]
    pub fn json(&self) -> Value {
        let hop = |hop: &Hop| {
            let todo = match &hop.outcome {
                Outcome::Failed { todo, .. } => Some(todo),
                Outcome::Ok | Outcome::Note(_) | Outcome::Skipped(_) => None,
            };
            let outcome = hop.outcome.name().to_ascii_lowercase();
            json!({ "name": hop.name, "outcome": outcome, "why": hop.outcome.words(), "todo": todo })
        };
        json!({
            "ok": self.first_failed().is_none(),
            "first_failed": self.first_failed().map(|hop| &hop.name),
            "checks": self.hops.iter().map(hop).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.add("stack", Outcome::Ok);
        report.add("handshake", Outcome::failed("answered 403", "run apply"));
        report.add("queue", Outcome::failed("gone", "deploy"));
        report.add("schedule", Outcome::Skipped("not asked for".to_owned()));
        report
    }

    #[test]
    fn the_first_hop_that_fails_is_named_with_what_to_do() {
        let words = report().words();
        let lines: Vec<&str> = words.lines().collect();
        assert_eq!(lines[..2], ["ok      stack", "FAILED  handshake: answered 403"]);
        assert_eq!(lines[lines.len() - 1], "The first hop that fails is handshake. What to do: run apply");
        let json = report().json();
        assert_eq!((json["ok"].as_bool(), json["first_failed"].as_str()), (Some(false), Some("handshake")));
        assert_eq!(json["checks"][1]["todo"], "run apply");
        assert_eq!(json["checks"][3]["outcome"], "skipped");
    }

    #[test]
    fn notes_and_skipped_hops_are_no_failures() {
        let mut report = Report::default();
        report.add("parked", Outcome::Note("2 parked".to_owned()));
        report.add("schedule", Outcome::Skipped("not asked for".to_owned()));
        assert!(report.first_failed().is_none());
        assert!(report.words().ends_with("Every hop works."));
        assert_eq!(report.json()["ok"], true);
    }
}
