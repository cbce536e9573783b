//! The CRM's copy in a story: a CRM that does all it is asked, one step of the plan after the other.

use shared::crm::{ActivityKind, Cursor, Step, next_step, plan};
use shared::policy::CrmMode;
use shared::{Message, Session};

use super::show::quote;

/// Brings the copy up to date and says what was written.
pub(super) fn bring_up_to_date(
    session: &Session,
    messages: &[Message],
    cursor: &mut Cursor,
    mode: Option<CrmMode>,
) -> Vec<String> {
    let Some(mode) = mode else { return vec!["there is no crm".to_owned()] };
    let mut lines = Vec::new();
    loop {
        let words = plan::first_words(messages);
        let step = next_step(session, messages, words, cursor, mode, "https://support.example/s/1");
        match &step {
            Step::Wait => {
                lines.push(format!("waits for the fate of #{}", cursor.synced_seq + 1));
                return lines;
            }
            Step::Nothing => {
                lines.push("the copy is complete".to_owned());
                return lines;
            }
            _ => lines.push(carry_out(step, cursor)),
        }
    }
}

fn carry_out(step: Step, cursor: &mut Cursor) -> String {
    match step {
        Step::Contact(draft) => {
            cursor.contact = Some(draft.id.to_string());
            format!("contact {}", quote(&draft.name))
        }
        Step::Case(draft) => {
            cursor.case_exists = true;
            cursor.description = Some(draft.description.clone());
            format!("case {} described as {}", quote(&draft.subject), quote(&draft.description))
        }
        Step::Activity { seq, draft } => {
            cursor.synced_seq = seq;
            let who = match draft.kind {
                ActivityKind::FromCustomer => "customer",
                ActivityKind::FromAssistant => "assistant",
                ActivityKind::FromRep => "rep",
                ActivityKind::Note => "note",
            };
            format!("activity #{seq} {who}: {}", quote(&draft.text))
        }
        Step::Skip { seq } => {
            cursor.synced_seq = seq;
            format!("skips #{seq}")
        }
        Step::Describe { from, to } => {
            cursor.description = Some(to.clone());
            format!("description {} becomes {}", quote(&from), quote(&to))
        }
        Step::Resolve => {
            cursor.resolution_written = true;
            "case resolved".to_owned()
        }
        Step::Wait | Step::Nothing => String::new(),
    }
}
