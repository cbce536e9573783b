//! Events in words: one line of a timeline each.

use std::fmt;

use shared::{MessageId, SessionId};

use super::{Committing, Entry, Event};

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.to_string();
        let time = at.get(11..23.min(at.len())).unwrap_or(&at).trim_end_matches('Z');
        let who = if self.worker == 0 { "world".to_owned() } else { format!("{}#{}", self.who, self.worker) };
        write!(f, "{} {time:<12} {who:<18} {}", at.get(5..10).unwrap_or(""), self.event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrote { marker, wamid, .. } => write!(f, "the customer writes [{marker}] as {wamid}"),
            Self::Acknowledged { wamid, customer } => {
                write!(f, "webhook answered: {wamid} of customer {customer}")
            }
            Self::GarbageTaken { .. } => write!(f, "webhook answered: something unreadable"),
            Self::Queued { key, command, .. } => {
                write!(f, "queued {command} {}", key.as_deref().unwrap_or(""))
            }
            Self::Began { skew_ms, on } => write!(f, "begins {on}{}", skew(*skew_ms)),
            Self::Ended { how } => write!(f, "ends: {how}"),
            Self::Died { how } => write!(f, "dies: {how}"),
            Self::Committed(commit) => show_commit(f, commit),
            Self::Unchanged { session, because, command, state } => {
                write!(f, "{} {command} in {state} changes nothing: {because:?}", short(*session))
            }
            Self::Moved { id, to, won, .. } => {
                let lost = if *won { "" } else { " (another writer was first)" };
                write!(f, "{} moves to {:?} rev {}{lost}", place(*id), to.state, to.rev)
            }
            Self::Arrived(sending) => {
                write!(f, "WhatsApp gets {}: {}", place(sending.id), start_of(&sending.text))
            }
            Self::Took { id, vendor_id, .. } => write!(f, "WhatsApp takes {} as {vendor_id}", place(*id)),
            Self::Declined { id, why } => write!(f, "WhatsApp refuses {}: {why}", place(*id)),
            Self::SendEnded { id, how } => write!(f, "send of {} ends: {how}", place(*id)),
            Self::TakenBack { id, vendor_id, .. } => {
                write!(f, "WhatsApp gives up {} ({vendor_id})", place(*id))
            }
            Self::Asked { session, turn, .. } => write!(f, "asks the model, {} turn {turn}", short(*session)),
            Self::Said { number, seen } => write!(f, "the model says re#{number} to {}", seen.join(" ")),
            Self::Filed { record, text, case, .. } => {
                write!(f, "case {} gets activity {}: {}", cut(case), cut(record), start_of(text))
            }
            Self::CaseOpened { case, .. } => write!(f, "case {} appears in the CRM", cut(case)),
            Self::CrmRefused { record, .. } => write!(f, "the CRM refuses {} for good", cut(record)),
            Self::Rep { case, record, what, .. } => {
                write!(f, "rep {what} in case {} ({})", cut(case), cut(record))
            }
            Self::Requested { session, what } => write!(f, "a person asks: {what} {}", short(*session)),
            Self::Switched { on, line } => {
                write!(f, "the assistant of {} is switched {}", line.address, if *on { "on" } else { "off" })
            }
            Self::Struck { fault, number, at } => write!(f, "*** {} at {at} (fault {number})", fault.name()),
            Self::Parked { key } => write!(f, "parked {}", key.as_deref().unwrap_or("")),
            Self::Redriven { key } => write!(f, "put back {}", key.as_deref().unwrap_or("")),
            Self::Remark(text) => f.write_str(text),
        }
    }
}

fn show_commit(f: &mut fmt::Formatter<'_>, commit: &Committing) -> fmt::Result {
    let session = &commit.commit.session;
    write!(
        f,
        "{} {} → {:?} v{} {} epoch {}",
        short(session.id),
        commit.command.name(),
        commit.outcome,
        session.version,
        session.state.name(),
        session.epoch
    )?;
    for message in &commit.commit.messages {
        write!(f, " +{}:{:?} {}", message.seq, message.author, start_of(&message.text))?;
        if let Some(delivery) = &message.delivery {
            write!(f, " ({:?})", delivery.state)?;
        }
    }
    for change in &commit.commit.changes {
        write!(f, " ~{}:{:?}", change.seq, change.delivery.state)?;
    }
    Ok(())
}

fn skew(ms: i64) -> String {
    if ms == 0 { String::new() } else { format!(", its clock {:+} s", ms / 1000) }
}

/// The first letters of an id.
fn cut(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}

/// A session as timelines name it.
pub(in crate::sim) fn short(session: SessionId) -> String {
    cut(&session)
}

/// A message as timelines name it.
pub(in crate::sim) fn place(id: MessageId) -> String {
    format!("{}:{}", short(id.session), id.seq)
}

fn start_of(text: &str) -> String {
    let line: String = text.chars().take(44).collect();
    format!("“{}”", line.replace('\n', " "))
}
