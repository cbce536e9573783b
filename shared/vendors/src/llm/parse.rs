//! What a model's answer comes to: the checks that no model is trusted with.

use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::agent::{Answer, Escalation};
use shared::channel::render::{clean, shorten};
use shared::handoff::Reason;
use shared_flow::ports::ModelError;

use super::map;
use super::schema::TOOL;
use super::wire::{Called, Choice, FinishTurn, Reply, Said, TurnHandoff, TurnOption, TurnReply};

/// The most characters of a reply. The channel splits what is longer than one message; beyond this a model has lost
/// its way, and nobody wants five messages in a row.
const REPLY_CHARS: usize = 20_000;
/// The most choices that are written out; WhatsApp's longest list has as many.
const OPTIONS: usize = 10;
/// The most characters of a choice.
const OPTION_CHARS: usize = 72;
/// The most characters of a hand-off's reason.
const DETAIL_CHARS: usize = 200;
/// The most characters of a hand-off's summary.
const SUMMARY_CHARS: usize = 2_000;

/// Reads the body of an answer with status 200.
///
/// The first `finish_turn` call decides, whatever `finish_reason` says: a forced call ends with `stop` on some
/// servers. Without any call, plain words are the reply. Errors name the fault and never quote the model.
pub fn parse(body: &[u8]) -> Result<Answer, ModelError> {
    let reply: Reply = read(body, "the answer is no chat completion")?;
    let Some(Choice { finish_reason, message }) = reply.choices.unwrap_or_default().into_iter().next() else {
        return Err(reply
            .error
            .map_or_else(|| malformed("the answer is empty"), |error| map::reported(&error)));
    };
    let said = message.unwrap_or_default();
    let refused = said.refusal.as_deref().is_some_and(|words| !words.trim().is_empty());
    match finish_reason.as_deref() {
        Some("content_filter") => Err(ModelError::Refused),
        _ if refused => Err(ModelError::Refused),
        // What is cut is never read leniently: half a summary or half a number would look whole.
        Some("length") => Err(malformed("it was cut off; be shorter")),
        _ => decide(said),
    }
}

fn decide(said: Said) -> Result<Answer, ModelError> {
    let calls: Vec<Called> =
        said.tool_calls.unwrap_or_default().into_iter().filter_map(|call| call.function).collect();
    if calls.is_empty() {
        return plain(&said.content.map(|content| content.words()).unwrap_or_default());
    }
    let call = calls.into_iter().find(|call| call.name.as_deref() == Some(TOOL));
    let call = call.ok_or_else(|| malformed("it called a tool other than finish_turn"))?;
    let turn = match call.arguments {
        Some(Value::String(text)) => read(text.as_bytes(), ARGUMENTS_WRONG)?,
        Some(object) => from_value(object)?,
        None => return Err(malformed(ARGUMENTS_WRONG)),
    };
    check(turn)
}

const ARGUMENTS_WRONG: &str = "the arguments of finish_turn are not the JSON that its schema asks for";

/// Words without a call. Models that do not know tools sometimes write the call as JSON, and some write their
/// thoughts first: neither must reach the customer.
fn plain(words: &str) -> Result<Answer, ModelError> {
    let words = without_thoughts(words).trim();
    let bare = words.trim_start_matches("```json").trim_matches('`').trim();
    if bare.starts_with('{') {
        return match serde_json::from_str::<Value>(bare) {
            Ok(object) => check(from_value(arguments_within(object))?),
            Err(_) => Err(malformed("it wrote JSON instead of calling finish_turn")),
        };
    }
    let answer = Answer::plain(words).ok_or_else(|| malformed("the answer is empty"))?;
    within_limit(answer)
}

fn without_thoughts(words: &str) -> &str {
    match words.trim_start().strip_prefix("<think>") {
        Some(thinking) => thinking.split_once("</think>").map_or("", |(_, rest)| rest),
        None => words,
    }
}

/// A call written out is either the arguments themselves or an object that holds them.
fn arguments_within(mut object: Value) -> Value {
    let inner = ["arguments", "parameters"].iter().find_map(|key| object.get_mut(key).map(Value::take));
    inner.unwrap_or(object)
}

fn check(turn: FinishTurn) -> Result<Answer, ModelError> {
    let answer = Answer {
        reply: rendered(turn.reply.unwrap_or_default()),
        escalation: turn.handoff.map(escalation),
        language: turn.language.filter(|tag| is_language_tag(tag)),
        sentiment: turn.sentiment.filter(|word| is_sentiment(word)),
    };
    if !answer.is_usable() {
        return Err(malformed("neither a reply nor a hand-off"));
    }
    within_limit(answer)
}

fn within_limit(answer: Answer) -> Result<Answer, ModelError> {
    let length = answer.reply.chars().count();
    if length > REPLY_CHARS {
        return Err(malformed(&format!("the reply has {length} characters; {REPLY_CHARS} are the most")));
    }
    Ok(answer)
}

/// The reply as one text: choices and links are written out, since every channel can show that.
fn rendered(reply: TurnReply) -> String {
    let text = clean(&reply.text.unwrap_or_default()).trim().to_owned();
    let more = match reply.format.as_deref() {
        Some("buttons" | "list") => numbered(&reply.options.unwrap_or_default()),
        Some("link") => reply.link.as_deref().and_then(safe_link).filter(|link| !text.contains(link)),
        _ => None,
    };
    let parts: Vec<String> =
        [Some(text), more].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

fn numbered(options: &[TurnOption]) -> Option<String> {
    let titles = options.iter().filter_map(|option| option.title.as_deref());
    let titles = titles.map(one_line).filter(|title| !title.is_empty());
    let lines: Vec<String> = titles
        .take(OPTIONS)
        .zip(1..)
        .map(|(title, n)| format!("{n}. {}", shorten(&title, OPTION_CHARS)))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Only `https`, and without a user name, which would make one host look like another.
fn safe_link(link: &str) -> Option<String> {
    let url = url::Url::parse(link.trim()).ok()?;
    let safe = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    (safe && url.has_host()).then(|| url.to_string())
}

/// A code that we do not know still means that the model wants a person.
fn escalation(handoff: TurnHandoff) -> Escalation {
    let reason = match handoff.reason_code.as_deref() {
        Some("no_knowledge") => Reason::NoKnowledge,
        Some("policy") => Reason::Policy,
        Some("repeated_failure") => Reason::RepeatedFailure,
        Some("sensitive") => Reason::Sensitive,
        Some("angry") => Reason::Angry,
        Some("tool_failed") => Reason::ToolFailed,
        _ => Reason::AskedForHuman,
    };
    Escalation {
        reason,
        detail: shorten(&one_line(&handoff.reason.unwrap_or_default()), DETAIL_CHARS),
        summary: shorten(clean(&handoff.summary.unwrap_or_default()).trim(), SUMMARY_CHARS),
    }
}

fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// BCP-47 in rough: enough to keep anything but a tag out of records and headers.
fn is_language_tag(tag: &str) -> bool {
    (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_sentiment(word: &str) -> bool {
    matches!(word, "positive" | "neutral" | "negative" | "angry")
}

fn read<T: DeserializeOwned>(json: &[u8], wrong: &str) -> Result<T, ModelError> {
    // serde's own words may quote what stands there.
    serde_json::from_slice(json)
        .map_err(|error| malformed(&format!("{wrong} (line {}, column {})", error.line(), error.column())))
}

fn from_value(object: Value) -> Result<FinishTurn, ModelError> {
    serde_json::from_value(object).map_err(|_| malformed(ARGUMENTS_WRONG))
}

fn malformed(what: &str) -> ModelError {
    ModelError::Malformed(what.to_owned())
}

#[cfg(test)]
mod tests;
