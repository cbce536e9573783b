//! I2, I3, I6, I7, I8 in the CRM: one case a session, each message once and in order, nothing comes back as a reply.

use std::collections::BTreeMap;

use shared::OrgId;
use shared::crm::case_id;
use shared::session::Command;
use shared_flow::ports::Committed;
use uuid::Uuid;

use super::fold::Fold;
use super::sending::check_words;
use super::{Evidence, Findings};
use crate::sim::history::{Committing, Entry, Event, short};
use crate::sim::whatsapp::markers;

/// What is in the CRM so far.
#[derive(Default)]
pub(super) struct Filing {
    /// What reps wrote for the customer, and in which case.
    replies: BTreeMap<(OrgId, String), Uuid>,
    /// The last place filed, by case.
    last: BTreeMap<(OrgId, Uuid), u64>,
}

impl Filing {
    pub(super) fn see(
        &mut self,
        fold: &Fold,
        entry: &Entry,
        evidence: &Evidence<'_>,
        findings: &mut Findings,
    ) {
        match &entry.event {
            Event::CaseOpened { org, case } => {
                let whose = fold.of_case(org, *case);
                findings
                    .expect(whose.is_some(), "I6", entry.at, || format!("case {case} belongs to no session"));
            }
            Event::Filed { org, case, record, text } => {
                self.filed(fold, entry, (org, *case), record, text, evidence, findings);
            }
            Event::Rep { org, case, record, what: "replied" | "said nothing" } => {
                self.replies.insert((org.clone(), record.clone()), *case);
            }
            Event::Committed(made) if made.outcome == Committed::Done => self.no_echo(entry, made, findings),
            _ => {}
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one record and everything it is judged by")]
    fn filed(
        &mut self,
        fold: &Fold,
        entry: &Entry,
        at: (&OrgId, Uuid),
        record: &str,
        text: &str,
        evidence: &Evidence<'_>,
        findings: &mut Findings,
    ) {
        let (org, case) = at;
        let Some(known) = fold.of_case(org, case) else {
            findings.add("I8", entry.at, || format!("record {record} is filed in a case of nobody"));
            return;
        };
        let session = known.head.id;
        let id = Uuid::parse_str(record).ok().and_then(|record| fold.of_record(record));
        let place = id.filter(|id| id.session == session).and_then(|id| known.messages.get(&id.seq));
        let Some(message) = place else {
            findings.add("I2", entry.at, || format!("record {record} of {} is no message's", short(session)));
            return;
        };
        let right = message.is_for_the_rep() && text.starts_with(&message.text);
        findings.expect(right, "I8", entry.at, || {
            format!("place {} of {} is filed wrongly", message.seq, short(session))
        });
        check_words(entry, known, &markers(text), evidence, findings);
        let last = self.last.entry((org.clone(), case)).or_default();
        findings.expect(*last < message.seq, "I3", entry.at, || {
            format!("place {} of {} is filed after place {last}", message.seq, short(session))
        });
        *last = (*last).max(message.seq);
    }

    /// A rep's word in a transcript was written by a rep, for the customer, in the session's own case.
    fn no_echo(&self, entry: &Entry, made: &Committing, findings: &mut Findings) {
        let Command::RepReplied(reply) = &made.command else { return };
        let session = &made.commit.session;
        let case = self.replies.get(&(session.org.clone(), reply.record.clone()));
        findings.expect(case.is_some(), "I7", entry.at, || {
            format!(
                "record {} reaches the customer of {} and no rep wrote it",
                reply.record,
                short(session.id)
            )
        });
        let own = case_id(&session.org, session.id);
        findings.expect(case.is_none_or(|case| *case == own), "I8", entry.at, || {
            format!("record {} of another case reaches {}", reply.record, short(session.id))
        });
    }
}
