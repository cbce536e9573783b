//! What goes over the wire: the few fields of Chat Completions that we send, and those that we read.
//!
//! Only what every compatible server knows is sent: strict servers answer 400 to a field they do not know, and
//! reasoning models refuse `temperature`. What is read is read loosely, because gateways leave out or null anything.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::agent::{ChatRole, Prompt};

use super::schema::{ARGUMENTS, Schema, TOOL, TOOL_PURPOSE};

/// The most tokens of an answer, reasoning included.
const ANSWER_TOKENS: u32 = 1200;

/// The body of `POST {base}/chat/completions`.
#[derive(Serialize)]
pub struct Request<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    tools: [Tool; 1],
    tool_choice: &'static str,
    parallel_tool_calls: bool,
    max_completion_tokens: u32,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct Tool {
    r#type: &'static str,
    function: Function,
}

#[derive(Serialize)]
struct Function {
    name: &'static str,
    description: &'static str,
    strict: bool,
    parameters: Schema,
}

impl<'a> Request<'a> {
    /// The question: instructions, then each message of the thread as one of its own, then what was wrong with the
    /// answer before, if there was one.
    #[must_use]
    pub fn new(model: &'a str, prompt: &'a Prompt, repair: Option<&str>) -> Self {
        let system = Message { role: "system", content: prompt.system.as_str().into() };
        let turns = prompt.turns.iter().map(|turn| Message {
            role: match turn.role {
                ChatRole::User => "user",
                ChatRole::Assistant => "assistant",
            },
            content: turn.text.as_str().into(),
        });
        let messages = std::iter::once(system).chain(turns).chain(repair.map(correction)).collect();
        Self {
            model,
            messages,
            tools: [FINISH_TURN],
            tool_choice: "required",
            parallel_tool_calls: false,
            max_completion_tokens: ANSWER_TOKENS,
        }
    }
}

const FINISH_TURN: Tool = Tool {
    r#type: "function",
    function: Function { name: TOOL, description: TOOL_PURPOSE, strict: true, parameters: ARGUMENTS },
};

/// A `user` message, because chat templates of self-hosted models refuse a second `system` one, and a `tool` one must
/// follow the call that it answers, which is not kept.
fn correction(what: &str) -> Message<'static> {
    let text = format!(
        "[From the support system, not from the customer: your last answer could not be used: {what}. \
         Answer the customer again by calling {TOOL} exactly once.]"
    );
    Message { role: "user", content: text.into() }
}

/// The body of an answer with status 200.
#[derive(Deserialize)]
pub struct Reply {
    /// The answers; one, since one was asked for.
    pub choices: Option<Vec<Choice>>,
    /// Some gateways report an error with status 200.
    pub error: Option<Value>,
}

/// One answer.
#[derive(Deserialize)]
pub struct Choice {
    /// Why the model stopped: `stop`, `tool_calls`, `length`, `content_filter`, or anything else.
    pub finish_reason: Option<String>,
    /// What it said.
    pub message: Option<Said>,
}

/// What a model said.
#[derive(Default, Deserialize)]
pub struct Said {
    /// Plain words, usually `null` beside a tool call.
    pub content: Option<Content>,
    /// The provider's words for not answering.
    pub refusal: Option<String>,
    /// The tools it called.
    pub tool_calls: Option<Vec<ToolCall>>,
}

/// Plain words, in the two forms in which servers send them.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// One text.
    Text(String),
    /// Parts; those without a text are not for the customer.
    Parts(Vec<Part>),
}

/// A part of the plain words.
#[derive(Deserialize)]
pub struct Part {
    /// The words.
    pub text: Option<String>,
}

impl Content {
    /// The words as one text.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => parts.iter().filter_map(|part| part.text.as_deref()).collect(),
        }
    }
}

/// One tool call.
#[derive(Deserialize)]
pub struct ToolCall {
    /// What is called.
    pub function: Option<Called>,
}

/// What is called.
#[derive(Deserialize)]
pub struct Called {
    /// The tool's name.
    pub name: Option<String>,
    /// The arguments: JSON in a text, or the object itself on servers that take the standard lightly.
    pub arguments: Option<Value>,
}

/// The arguments of `finish_turn`. What is not read here is not trusted for anything yet.
#[derive(Deserialize)]
pub struct FinishTurn {
    /// What the customer is to read.
    pub reply: Option<TurnReply>,
    /// The wish for a person.
    pub handoff: Option<TurnHandoff>,
    /// A BCP-47 tag.
    pub language: Option<String>,
    /// How the customer feels.
    pub sentiment: Option<String>,
}

/// What the customer is to read.
#[derive(Default, Deserialize)]
pub struct TurnReply {
    /// The words.
    pub text: Option<String>,
    /// `text`, `buttons`, `list` or `link`.
    pub format: Option<String>,
    /// The choices of `buttons` and `list`.
    pub options: Option<Vec<TurnOption>>,
    /// The address of `link`.
    pub link: Option<String>,
}

/// A choice.
#[derive(Deserialize)]
pub struct TurnOption {
    /// What the customer sees.
    pub title: Option<String>,
}

/// The wish for a person.
#[derive(Deserialize)]
pub struct TurnHandoff {
    /// One of the codes of the schema.
    pub reason_code: Option<String>,
    /// Why, in a short phrase.
    pub reason: Option<String>,
    /// What the person reads first.
    pub summary: Option<String>,
}
