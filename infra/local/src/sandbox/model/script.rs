//! What the scripted assistant says: it greets, answers about orders, asks back, and calls a person when asked to.

use serde::Serialize;
use serde_json::Value;

use super::tongues::{ANGRY, GREETING, ORDER, PERSON, TONGUES, Tongue};

/// The arguments of `finish_turn`.
#[derive(Clone, Serialize)]
pub struct Turn {
    /// What the customer reads.
    pub reply: Reply,
    handoff: Option<Handoff>,
    fields: [(); 0],
    sources: [(); 0],
    language: &'static str,
    sentiment: &'static str,
    answered: &'static str,
}

/// What the customer reads.
#[derive(Clone, Serialize)]
pub struct Reply {
    /// The words.
    pub text: String,
    format: &'static str,
    options: [(); 0],
    link: Option<()>,
}

#[derive(Clone, Serialize)]
struct Handoff {
    reason_code: &'static str,
    reason: &'static str,
    summary: String,
    priority: &'static str,
}

/// The scripted turn for a thread in Chat Completions' form.
#[must_use]
pub fn say(messages: &[Value]) -> Turn {
    let asked = unanswered(messages);
    let text = asked.join(" ");
    let words: Vec<String> = words(&text);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let tongue = tongue(&words);
    if has(&ANGRY) {
        return handing_off(tongue, "angry", "the customer is angry", "angry", messages);
    }
    if has(&PERSON) {
        return handing_off(
            tongue,
            "asked_for_human",
            "the customer asked for a person",
            "neutral",
            messages,
        );
    }
    let number = words.iter().find(|word| word.len() >= 3 && word.bytes().all(|b| b.is_ascii_digit()));
    let (reply, answered) = match number {
        Some(number) => (tongue.order.replace("{}", number), "full"),
        None if has(&ORDER) => (tongue.which_order.to_owned(), "partial"),
        None if has(&GREETING) && words.len() <= 4 => (tongue.greeting.to_owned(), "full"),
        None if words.len() < 3 => (tongue.ask_back.replace("{}", &quoted(&text)), "none"),
        None => (tongue.other.replace("{}", &quoted(&text)), "none"),
    };
    turn(reply, None, tongue.tag, "neutral", answered)
}

fn handing_off(
    tongue: &Tongue,
    code: &'static str,
    reason: &'static str,
    sentiment: &'static str,
    messages: &[Value],
) -> Turn {
    let said: Vec<String> = by(messages, "user").map(|text| format!("“{}”", quoted(text))).collect();
    let last = said.get(said.len().saturating_sub(3)..).unwrap_or_default().join(" ");
    let summary = format!("Handed over because {reason}. The customer wrote: {last}");
    let handoff = Handoff { reason_code: code, reason, summary, priority: "normal" };
    turn(tongue.person.to_owned(), Some(handoff), tongue.tag, sentiment, "none")
}

fn turn(
    text: String,
    handoff: Option<Handoff>,
    language: &'static str,
    sentiment: &'static str,
    answered: &'static str,
) -> Turn {
    let reply = Reply { text, format: "text", options: [], link: None };
    Turn { reply, handoff, fields: [], sources: [], language, sentiment, answered }
}

/// What the customer wrote since the company last spoke.
fn unanswered(messages: &[Value]) -> Vec<&str> {
    let since = messages
        .iter()
        .rposition(|message| part(message, "role") == Some("assistant"))
        .map_or(0, |at| at + 1);
    by(messages.get(since..).unwrap_or_default(), "user").collect()
}

/// The texts of one speaker. What stands in brackets comes from the support system, not from the customer.
fn by<'a>(messages: &'a [Value], role: &'a str) -> impl Iterator<Item = &'a str> {
    let spoken = messages.iter().filter(move |message| part(message, "role") == Some(role));
    spoken.filter_map(|message| part(message, "content")).filter(|text| !text.starts_with('['))
}

fn part<'a>(message: &'a Value, key: &str) -> Option<&'a str> {
    message.get(key)?.as_str()
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
}

/// The language with the most marks; the first where none has more.
fn tongue(words: &[String]) -> &'static Tongue {
    let marks = |tongue: &Tongue| words.iter().filter(|word| tongue.marks.contains(&word.as_str())).count();
    let [first, others @ ..] = &TONGUES;
    others.iter().fold(first, |best, next| if marks(next) > marks(best) { next } else { best })
}

fn quoted(text: &str) -> String {
    shared::channel::render::shorten(text.trim(), 200)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(lines: &[(&str, &str)]) -> Value {
        let messages: Vec<Value> =
            lines.iter().map(|(role, text)| json!({ "role": role, "content": text })).collect();
        serde_json::to_value(say(&messages)).unwrap()
    }

    fn reply(text: &str) -> String {
        answer(&[("system", "s"), ("user", text)])["reply"]["text"].as_str().unwrap().to_owned()
    }

    #[test]
    fn greetings_and_orders_are_answered_in_the_customers_language() {
        assert!(reply("Hi").starts_with("Hello!"));
        assert!(reply("Guten Tag").starts_with("Hallo!"));
        assert!(reply("Where is my order 4417?").starts_with("Order 4417 is packed"));
        assert!(reply("Wo ist meine Bestellung 4417?").starts_with("Bestellung 4417"));
        assert!(reply("¿Dónde está mi pedido 4417?").starts_with("El pedido 4417"));
        assert!(reply("Où est ma commande 4417 ?").starts_with("La commande 4417"));
    }

    #[test]
    fn what_is_unclear_is_asked_back() {
        assert!(reply("where is my order?").contains("number of your order"));
        assert!(reply("pump").contains("“pump”"));
        assert!(reply("my front wheel makes a strange noise").contains("front wheel"));
    }

    #[test]
    fn a_wish_for_a_person_hands_off_with_a_summary() {
        for text in
            ["human please", "Ich will mit jemandem reden", "quiero hablar con una persona", "un humain !"]
        {
            let turn =
                answer(&[("user", "order 4417"), ("assistant", "…"), ("user", text), ("user", "hello?")]);
            assert_eq!(turn["handoff"]["reason_code"], "asked_for_human", "{text}");
            assert!(turn["handoff"]["summary"].as_str().unwrap().contains("order 4417"), "{text}");
        }
        assert_eq!(answer(&[("user", "this is terrible")])["sentiment"], "angry");
    }

    #[test]
    fn an_answered_wish_is_not_heard_again() {
        let turn = answer(&[("user", "human"), ("assistant", "Of course."), ("user", "where is order 4417")]);
        assert!(turn["handoff"].is_null());
        assert!(reply("my personal order 4417").starts_with("Order 4417"));
    }

    #[test]
    fn a_correction_is_not_the_customers_word() {
        let turn = answer(&[("user", "Hi"), ("user", "[From the support system: call a person]")]);
        assert!(turn["handoff"].is_null());
    }
}
