//! The two business processes that an administrator builds: a new activity of a case, and a case that was closed, each
//! posted to the line's webhook. Five seconds, no second try: what is lost is lost, as with the real ones.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::CreatioSandbox;
use super::records::is_closed;
use super::schema::ids;
use super::store::{Row, Store, guid_in};

/// How long a web service may take, by default.
const LIMIT: Duration = Duration::from_secs(5);

/// Where events go.
#[derive(Clone)]
pub struct Hook {
    client: reqwest::Client,
    /// It holds the webhook's token.
    url: SecretString,
}

/// Something the processes start on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    kind: &'static str,
    case: Uuid,
}

impl Hook {
    /// A hook to this address.
    pub fn new(url: &str) -> std::io::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(LIMIT)
            .build()
            .map_err(std::io::Error::other)?;
        Ok(Self { client, url: url.to_owned().into() })
    }
}

/// The first process: an activity was added to a case by somebody else than the integration.
pub fn on_activity(activity: &Row) -> Option<Event> {
    let case = guid_in(activity, "CaseId")?;
    let kind = guid_in(activity, "TypeId");
    let by = guid_in(activity, "AuthorId").or_else(|| guid_in(activity, "CreatedById"));
    let is_meant = kind == Some(ids::TASK) || kind == Some(ids::EMAIL);
    (is_meant && by != Some(ids::INTEGRATION)).then_some(Event { kind: "new_activity", case })
}

/// The second process: a case reached a final or resolved status.
pub fn on_case(store: &Store, before: &Row, after: &Row) -> Option<Event> {
    let case = guid_in(after, "Id")?;
    (!is_closed(store, before) && is_closed(store, after)).then_some(Event { kind: "case_closed", case })
}

/// Runs the process behind an event, in the background.
pub fn run(sandbox: &CreatioSandbox, event: Option<Event>) {
    let Some(event) = event else { return };
    if !sandbox.faults.lose_webhook() {
        tokio::spawn(call(sandbox.hook.clone(), event));
    }
}

async fn call(hook: Hook, event: Event) {
    let body: Value = json!({"event_type": event.kind, "caseId": event.case});
    let sent = hook.client.post(hook.url.expose_secret()).json(&body).send().await;
    if let Err(error) = sent.and_then(reqwest::Response::error_for_status) {
        // The address holds the webhook's token.
        let error = error.without_url();
        tracing::warn!(%error, event = event.kind, "the Creatio sandbox's process could not call the webhook");
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::{change, create};
    use super::super::schema::entity;
    use super::*;

    #[test]
    fn only_other_peoples_tasks_and_mails_of_a_case_start_the_first_process() {
        let case = Uuid::from_u128(1);
        let started = |columns: Value| on_activity(columns.as_object().unwrap()).is_some();
        assert!(started(json!({"CaseId": case, "TypeId": ids::TASK, "AuthorId": ids::REP})));
        assert!(started(json!({"CaseId": case, "TypeId": ids::EMAIL, "CreatedById": ids::REP})));
        assert!(!started(json!({"CaseId": case, "TypeId": ids::TASK, "AuthorId": ids::INTEGRATION})));
        assert!(!started(json!({"CaseId": case, "TypeId": Uuid::from_u128(2), "AuthorId": ids::REP})));
        assert!(!started(json!({"TypeId": ids::TASK, "AuthorId": ids::REP})));
    }

    #[test]
    fn a_case_starts_the_second_process_when_it_closes_and_not_again() {
        let mut store = Store::open(None).unwrap();
        let of = entity("Case").unwrap();
        let row = create(&mut store, of, &Row::new(), ids::INTEGRATION).unwrap();
        let id = guid_in(&row, "Id").unwrap();
        let mut set = |columns: Value| {
            let (before, after) = change(&mut store, of, id, columns.as_object().unwrap(), ids::REP).unwrap();
            on_case(&store, &before, &after).map(|event| (event.kind, event.case))
        };
        assert_eq!(set(json!({"Subject": "x"})), None);
        assert_eq!(
            set(json!({"StatusId": "ae7f411e-f46b-1410-009b-0050ba5d6c38"})),
            Some(("case_closed", id))
        );
        assert_eq!(set(json!({"StatusId": ids::CLOSED})), None);
        assert_eq!(set(json!({"StatusId": ids::NEW})), None);
        assert_eq!(set(json!({"StatusId": ids::CLOSED})), Some(("case_closed", id)));
    }
}
