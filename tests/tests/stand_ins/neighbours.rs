//! The line's three neighbours, and what customers and reps do to it through its public addresses, wherever it runs.
//! Everything personal or secret that is used is remembered, so that the line's output can be searched for it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::creatio::Creatio;
use super::graph::{Graph, Sent};
use super::model::{FAREWELL, Model, SUMMARY};
use super::program::client;
use super::setup::{
    ACCESS_TOKEN, APP_SECRET, CLIENT_ID, CLIENT_SECRET, MODEL_KEY, NUMBER, SECRETS, Setup, WEBHOOK_TOKEN,
};
use super::whatsapp::{Customer, contact, new_wamid, now, signature, status, text, webhook};

/// The neighbours.
pub struct Neighbours {
    /// WhatsApp.
    pub graph: Graph,
    /// The model.
    pub model: Model,
    /// The CRM.
    pub creatio: Creatio,
    /// Where the line's webhooks are, once there is a line.
    pub url: String,
    client: reqwest::Client,
    never_logged: Mutex<BTreeSet<String>>,
}

impl Neighbours {
    /// Starts the stand-ins for a line that is set up like this.
    pub async fn start(setup: &Setup) -> Self {
        let graph = Graph::start(ACCESS_TOKEN).await;
        let model = Model::start(MODEL_KEY).await;
        let creatio = Creatio::start(setup.flavour, CLIENT_ID, CLIENT_SECRET).await;
        let never_logged =
            SECRETS.iter().chain(&[FAREWELL, SUMMARY]).map(|words| (*words).to_owned()).collect();
        let (url, never_logged) = (String::new(), Mutex::new(never_logged));
        Self { graph, model, creatio, url, client: client(), never_logged }
    }

    fn never_logged(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.never_logged.lock().unwrap()
    }

    /// Asserts that nothing personal or secret is in what the line wrote.
    pub fn assert_nothing_leaked_into(&self, said: &str) {
        let leaks = leaks(said, &self.never_logged());
        assert!(leaks.is_empty(), "in the line's output stands what must not: {leaks:?}\n{said}");
    }

    /// Remembers words that must never be in the line's output.
    pub fn keep_out_of_logs(&self, words: &str) {
        // Shorter ones stand in any log by chance.
        if words.chars().count() >= 6 {
            self.never_logged().insert(words.chars().take(200).collect());
        }
    }

    fn keep_customer_out_of_logs(&self, customer: &Customer) {
        for words in
            [customer.phone.as_ref(), customer.user_id.as_ref(), Some(&customer.name)].into_iter().flatten()
        {
            self.keep_out_of_logs(words);
        }
    }

    /// Posts a body to the WhatsApp webhook, signed as told.
    pub async fn post_whatsapp(&self, body: Vec<u8>, signature: Option<&str>) -> StatusCode {
        let mut request = self.client.post(format!("{}/webhooks/whatsapp", self.url));
        request = request.header("content-type", "application/json");
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        request.body(body).send().await.unwrap().status()
    }

    /// Posts a body as Meta does.
    pub async fn post_signed(&self, body: &Value) -> StatusCode {
        let body = serde_json::to_vec(body).unwrap();
        let signature = signature(APP_SECRET, &body);
        self.post_whatsapp(body, Some(&signature)).await
    }

    /// The webhook of one text message.
    pub fn message(&self, customer: &Customer, wamid: &str, at: i64, words: &str) -> Value {
        self.keep_customer_out_of_logs(customer);
        self.keep_out_of_logs(words);
        webhook(
            NUMBER,
            &json!({"contacts": [contact(customer)], "messages": [text(customer, wamid, at, words)]}),
        )
    }

    /// The customer writes; the message's id is returned.
    pub async fn says(&self, customer: &Customer, words: &str) -> String {
        self.said_ago(customer, words, 0).await
    }

    /// The customer wrote so many seconds ago, and WhatsApp brings it only now.
    pub async fn said_ago(&self, customer: &Customer, words: &str, seconds: i64) -> String {
        let wamid = new_wamid();
        let body = self.message(customer, &wamid, now() - seconds, words);
        assert_eq!(self.post_signed(&body).await, 200);
        wamid
    }

    /// The customer writes, and the model's own answer to it arrives as the only new message.
    pub async fn says_and_is_answered(&self, customer: &Customer, words: &str) -> Sent {
        let before = self.graph.received(customer).len();
        self.says(customer, words).await;
        let received = self.graph.until_received(customer, before + 1).await;
        let last = received[before].clone();
        assert_eq!(last.text, Model::echo(words));
        last
    }

    /// The customer asks for a person and is told that one will come.
    pub async fn is_handed_off(&self, customer: &Customer) {
        let before = self.graph.received(customer).len();
        self.says(customer, "May I speak to a human about this, please?").await;
        let received = self.graph.until_received(customer, before + 1).await;
        assert_eq!(received[before].text, FAREWELL);
    }

    /// WhatsApp reports on a message.
    pub async fn reports(&self, sent: &Sent, word: &str) {
        let body = webhook(NUMBER, &json!({"statuses": [status(sent, word)]}));
        assert_eq!(self.post_signed(&body).await, 200);
    }

    /// Posts to Creatio's webhook under a token.
    pub async fn post_creatio(&self, token: &str, body: impl Into<reqwest::Body>) -> Response {
        let request = self.client.post(format!("{}/webhooks/creatio/{token}", self.url));
        request.header("content-type", "application/json").body(body).send().await.unwrap()
    }

    /// Creatio's business process tells that a case has a new activity.
    pub async fn creatio_tells(&self, case: &str) {
        self.creatio_tells_of("new_activity", case).await;
    }

    /// Creatio's business process tells that something happened to a case.
    pub async fn creatio_tells_of(&self, event: &str, case: &str) {
        let body = json!({"event_type": event, "caseId": case}).to_string();
        assert_eq!(self.post_creatio(WEBHOOK_TOKEN, body).await.status(), 200);
    }

    /// A rep answers in the case, and Creatio tells.
    pub async fn rep_replies(&self, case: &str, words: &str) {
        self.keep_out_of_logs(words);
        self.creatio.rep_writes(case, words);
        self.creatio_tells(case).await;
    }

    /// The session that a case belongs to, from the link in its first activity.
    pub async fn session_of(&self, case: &str) -> String {
        self.creatio.until_filed(case, "View session").await;
        let first = self.creatio.texts(case).remove(0);
        let (_, link) =
            first.split_once("http://127.0.0.1:8080/sessions/").expect("the first activity has the link");
        link.chars().take(36).collect()
    }
}

/// What of these words is in a text.
pub fn leaks(said: &str, secrets: &BTreeSet<String>) -> Vec<String> {
    secrets.iter().filter(|secret| said.contains(secret.as_str())).cloned().collect()
}
