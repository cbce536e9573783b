//! The one tool that a model may call, described in the part of JSON Schema that every provider's strict mode takes.
//!
//! Strict mode (platform.openai.com, "Structured outputs") wants every property required, no property beyond those,
//! and optional values as a type list with `null`; it knows no lengths or patterns. [`Schema`] can say nothing else.
//! Lengths, links and codes are checked after the answer, in `parse`.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// The tool's name.
pub const TOOL: &str = "finish_turn";

/// What the tool is for, in the model's words.
pub const TOOL_PURPOSE: &str = "End your turn: what the customer reads, and whether a person takes over. \
    Call it exactly once.";

/// What `finish_turn` takes. It never changes at run time: providers compile a schema on first use and keep it.
pub const ARGUMENTS: Schema = Schema::Object(&[
    ("reply", REPLY),
    ("handoff", HANDOFF),
    ("fields", Schema::List(&FIELD)),
    ("sources", Schema::List(&Schema::Text)),
    ("language", Schema::Text),
    ("sentiment", Schema::OneOf(&["positive", "neutral", "negative", "angry"])),
    ("answered", Schema::OneOf(&["full", "partial", "none"])),
]);

const REPLY: Schema = Schema::Object(&[
    ("text", Schema::Text),
    ("format", Schema::OneOf(&["text", "buttons", "list", "link"])),
    ("options", Schema::List(&OPTION)),
    ("link", Schema::MaybeText),
]);

const OPTION: Schema = Schema::Object(&[("title", Schema::Text), ("value", Schema::Text)]);

const HANDOFF: Schema = Schema::MaybeObject(&[
    ("reason_code", Schema::OneOf(REASON_CODES)),
    ("reason", Schema::Text),
    ("summary", Schema::Text),
    ("priority", Schema::OneOf(&["low", "normal", "high", "urgent"])),
]);

const REASON_CODES: &[&str] =
    &["asked_for_human", "no_knowledge", "policy", "repeated_failure", "sensitive", "angry", "tool_failed"];

const FIELD: Schema =
    Schema::Object(&[("name", Schema::Text), ("value", Schema::Text), ("quote", Schema::Text)]);

/// A shape that all providers accept. Properties keep their order: models fill them in from top to bottom.
#[derive(Debug, Clone, Copy)]
pub enum Schema {
    /// An object with exactly these properties.
    Object(&'static [(&'static str, Schema)]),
    /// The same or `null`.
    MaybeObject(&'static [(&'static str, Schema)]),
    /// A text.
    Text,
    /// A text or `null`.
    MaybeText,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Any number of these.
    List(&'static Schema),
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Object(properties) => {
                map.serialize_entry("type", "object")?;
                object(&mut map, properties)?;
            }
            Self::MaybeObject(properties) => {
                map.serialize_entry("type", &["object", "null"])?;
                object(&mut map, properties)?;
            }
            Self::Text => map.serialize_entry("type", "string")?,
            Self::MaybeText => map.serialize_entry("type", &["string", "null"])?,
            Self::OneOf(values) => {
                map.serialize_entry("type", "string")?;
                map.serialize_entry("enum", values)?;
            }
            Self::List(item) => {
                map.serialize_entry("type", "array")?;
                map.serialize_entry("items", item)?;
            }
        }
        map.end()
    }
}

fn object<M: SerializeMap>(map: &mut M, properties: &[(&str, Schema)]) -> Result<(), M::Error> {
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    map.serialize_entry("properties", &Properties(properties))?;
    map.serialize_entry("required", &required)?;
    map.serialize_entry("additionalProperties", &false)
}

struct Properties<'a>(&'a [(&'a str, Schema)]);

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, schema)| (name, schema)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Every object of the schema, at any depth, with its path.
    fn objects(path: &str, schema: &Value, found: &mut Vec<(String, Value)>) {
        if let Some(properties) = schema["properties"].as_object() {
            found.push((path.to_owned(), schema.clone()));
            for (name, inner) in properties {
                objects(&format!("{path}.{name}"), inner, found);
            }
        }
        if schema["items"].is_object() {
            objects(&format!("{path}[]"), &schema["items"], found);
        }
    }

    #[test]
    fn the_schema_is_what_strict_mode_takes() {
        let schema = serde_json::to_value(ARGUMENTS).unwrap();
        let mut found = Vec::new();
        objects("", &schema, &mut found);
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["", ".fields[]", ".handoff", ".reply", ".reply.options[]"]);
        for (path, object) in &found {
            assert_eq!(object["additionalProperties"], false, "{path}");
            let named: Vec<&String> = object["properties"].as_object().unwrap().keys().collect();
            let mut required: Vec<&str> =
                object["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            required.sort_unstable();
            assert_eq!(required, named, "{path}");
        }
        assert_eq!(schema["properties"]["handoff"]["type"], serde_json::json!(["object", "null"]));
        assert_eq!(schema["properties"]["reply"]["type"], "object");
        assert_eq!(
            schema["properties"]["reply"]["properties"]["link"]["type"],
            serde_json::json!(["string", "null"])
        );
    }

    #[test]
    fn the_reply_is_filled_in_before_anything_that_judges_it() {
        let text = serde_json::to_string(&ARGUMENTS).unwrap();
        assert!(text.find("\"reply\"") < text.find("\"handoff\""));
        assert!(text.find("\"handoff\"") < text.find("\"answered\""));
    }
}
