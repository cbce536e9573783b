//! What a script may say, and how a line of it is read.

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use shared::Kind;
use shared::agent::{Answer, Escalation, Verdict};
use shared::delivery::Receipt;
use shared::policy::CrmMode;

use super::words::{length, options, quoted, said, time, word};

/// A line.
#[derive(Debug, PartialEq)]
pub enum Line {
    /// Nothing to do: a comment or an empty line.
    Words,
    /// What a step did, when the script was last written.
    Expectation,
    /// `line: ai on, crm every conversation`: what holds from here on.
    Setting(Vec<Setting>),
    /// Something happens.
    Step(Step),
}

/// One thing that holds.
#[derive(Debug, PartialEq)]
pub enum Setting {
    /// `ai on`, `ai off`
    Ai(bool),
    /// `crm every conversation`, `crm only on handoff`, `crm none`
    Crm(Option<CrmMode>),
    /// `debounce 3s`
    Debounce(SignedDuration),
    /// `auto-resolve 12h`
    AutoResolve(SignedDuration),
}

/// Something happens.
#[derive(Debug, PartialEq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// To which session, from 1; the newest unless `@1` says otherwise.
    pub session: Option<usize>,
    /// What.
    pub verb: Verb,
}

/// What can happen.
#[derive(Debug, PartialEq)]
pub enum Verb {
    /// `customer [kind=sticker] [sent=11:40] WORDS`: the customer wrote, and we read it now.
    Customer {
        /// What sort of thing.
        kind: Kind,
        /// When they wrote it.
        sent: Timestamp,
        /// The words.
        text: String,
    },
    /// `agent [TURN] answer [lang=de] WORDS`, `agent [TURN] escalate REASON "SUMMARY" [detail="…"] [mood=angry] WORDS`,
    /// `agent [TURN] gave-up WHY`: the model's turn is over; the newest unless a number says otherwise.
    Agent {
        /// Which turn.
        turn: Option<u32>,
        /// What came of it.
        verdict: Verdict,
    },
    /// `rep WORDS`: a person answered in the CRM.
    Rep(String),
    /// `case closed`: in the CRM.
    CaseClosed,
    /// `handoff`: a person takes the session.
    HandOff,
    /// `handback`: a person gives it to the assistant.
    HandBack,
    /// `resolve`: a person ends it.
    Resolve,
    /// `send [N] [begun|unknown|refused|closed]`: the delivery worker comes by, for message N or all in order, and the
    /// channel accepts, or not.
    Send {
        /// Which message; all that may go when absent.
        seq: Option<u64>,
        /// What the channel does.
        outcome: Outcome,
    },
    /// `status N sent|delivered|read|failed|failed-for-now`: the channel's word on message N.
    Status {
        /// Which message.
        seq: u64,
        /// What it says.
        receipt: Receipt,
    },
    /// `crm`: the CRM's copy is brought up to date.
    Crm,
    /// `wake`: the clock looks at the session now.
    Wake,
    /// `wait`: until now nothing happens but the clock, which looks whenever it is due.
    Wait,
}

/// What a channel does with a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It takes the message.
    Accepted,
    /// It has not answered yet, or our worker died.
    Begun,
    /// The call ended without an answer.
    Unknown,
    /// It refuses for good.
    Refused,
    /// It says that the reply window is closed.
    Closed,
}

/// Reads a line. `now` is the time of the step before.
pub fn read(line: &str, now: Timestamp) -> Result<Line, String> {
    let text = line.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(Line::Words);
    }
    if text.starts_with('>') {
        return Ok(Line::Expectation);
    }
    if let Some(settings) = text.strip_prefix("line:") {
        return settings
            .split(',')
            .map(|text| setting(text.trim()))
            .collect::<Result<_, _>>()
            .map(Line::Setting);
    }
    let (at, rest) = time(text, now)?;
    if at < now {
        return Err("time does not go backwards".to_owned());
    }
    let (session, rest) = match rest.strip_prefix('@') {
        Some(rest) => {
            let (number, rest) = word(rest);
            (Some(number.parse().map_err(|_| format!("{number:?} is no session"))?), rest)
        }
        None => (None, rest),
    };
    let (name, rest) = word(rest);
    Ok(Line::Step(Step { at, session, verb: verb(name, rest, at)? }))
}

fn setting(text: &str) -> Result<Setting, String> {
    match word(text) {
        ("ai", "on") => Ok(Setting::Ai(true)),
        ("ai", "off") => Ok(Setting::Ai(false)),
        ("crm", "every conversation") => Ok(Setting::Crm(Some(CrmMode::EveryConversation))),
        ("crm", "only on handoff") => Ok(Setting::Crm(Some(CrmMode::OnlyOnHandoff))),
        ("crm", "none") => Ok(Setting::Crm(None)),
        ("debounce", wait) => length(wait).map(Setting::Debounce),
        ("auto-resolve", wait) => length(wait).map(Setting::AutoResolve),
        _ => Err(format!("there is no setting {text:?}")),
    }
}

fn verb(name: &str, rest: &str, at: Timestamp) -> Result<Verb, String> {
    match (name, rest) {
        ("customer", _) => customer(rest, at),
        ("agent", _) => agent(rest),
        ("rep", _) => said(rest).map(Verb::Rep),
        ("case", "closed") => Ok(Verb::CaseClosed),
        ("handoff", "") => Ok(Verb::HandOff),
        ("handback", "") => Ok(Verb::HandBack),
        ("resolve", "") => Ok(Verb::Resolve),
        ("send", _) => send(rest),
        ("status", _) => status(rest),
        ("crm", "") => Ok(Verb::Crm),
        ("wake", "") => Ok(Verb::Wake),
        ("wait", "") => Ok(Verb::Wait),
        _ => Err(format!("nobody knows how to {:?}", format!("{name} {rest}").trim_end())),
    }
}

fn customer(rest: &str, at: Timestamp) -> Result<Verb, String> {
    let ([kind, sent], rest) = options(rest, ["kind", "sent"]);
    let kind = kind.map_or(Ok(Kind::Text), named)?;
    let sent = sent.map_or(Ok(at), |text| time(text, at).map(|(at, _)| at))?;
    Ok(Verb::Customer { kind, sent, text: said(rest)? })
}

fn agent(rest: &str) -> Result<Verb, String> {
    let (first, after) = word(rest);
    let (turn, rest) = first.parse().map_or((None, rest), |turn| (Some(turn), after));
    let (what, rest) = word(rest);
    let verdict = match what {
        "answer" => Verdict::Answered(answer(rest)?),
        "escalate" => {
            let (reason, rest) = word(rest);
            let (summary, rest) = quoted(rest).ok_or("an escalation has a \"summary\"")?;
            let ([detail], rest) = options(rest, ["detail"]);
            let (detail, summary) = (said(detail.unwrap_or_default())?, said(summary)?);
            let escalation = Some(Escalation { reason: named(reason)?, detail, summary });
            Verdict::Answered(Answer { escalation, ..answer(rest)? })
        }
        "gave-up" => Verdict::GaveUp(named(rest)?),
        _ => return Err(format!("no model can {what:?}")),
    };
    Ok(Verb::Agent { turn, verdict })
}

fn answer(rest: &str) -> Result<Answer, String> {
    let ([language, mood], rest) = options(rest, ["lang", "mood"]);
    let (language, sentiment) = (language.map(str::to_owned), mood.map(str::to_owned));
    Ok(Answer { reply: said(rest)?, escalation: None, language, sentiment })
}

fn send(rest: &str) -> Result<Verb, String> {
    let (first, after) = word(rest);
    let (seq, rest) = first.parse().map_or((None, rest), |seq| (Some(seq), after));
    let outcome = match rest {
        "" => Outcome::Accepted,
        "begun" => Outcome::Begun,
        "unknown" => Outcome::Unknown,
        "refused" => Outcome::Refused,
        "closed" => Outcome::Closed,
        other => return Err(format!("no channel answers {other:?}")),
    };
    Ok(Verb::Send { seq, outcome })
}

fn status(rest: &str) -> Result<Verb, String> {
    let (seq, receipt) = word(rest);
    let seq = seq.parse().map_err(|_| format!("{seq:?} is no message"))?;
    let receipt = named(&receipt.replace('-', "_"))?;
    Ok(Verb::Status { seq, receipt })
}

/// One of the names that the core itself uses for a thing.
fn named<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::from(name)).map_err(|error| error.to_string())
}
