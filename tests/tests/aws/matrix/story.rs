//! What can happen in a story, and how it is brought about: by signed webhooks, in the CRM, by the clock.

use serde_json::{Value, json};

use super::super::creatio::CLOSED;
use super::super::graph::Fault;
use super::super::model::Says;
use super::super::setup::{APP_SECRET, NUMBER, OTHER_APP_SECRET, OTHER_NUMBER, VERIFY_TOKEN, WEBHOOK_TOKEN};
use super::super::whatsapp::{Customer, contact, new_wamid, signature, status, text, webhook};
use super::super::world::{Request, World};

/// How many letters a customer's message has that no queue carries: written as plain ASCII they are 300 kB.
const LONG: usize = 50_000;
/// The same of an answer, which reaches the customer in parts: as few as possible, so each is a bell of 12 bytes.
const BELLS: usize = 17_000;

/// Longer ago than the window of a day, in seconds.
const YESTERDAY: i64 = 25 * 3600;

/// Something that happens.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Meta asks for the word that was agreed on.
    Handshake,
    /// The customer writes.
    Writes(&'static str),
    /// The customer wrote the day before, and WhatsApp brings it only now.
    WroteYesterday(&'static str),
    /// The customer writes, and the same webhook carries something that nobody can read.
    WritesBesideRubbish(&'static str),
    /// The customer writes this and more letters than a queue carries.
    WritesAtLength(&'static str),
    /// The model's next answer has more letters than a queue carries.
    AnswersAtLength,
    /// The customer writes to the number on which the assistant is switched off.
    WritesToPeople(&'static str),
    /// WhatsApp reports this of everything that arrived.
    Reports(&'static str),
    /// WhatsApp takes back its word on what arrived last: it failed, for a reason that passes.
    TakesBack,
    /// A rep answers in the case, and Creatio tells.
    RepReplies(&'static str),
    /// A rep answers with more than a queue carries.
    RepRepliesAtLength,
    /// A rep closes the case, and Creatio tells.
    RepCloses,
    /// So many seconds pass, then the clock looks.
    Passes(i64),
    /// Somebody puts what nobody can read on this queue.
    Spoils(&'static str),
    /// An operator asks every function whether it could work.
    IsChecked,
    /// So many sends to the customer go wrong like this.
    WillFail(Fault, usize),
    /// `delivery` is short of time in its next run.
    IsShortOfTime,
    /// From here on the clock of `agent` is behind everybody else's.
    IsLate(i64),
}

/// A story.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// Its name.
    pub name: &'static str,
    /// What happens, in order.
    pub acts: &'static [Act],
    /// Whether it may go on after a kill: nothing in it depends on when it happens.
    pub goes_on: bool,
    /// Nobody is killed but at calls that begin like this.
    pub killed_only_at: &'static str,
    /// In so many acts from the beginning a message is sent whose outcome nobody learns, kill or not.
    pub unsure_acts: usize,
}

impl Story {
    /// A story in which somebody may be killed at any call, and which then goes on.
    pub const fn new(name: &'static str, acts: &'static [Act]) -> Self {
        Self { name, acts, goes_on: true, killed_only_at: "", unsure_acts: 0 }
    }

    /// What happens in it depends on when, so that it ends with a kill and the minutes after it.
    pub const fn depends_on_time(self) -> Self {
        Self { goes_on: false, ..self }
    }

    /// Nobody is killed but at calls that begin like this.
    pub const fn killed_only_at(self, beginning: &'static str) -> Self {
        Self { killed_only_at: beginning, ..self }
    }

    /// In so many acts from the beginning a message is sent whose outcome nobody learns.
    pub const fn unsure_until(self, acts: usize) -> Self {
        Self { unsure_acts: acts, ..self }
    }
}

/// The people of one telling of a story.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The customer.
    pub customer: Customer,
    /// What was reported already: message and word.
    reported: Vec<(String, String)>,
}

impl Scene {
    /// A telling for this customer, whom nobody knows yet.
    pub fn new(number: u32) -> Self {
        Self { customer: Customer::number(number), reported: Vec::new() }
    }

    /// Lets it happen, and the line do what comes of it, until nothing moves.
    pub async fn play(&mut self, world: &mut World, act: Act) {
        match act {
            Act::Handshake => world.insist(&handshake()).await,
            Act::Writes(words) => self.write(world, NUMBER, vec![self.says(world, words)]).await,
            Act::WroteYesterday(words) => {
                let at = world.now() - YESTERDAY;
                self.write(world, NUMBER, vec![text(&self.customer, &new_wamid(), at, words)]).await;
            }
            Act::WritesBesideRubbish(words) => {
                self.write(world, NUMBER, vec![json!(42), self.says(world, words)]).await;
            }
            Act::WritesAtLength(words) => {
                let words = format!("{words}{}", "ü".repeat(LONG));
                self.write(world, NUMBER, vec![self.says(world, &words)]).await;
            }
            Act::WritesToPeople(words) => {
                self.write(world, OTHER_NUMBER, vec![self.says(world, words)]).await;
            }
            Act::AnswersAtLength => world.vendors.model.next(Says::Reply("🔔".repeat(BELLS))),
            Act::Reports(word) => self.report(world, word).await,
            Act::TakesBack => self.take_back(world).await,
            Act::RepReplies(words) => self.reply(world, words).await,
            Act::RepRepliesAtLength => self.reply(world, &"🔔".repeat(BELLS)).await,
            Act::RepCloses => {
                let case = self.newest_case(world);
                world.vendors.creatio.rep_sets_status(&case, CLOSED);
                creatio_tells(world, "case_closed", &case).await;
            }
            Act::Passes(seconds) => {
                world.pass(seconds).await;
                world.tick().await;
            }
            Act::Spoils(queue) => world.spoil(queue).await,
            Act::IsChecked => world.check().await,
            Act::WillFail(fault, times) => world.vendors.graph.fail(&self.customer, &vec![fault; times]),
            Act::IsShortOfTime => world.is_short_of_time("delivery"),
            Act::IsLate(seconds) => world.late = Some(("agent", seconds)),
        }
        world.rest().await;
    }

    /// A message of now.
    fn says(&self, world: &World, words: &str) -> Value {
        text(&self.customer, &new_wamid(), world.now(), words)
    }

    async fn write(&self, world: &mut World, number: &str, messages: Vec<Value>) {
        let contents = json!({"contacts": [contact(&self.customer)], "messages": messages});
        world.insist(&meta_posts(number, &contents)).await;
    }

    /// One webhook for each message that arrived and was not reported so yet.
    async fn report(&mut self, world: &mut World, word: &str) {
        for sent in world.vendors.graph.received(&self.customer) {
            let report = (sent.wamid.clone(), word.to_owned());
            if !self.reported.contains(&report) {
                self.reported.push(report);
                let contents = json!({"statuses": [status(&sent, word)]});
                world.insist(&meta_posts(&sent.line, &contents)).await;
            }
        }
    }

    async fn take_back(&self, world: &mut World) {
        let sent = world.vendors.graph.received(&self.customer).pop().unwrap();
        let mut status = status(&sent, "failed");
        status["errors"] = json!([{"code": 130_429, "title": "Rate limit hit", "message": "Rate limit hit"}]);
        world.insist(&meta_posts(&sent.line, &json!({"statuses": [status]}))).await;
    }

    async fn reply(&self, world: &mut World, words: &str) {
        let case = self.newest_case(world);
        world.vendors.creatio.rep_writes(&case, words);
        creatio_tells(world, "new_activity", &case).await;
    }

    /// The case of the customer's last session.
    fn newest_case(&self, world: &World) -> String {
        let cases = self.cases(world);
        cases.last().expect("the customer has a case").clone()
    }

    /// The ids of the customer's cases, oldest first.
    pub fn cases(&self, world: &World) -> Vec<String> {
        let contacts = world.vendors.creatio.rows("Contact");
        let own: Vec<&Value> =
            contacts.iter().filter(|row| row["Name"] == self.customer.name).map(|row| &row["Id"]).collect();
        let cases =
            world.vendors.creatio.cases().into_iter().filter(|case| own.contains(&&case["ContactId"]));
        cases.map(|case| case["Id"].as_str().unwrap().to_owned()).collect()
    }
}

fn handshake() -> Request {
    let query = format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1158201444");
    Request { query, ..request("whatsapp-ingress", "GET", "/webhooks/whatsapp", String::new()) }
}

fn meta_posts(number: &str, contents: &Value) -> Request {
    let body = webhook(number, contents).to_string();
    let secret = if number == NUMBER { APP_SECRET } else { OTHER_APP_SECRET };
    let signature = signature(secret, body.as_bytes());
    let mut request = request("whatsapp-ingress", "POST", "/webhooks/whatsapp", body);
    request.headers.push(("x-hub-signature-256", signature));
    request
}

/// Creatio tells once and does not look at the answer.
async fn creatio_tells(world: &mut World, event: &str, case: &str) {
    let body = json!({"event_type": event, "caseId": case}).to_string();
    let path = format!("/webhooks/creatio/{WEBHOOK_TOKEN}");
    let request = Request { path, ..request("creatio-webhook", "POST", "/webhooks/creatio/{token}", body) };
    let status = world.request(&request).await;
    assert!(status.is_none_or(|status| status == 200), "Creatio is told {status:?}");
}

fn request(function: &'static str, method: &'static str, route: &'static str, body: String) -> Request {
    let headers = vec![("content-type", "application/json".to_owned())];
    Request { function, method, route, path: route.to_owned(), query: String::new(), headers, body }
}
