//! What the line is configured with in a test, written as the documented `switchboard.toml`.

use super::creatio::{Creatio, Flavour, GROUP, REP, RESOLVED};
use super::model::Model;

/// The number that most tests write to.
pub const NUMBER: &str = "880200000000011";
/// A second number, of another Meta app.
pub const OTHER_NUMBER: &str = "880200000000022";
/// The secret of [`NUMBER`]'s app.
pub const APP_SECRET: &str = "app-secret-kestrel-4471";
/// The secret of [`OTHER_NUMBER`]'s app.
pub const OTHER_APP_SECRET: &str = "app-secret-plover-9082";
/// The word of the handshake.
pub const VERIFY_TOKEN: &str = "verify-token-wagtail-3310";
/// The token for the Graph API.
pub const ACCESS_TOKEN: &str = "access-token-osprey-5527";
/// The OAuth application in Creatio.
pub const CLIENT_ID: &str = "client-id-dunlin-6613";
/// Its secret.
pub const CLIENT_SECRET: &str = "client-secret-merlin-1209";
/// The last part of Creatio's webhook address.
pub const WEBHOOK_TOKEN: &str = "webhook-token-siskin-7745";
/// The model's key.
pub const MODEL_KEY: &str = "model-key-avocet-2098";

/// Everything secret in it.
pub const SECRETS: [&str; 8] = [
    APP_SECRET,
    OTHER_APP_SECRET,
    VERIFY_TOKEN,
    ACCESS_TOKEN,
    CLIENT_SECRET,
    WEBHOOK_TOKEN,
    MODEL_KEY,
    "standin-bearer-",
];

/// What a test changes; the rest is as documented.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `debounce_seconds`.
    pub debounce_seconds: f64,
    /// `ai_enabled` of [`NUMBER`].
    pub ai_enabled: bool,
    /// `auto_resolve_hours` of [`NUMBER`].
    pub auto_resolve_hours: f64,
    /// `case_only_on_handoff`.
    pub case_only_on_handoff: bool,
    /// Where Creatio keeps its OData.
    pub flavour: Flavour,
    /// A Creatio that is somebody else's: address, client id, client secret.
    pub creatio: Option<(String, String, String)>,
    /// `default_owner_id` and `default_group_id`.
    pub owner: (&'static str, &'static str),
    /// Whether [`OTHER_NUMBER`] is configured too.
    pub other_number: bool,
    /// The Graph API's address, when it is not the stand-in's.
    pub graph_url: Option<String>,
    /// The model's address, when it is not the stand-in's.
    pub model_url: Option<String>,
    /// `RUST_LOG`.
    pub log: Option<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            debounce_seconds: 0.0,
            ai_enabled: true,
            auto_resolve_hours: 12.0,
            case_only_on_handoff: false,
            flavour: Flavour::Framework,
            creatio: None,
            owner: (REP, GROUP),
            other_number: false,
            graph_url: None,
            model_url: None,
            log: None,
        }
    }
}

impl Setup {
    /// The file.
    pub fn toml(&self, model: &Model, creatio: &Creatio) -> String {
        let ours = || (creatio.url.clone(), CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned());
        let (site, client_id, client_secret) = self.creatio.clone().unwrap_or_else(ours);
        let Self { debounce_seconds, case_only_on_handoff, .. } = self;
        let (numbers, (owner, group)) = (self.numbers(), self.owner);
        let model = self.model_url.as_ref().unwrap_or(&model.url);
        format!(
            r#"
[orgs.acme]
name = "Acme"
profile = "You answer for Acme, a bicycle shop."
session_url = "http://127.0.0.1:8080/sessions/{{session_id}}"
debounce_seconds = {debounce_seconds:?}
{numbers}
[orgs.acme.creatio]
instance_url = "{site}"
identity_url = "{site}"
client_id = "{client_id}"
client_secret = "{client_secret}"
webhook_token = "{WEBHOOK_TOKEN}"
default_owner_id = "{owner}"
default_group_id = "{group}"
resolved_status_id = "{RESOLVED}"
case_only_on_handoff = {case_only_on_handoff}
[orgs.acme.model]
provider = "openai"
base_url = "{model}"
model = "any"
api_key = "{MODEL_KEY}"
"#
        )
    }

    fn numbers(&self) -> String {
        let first = number(NUMBER, APP_SECRET, self.ai_enabled, self.auto_resolve_hours);
        let second = number(OTHER_NUMBER, OTHER_APP_SECRET, true, 12.0);
        if self.other_number { first + &second } else { first }
    }
}

fn number(id: &str, secret: &str, ai_enabled: bool, auto_resolve_hours: f64) -> String {
    format!(
        r#"
[[orgs.acme.whatsapp]]
phone_number_id = "{id}"
display_number = "+1 202 555 0111"
access_token = "{ACCESS_TOKEN}"
app_secret = "{secret}"
verify_token = "{VERIFY_TOKEN}"
ai_enabled = {ai_enabled}
auto_resolve_hours = {auto_resolve_hours:?}
"#
    )
}
