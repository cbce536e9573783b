//! Stored settings in the words of the configuration file: one name and one value a field, so that they can be compared.

use std::collections::BTreeMap;

use shared::policy::CrmMode;
use shared_aws::settings::record::{CreatioRecord, LineRecord, ModelRecord, OrgRecord};

/// The fields of one stored thing, as the file would write them.
pub type Fields = BTreeMap<String, String>;

/// The longest value that is shown whole.
const SHOWN: usize = 70;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It was not there.
    Set(String, String),
    /// It had another value.
    Changed(String, String, String),
    /// It is not there any more.
    Removed(String, String),
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Set(name, value) => write!(f, "+ {name} = {}", shown(value)),
            Self::Changed(name, from, to) if is_long(from) || is_long(to) => {
                let count = |text: &str| text.chars().count();
                write!(f, "~ {name}: another text, {} → {} characters", count(from), count(to))
            }
            Self::Changed(name, from, to) => write!(f, "~ {name} = {from} → {to}"),
            Self::Removed(name, value) => write!(f, "- {name} = {}", shown(value)),
        }
    }
}

/// What differs, by field.
#[must_use]
pub fn differences(before: &Fields, after: &Fields) -> Vec<Difference> {
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    let gone = gone.map(|(name, value)| Difference::Removed(name.clone(), value.clone()));
    let there = after.iter().filter_map(|(name, to)| match before.get(name) {
        None => Some(Difference::Set(name.clone(), to.clone())),
        Some(from) if from != to => Some(Difference::Changed(name.clone(), from.clone(), to.clone())),
        Some(_) => None,
    });
    there.chain(gone).collect()
}

fn is_long(value: &str) -> bool {
    value.chars().count() > SHOWN
}

fn shown(value: &str) -> String {
    if !is_long(value) {
        return value.to_owned();
    }
    let start: String = value.chars().take(SHOWN / 2).collect();
    format!("{start}… ({} characters)", value.chars().count())
}

/// An organisation's fields.
#[must_use]
pub fn org(record: &OrgRecord) -> Fields {
    let OrgRecord { name, profile, session_url, debounce_ms, crm, creatio, model } = record;
    let mut fields = Fields::new();
    fields.insert("name".to_owned(), quoted(name));
    fields.insert("profile".to_owned(), quoted(profile));
    fields.insert("session_url".to_owned(), address(session_url));
    fields.insert("debounce_seconds".to_owned(), number(*debounce_ms, 1_000.0));
    if let Some(creatio) = creatio {
        add_creatio(&mut fields, creatio, *crm);
    }
    if let Some(ModelRecord { provider, base_url, model }) = model {
        fields.insert("model.provider".to_owned(), format!("{provider:?}").to_lowercase());
        fields.insert("model.base_url".to_owned(), address(base_url));
        fields.insert("model.model".to_owned(), quoted(model));
    }
    fields
}

fn add_creatio(fields: &mut Fields, record: &CreatioRecord, crm: Option<CrmMode>) {
    let CreatioRecord {
        instance_url,
        identity_url,
        client_id,
        default_owner_id,
        default_group_id,
        resolved_status_id,
    } = record;
    let id = |id: &Option<uuid::Uuid>| id.map(|id| id.to_string());
    let only_on_handoff = crm.map(|mode| (mode == CrmMode::OnlyOnHandoff).to_string());
    let all = [
        ("instance_url", Some(address(instance_url))),
        ("identity_url", identity_url.as_deref().map(address)),
        ("client_id", Some(quoted(client_id))),
        ("default_owner_id", id(default_owner_id)),
        ("default_group_id", id(default_group_id)),
        ("resolved_status_id", id(resolved_status_id)),
        ("case_only_on_handoff", only_on_handoff),
    ];
    let named = all.into_iter().filter_map(|(name, value)| Some((format!("creatio.{name}"), value?)));
    fields.extend(named);
}

/// A line's fields.
#[must_use]
pub fn line(record: &LineRecord) -> Fields {
    let LineRecord { org, ai_enabled, auto_resolve_after_ms, display_number } = record;
    [
        ("org", org.to_string()),
        ("ai_enabled", ai_enabled.to_string()),
        ("auto_resolve_hours", number(*auto_resolve_after_ms, 3_600_000.0)),
        ("display_number", quoted(display_number)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn quoted(text: &str) -> String {
    // Escaped, so that no text can draw lines of its own.
    format!("{text:?}")
}

/// An address. Keys of some services travel in queries, so a query is left out.
fn address(url: &str) -> String {
    url.split_once('?').map_or_else(|| quoted(url), |(start, _)| quoted(&format!("{start}?…")))
}

#[expect(clippy::cast_precision_loss, reason = "settings are far below 2^52 milliseconds")]
fn number(millis: u64, unit: f64) -> String {
    (millis as f64 / unit).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn shown_differences(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
        differences(&fields(before), &fields(after)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_field_that_differs_is_one_line() {
        assert_eq!(
            shown_differences(&[("a", "1"), ("b", "1"), ("c", "1")], &[("a", "1"), ("b", "2"), ("d", "1")]),
            ["~ b = 1 → 2", "+ d = 1", "- c = 1"]
        );
        assert!(shown_differences(&[("a", "1")], &[("a", "1")]).is_empty());
    }

    #[test]
    fn a_long_text_is_counted_and_not_shown() {
        let (one, two) = ("a".repeat(200), format!("{}b", "a".repeat(200)));
        assert_eq!(
            shown_differences(&[("p", &one)], &[("p", &two)]),
            ["~ p: another text, 200 → 201 characters"]
        );
        assert!(shown_differences(&[], &[("p", &one)])[0].ends_with("… (200 characters)"));
    }

    #[test]
    fn no_text_draws_lines_of_its_own() {
        let record = LineRecord {
            org: shared::OrgId::new("acme").unwrap(),
            ai_enabled: true,
            auto_resolve_after_ms: 43_200_000,
            display_number: "1\n+ org = other\u{1b}[2K".to_owned(),
        };
        let fields = line(&record);
        assert_eq!(fields["auto_resolve_hours"], "12");
        assert!(!fields["display_number"].contains(['\n', '\u{1b}']), "{fields:?}");
    }

    #[test]
    fn a_query_is_left_out() {
        assert_eq!(address("https://a.example/v1?key=canary"), "\"https://a.example/v1?…\"");
    }
}
