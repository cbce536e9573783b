//! Reading a request to send as strictly as Meta does.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::graph::GraphError;

/// The most characters of a text body, counted in the unit that yields the most.
const TEXT: usize = 4096;
/// The most characters of `biz_opaque_callback_data`.
const TAG: usize = 512;
/// Types that are sent as they are and shown as a placeholder.
const OTHER_TYPES: [&str; 9] =
    ["audio", "contacts", "document", "image", "interactive", "location", "reaction", "sticker", "video"];

/// What a request wants.
#[derive(Debug)]
pub enum Wanted {
    /// To send a message.
    Send(Outbound),
    /// To mark a customer's message as read.
    Read(String),
}

/// A message to send.
#[derive(Debug)]
pub struct Outbound {
    /// To whom.
    pub to: Recipient,
    /// The address as it was written.
    pub input: String,
    /// The words, or a placeholder.
    pub text: String,
    /// Whether it may be sent outside the window.
    pub template: bool,
    /// The business's own mark.
    pub tag: Option<String>,
}

/// To whom a message goes.
#[derive(Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A phone number, digits only.
    Phone(String),
    /// A business-scoped user id in `recipient`.
    User(String),
    /// A business-scoped user id in `to`: Meta answers 200, and the message is lost.
    Nowhere,
}

#[derive(Deserialize)]
struct Body {
    messaging_product: Option<String>,
    status: Option<String>,
    message_id: Option<String>,
    to: Option<String>,
    recipient: Option<String>,
    r#type: Option<String>,
    text: Option<Text>,
    template: Option<Template>,
    biz_opaque_callback_data: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Text {
    body: Option<String>,
}

#[derive(Deserialize)]
struct Template {
    name: Option<String>,
}

/// Reads a body.
pub fn wanted(body: &[u8]) -> Result<Wanted, GraphError> {
    let body: Body = serde_json::from_slice(body)
        .map_err(|error| GraphError::parameter(&format!("The body cannot be read: {error}")))?;
    if body.messaging_product.as_deref() != Some("whatsapp") {
        return Err(GraphError::parameter("The parameter messaging_product is required."));
    }
    if body.status.as_deref() == Some("read") {
        return Ok(Wanted::Read(body.message_id.unwrap_or_default()));
    }
    let (to, input) = recipient(&body)?;
    let (text, template) = content(&body)?;
    Ok(Wanted::Send(Outbound { to, input, text, template, tag: tag(body.biz_opaque_callback_data)? }))
}

/// If both are given, `to` wins.
fn recipient(body: &Body) -> Result<(Recipient, String), GraphError> {
    match (body.to.as_deref(), body.recipient.as_deref()) {
        (Some(to), _) if is_user_id(to) => Ok((Recipient::Nowhere, to.to_owned())),
        (Some(to), _) => match phone(to) {
            Some(digits) => Ok((Recipient::Phone(digits), to.to_owned())),
            None => Err(GraphError::value("The parameter to is not a phone number.")),
        },
        (None, Some(user)) if is_user_id(user) => Ok((Recipient::User(user.to_owned()), user.to_owned())),
        (None, Some(_)) => Err(GraphError::value("The parameter recipient is not a user id.")),
        (None, None) => Err(GraphError::parameter("The parameter to or recipient is required.")),
    }
}

/// The digits of a phone number with country code.
#[must_use]
pub fn phone(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let digits = bare.strip_prefix('+').unwrap_or(&bare);
    let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| digits.to_owned())
}

fn is_user_id(text: &str) -> bool {
    let Some((country, rest)) = text.split_once('.') else { return false };
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=132).contains(&rest.len())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

/// The words, and whether it is a template.
fn content(body: &Body) -> Result<(String, bool), GraphError> {
    match body.r#type.as_deref().unwrap_or("text") {
        "text" => Ok((text(body.text.as_ref())?, false)),
        "template" => {
            let name = body.template.as_ref().and_then(|template| template.name.as_ref());
            let name =
                name.ok_or_else(|| GraphError::parameter("The parameter template['name'] is required."))?;
            Ok((format!("[template {name}]"), true))
        }
        other => {
            let object =
                body.rest.get(other).filter(|object| OTHER_TYPES.contains(&other) && object.is_object());
            let wrong = || GraphError::parameter("The parameter type must name the object that is sent.");
            let words = object.ok_or_else(wrong)?.pointer("/body/text").and_then(Value::as_str);
            Ok((words.map_or_else(|| format!("[{other}]"), str::to_owned), false))
        }
    }
}

fn text(text: Option<&Text>) -> Result<String, GraphError> {
    let body = text.and_then(|text| text.body.clone()).filter(|body| !body.trim().is_empty());
    let body = body.ok_or_else(|| GraphError::parameter("The parameter text['body'] is required."))?;
    if body.encode_utf16().count() > TEXT {
        return Err(GraphError::value("The parameter text['body'] must be at most 4096 characters long."));
    }
    Ok(body)
}

fn tag(tag: Option<String>) -> Result<Option<String>, GraphError> {
    if tag.as_ref().is_some_and(|tag| tag.chars().count() > TAG) {
        return Err(GraphError::parameter("biz_opaque_callback_data must be at most 512 characters long."));
    }
    Ok(tag)
}
