//! A stand-in for a Creatio site: OAuth and OData as a real one answers, every call recorded, failing on request.

mod columns;
mod odata;
mod serve;
mod site;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use axum::Router;
use axum::response::Html;
use axum::routing::{any, get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use serve::{LOGIN_PAGE, data, token};
use site::{Row, Site};

pub use columns::{CHAT, CLOSED, EMAIL, GROUP, NEW, OUTGOING, REP, RESOLVED, TASK};

use super::wait::until;

/// Where a site keeps its OData.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// `/0/odata`, as on .NET Framework.
    Framework,
    /// `/odata`, as on .NET.
    Net,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The login page, with status 200.
    LoginPage,
    /// A redirect to the login page.
    Redirect,
    /// 401 without a body.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 429 with `Retry-After` in seconds.
    Throttled(u32),
    /// 500 in ASP.NET's words; nothing is written.
    Broken,
    /// 500 though the row is written.
    WrittenThenBroken,
    /// No answer, ever, though the row is written.
    WrittenThenHang,
    /// The connection is cut, though the row is written.
    WrittenThenCut,
}

/// An order for faults.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Calls with this method; any when absent.
    pub method: Option<&'static str>,
    /// Calls about this set; any when absent.
    pub set: Option<&'static str>,
    /// What goes wrong.
    pub fault: Fault,
    /// How often.
    pub times: u32,
}

/// One call to the OData side.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it came in.
    pub at: Instant,
    /// The method.
    pub method: String,
    /// The set.
    pub set: String,
}

struct Inside {
    site: Site,
    tokens: HashSet<String>,
    tokens_given: u32,
    orders: Vec<Order>,
    calls: Vec<Call>,
}

/// The stand-in.
#[derive(Clone)]
pub struct Creatio {
    /// Its address.
    pub url: String,
    client: (String, String),
    inside: Arc<Mutex<Inside>>,
}

impl Creatio {
    /// Starts a site of this flavour with one OAuth application.
    pub async fn start(flavour: Flavour, client_id: &str, client_secret: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tokens, orders, calls) = (HashSet::new(), Vec::new(), Vec::new());
        let inside = Inside { site: Site::new(), tokens, tokens_given: 0, orders, calls };
        let client = (client_id.to_owned(), client_secret.to_owned());
        let creatio = Self { url, client, inside: Arc::new(Mutex::new(inside)) };
        let root = if flavour == Flavour::Framework { "/0/odata/{*resource}" } else { "/odata/{*resource}" };
        let login = || async { Html(LOGIN_PAGE) };
        let routes = Router::new()
            .route("/connect/token", post(token))
            .route(root, any(data))
            .route("/Login/NuiLogin.aspx", get(login))
            .with_state(creatio.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        creatio
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    /// Makes calls fail from now on.
    pub fn fail(&self, order: Order) {
        self.inside().orders.push(order);
    }

    /// Every call about anything fails like this until [`Creatio::mend`].
    pub fn fail_always(&self, fault: Fault) {
        self.fail(Order { method: None, set: None, fault, times: u32::MAX });
    }

    /// Nothing fails any more.
    pub fn mend(&self) {
        self.inside().orders.clear();
    }

    /// Forgets every row that did not ship with the site, and every call.
    pub fn forget(&self) {
        let mut inside = self.inside();
        inside.site = Site::new();
        inside.calls.clear();
    }

    /// Every token given so far is refused with 401 from now on.
    pub fn expire_tokens(&self) {
        self.inside().tokens.clear();
    }

    /// How many tokens were given out.
    pub fn tokens_given(&self) -> u32 {
        self.inside().tokens_given
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.inside().calls.clone()
    }

    /// How many calls with this method there were about a set.
    pub fn count(&self, method: &str, set: &str) -> usize {
        self.inside().calls.iter().filter(|call| call.method == method && call.set == set).count()
    }

    /// The rows of a set that were not shipped with the site, oldest first, as they are stored.
    pub fn rows(&self, set: &str) -> Vec<Row> {
        self.inside().site.rows(set).iter().filter(|row| row["CreatedById"].is_string()).cloned().collect()
    }

    /// All cases.
    pub fn cases(&self) -> Vec<Row> {
        self.rows("Case")
    }

    /// A case as it is now.
    pub fn case(&self, id: &str) -> Row {
        self.inside().site.find("Case", id).cloned().unwrap()
    }

    /// The activities of a case, oldest first.
    pub fn activities(&self, case: &str) -> Vec<Row> {
        self.rows("Activity").into_iter().filter(|row| row["CaseId"] == case).collect()
    }

    /// The words of a case's activities, oldest first.
    pub fn texts(&self, case: &str) -> Vec<String> {
        self.activities(case)
            .iter()
            .map(|row| row["DetailedResult"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Waits until there are so many cases and returns the newest one's id.
    pub async fn until_case(&self, count: usize) -> String {
        let cases =
            until(&format!("{count} cases in Creatio"), || Some(self.cases()).filter(|c| c.len() >= count))
                .await;
        assert_eq!(cases.len(), count, "more than {count} cases");
        cases[count - 1]["Id"].as_str().unwrap().to_owned()
    }

    /// Waits until a case has an activity whose text contains this.
    pub async fn until_filed(&self, case: &str, words: &str) {
        let filed = || self.texts(case).iter().any(|text| text.contains(words));
        until(&format!("an activity says {words:?}"), || filed().then_some(())).await;
    }

    /// A rep adds an activity by hand and its id is returned. Telling the line is the webhook's business.
    pub fn rep_adds(&self, case: &str, columns: &Value) -> String {
        let mut row = columns.as_object().unwrap().clone();
        row.insert("CaseId".to_owned(), json!(case));
        row.entry("Title").or_insert(json!("Reply"));
        let row = self.inside().site.insert("Activity", &row, REP).unwrap();
        row["Id"].as_str().unwrap().to_owned()
    }

    /// A rep writes a task with these words.
    pub fn rep_writes(&self, case: &str, words: &str) -> String {
        self.rep_adds(case, &json!({"TypeId": TASK, "DetailedResult": words}))
    }

    /// A rep gives the case another status.
    pub fn rep_sets_status(&self, case: &str, status: &str) {
        let body = json!({"StatusId": status}).as_object().unwrap().clone();
        self.inside().site.update("Case", case, &body).unwrap();
    }

    /// Puts a contact with a number there, as a colleague might have typed it, and returns its id.
    pub fn knows(&self, name: &str, number: &str) -> String {
        let mut inside = self.inside();
        let contact = json!({"Name": name}).as_object().unwrap().clone();
        let id = inside.site.insert("Contact", &contact, REP).unwrap()["Id"].clone();
        let number = json!({"ContactId": id, "Number": number,
            "CommunicationTypeId": "d4a2dc80-30ca-df11-9b2a-001d60e938c6"});
        inside.site.insert("ContactCommunication", number.as_object().unwrap(), REP).unwrap();
        id.as_str().unwrap().to_owned()
    }
}
