//! The vendors from where the operator sits: whether each stored credential is accepted, by a call without an effect.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use shared::OrgId;
use shared_aws::settings::record::{Entry, ModelRecord};
use shared_flow::ports::{Crm, CrmError};
use shared_lambda::accounts::DeployedAccounts;
use shared_lambda::environment::GRAPH;
use shared_vendors::creatio::client::Creatio;
use shared_vendors::http::{Answer, Http};
use shared_vendors::whatsapp::client::VERSION;
use uuid::Uuid;

use super::report::{Hop, Outcome};
use crate::deployed::apply::Stored;

const LIMIT: Duration = Duration::from_secs(15);
/// A case that no site has: looking for it tries address, client, secret and the right to read.
const NO_CASE: Uuid = Uuid::from_u128(0x5357_4244_0000_4000_8000_0000_0000_0001);

/// Calls every vendor once for each credential.
pub async fn call(http: &Http, accounts: Arc<DeployedAccounts>, stored: &Stored) -> Vec<Hop> {
    let mut hops = Vec::new();
    let graph = std::env::var("SWITCHBOARD_WHATSAPP_URL").unwrap_or_else(|_| GRAPH.to_owned());
    for (org, tokens) in &stored.vault.access {
        for (number, token) in &tokens.access_tokens {
            let outcome = whatsapp(http, &graph, number, token).await;
            hops.push(Hop { name: format!("WhatsApp token of {org} for {number}"), outcome });
        }
    }
    let crm = Creatio::new(http.clone(), accounts);
    for entry in &stored.entries {
        let Entry::Org(org, record) = entry else { continue };
        if record.creatio.is_some() {
            let outcome = creatio(&crm, org).await;
            hops.push(Hop { name: format!("Creatio of {org}"), outcome });
        }
        if let (Some(model), Some(key)) = (&record.model, stored.vault.models.get(org)) {
            let outcome = reach_model(http, model, &key.api_key).await;
            hops.push(Hop { name: format!("model of {org}"), outcome });
        }
    }
    hops
}

async fn whatsapp(http: &Http, graph: &str, number: &str, token: &SecretString) -> Outcome {
    let url = format!("{}/{VERSION}/{number}?fields=id", graph.trim_end_matches('/'));
    match get(http, &url, token).await {
        Err(outcome) => outcome,
        Ok(answer) => match answer.status {
            200 => Outcome::Ok,
            400 | 401 | 403 | 404 => Outcome::failed(
                format!("Meta answered {}", answer.status),
                "check that the token belongs to a system user who may use this number (docs/connect-whatsapp.md)",
            ),
            status => Outcome::failed(format!("Meta answered {status}"), "try again in some minutes"),
        },
    }
}

async fn creatio(crm: &Creatio, org: &OrgId) -> Outcome {
    match crm.read_case(org, NO_CASE, None).await {
        // It looked, and there is no such case.
        Ok(_) | Err(CrmError::Gone(_)) => Outcome::Ok,
        Err(error @ CrmError::Later { .. }) => Outcome::failed(
            error.to_string(),
            "if it stays: check instance_url, and that the site can be reached",
        ),
        Err(error @ (CrmError::Broken(_) | CrmError::Refused(_))) => Outcome::failed(
            error.to_string(),
            "mend what the sentence names (docs/connect-creatio.md), then apply",
        ),
    }
}

async fn reach_model(http: &Http, model: &ModelRecord, key: &SecretString) -> Outcome {
    let url = format!("{}/models", model.base_url.trim_end_matches('/'));
    match get(http, &url, key).await {
        Err(outcome) => outcome,
        Ok(answer) => match answer.status {
            200..=299 => Outcome::Ok,
            401 | 403 => Outcome::failed(
                format!("the endpoint answered {}", answer.status),
                "check api_key and the account's right to use the model, then apply",
            ),
            404 | 405 => {
                Outcome::Note("it answers; it offers no list of models, so the key was not tried".to_owned())
            }
            status => Outcome::failed(format!("the endpoint answered {status}"), "try again in some minutes"),
        },
    }
}

async fn get(http: &Http, url: &str, token: &SecretString) -> Result<Answer, Outcome> {
    let refused = |why: String| Outcome::failed(why, "check the address and the network");
    let url = http.check(url).map_err(|error| refused(error.to_string()))?;
    let request = http.get(url).bearer_auth(token.expose_secret().trim());
    http.call(request, LIMIT).await.map_err(|error| refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::get as on_get;
    use shared_aws::settings::record::Provider;
    use shared_vendors::guard::Guard;

    use super::*;

    async fn serve() -> String {
        let guarded = |headers: HeaderMap| async move {
            let known = headers.get("authorization").is_some_and(|value| value == "Bearer right");
            if known { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
        };
        let routes = Router::new()
            .route("/v1/models", on_get(guarded))
            .route(&format!("/{VERSION}/880200000000011"), on_get(guarded));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    #[tokio::test]
    async fn a_token_that_is_refused_is_told_from_one_that_is_taken() {
        let (http, here) = (Http::new(Guard::new(true)).unwrap(), serve().await);
        let model = |path: &str| ModelRecord {
            provider: Provider::Openai,
            base_url: format!("{here}{path}"),
            model: "any".to_owned(),
        };
        assert_eq!(whatsapp(&http, &here, "880200000000011", &"right".into()).await, Outcome::Ok);
        assert_eq!(reach_model(&http, &model("/v1"), &"right".into()).await, Outcome::Ok);
        assert!(matches!(reach_model(&http, &model("/none"), &"right".into()).await, Outcome::Note(_)));
        for refused in [
            whatsapp(&http, &here, "880200000000011", &"canary".into()).await,
            reach_model(&http, &model("/v1"), &"canary".into()).await,
        ] {
            let shown = format!("{refused:?}");
            assert!(matches!(refused, Outcome::Failed { .. }) && !shown.contains("canary"), "{shown}");
        }
    }

    #[tokio::test]
    async fn the_guard_stands_before_every_call() {
        let http = Http::new(Guard::new(false)).unwrap();
        let outcome = whatsapp(&http, "http://127.0.0.1:1", "1", &"canary".into()).await;
        let Outcome::Failed { why, .. } = outcome else { panic!("called") };
        assert!(why.contains("https://"), "{why}");
    }
}
