//! A stand-in for a Creatio site: OAuth and OData as a real one answers, every call recorded, failing on request.

mod odata;
mod site;

use std::collections::HashSet;
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{Form, Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use odata::Query;
use site::{INTEGRATION, Refused, Row, Site};

pub use site::{CHAT, CLOSED, EMAIL, GROUP, NEW, OUTGOING, REP, RESOLVED, TASK};

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

    fn answer(&self, call: &Request, headers: &HeaderMap) -> Response {
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        let token = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let mut inside = self.inside();
        if !inside.tokens.contains(token) {
            return (StatusCode::UNAUTHORIZED, [("WWW-Authenticate", "Bearer")]).into_response();
        }
        match call.carry_out(&mut inside.site) {
            Ok(Some((status, mut body))) => {
                body["@odata.context"] = json!(format!("{}/odata/$metadata#{}", self.url, call.set));
                (status, Json(body)).into_response()
            }
            Ok(None) => StatusCode::NO_CONTENT.into_response(),
            Err((status, message)) => {
                let inner = json!({"message": message, "type": "System.Exception", "stacktrace": "at Terrasoft.Core"});
                let body = json!({"error": {"code": "", "message": message, "innererror": inner}});
                (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
            }
        }
    }

    /// Takes the fault that is ordered for this call, and writes the call down.
    fn fault(&self, call: &Request) -> Option<Fault> {
        let mut inside = self.inside();
        inside.calls.push(Call {
            at: Instant::now(),
            method: call.method.to_string(),
            set: call.set.clone(),
        });
        let fits = |order: &Order| {
            order.times > 0
                && order.method.is_none_or(|method| method == call.method.as_str())
                && order.set.is_none_or(|set| set == call.set)
        };
        let order = inside.orders.iter_mut().find(|order| fits(order))?;
        order.times -= 1;
        Some(order.fault)
    }
}

const LOGIN_PAGE: &str =
    "<!DOCTYPE html><html><head><title>Creatio</title></head><body><form>Log in</form></body></html>";

async fn token(State(creatio): State<Creatio>, Form(form): Form<Vec<(String, String)>>) -> Response {
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let error = |word: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": word}))).into_response();
    if (field("client_id"), field("client_secret")) != (&creatio.client.0, &creatio.client.1) {
        return error("invalid_client");
    }
    if field("grant_type") != "client_credentials" {
        return error("unsupported_grant_type");
    }
    let mut inside = creatio.inside();
    inside.tokens_given += 1;
    let token = format!("standin-bearer-{}-{}", std::process::id(), inside.tokens_given);
    inside.tokens.insert(token.clone());
    Json(json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer", "scope": "ApplicationAccess"}))
        .into_response()
}

async fn data(
    State(creatio): State<Creatio>,
    method: Method,
    Path(resource): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = match Request::read(method, &resource, query.as_deref().unwrap_or_default(), &body) {
        Ok(call) => call,
        Err((status, message)) => return (StatusCode::from_u16(status).unwrap(), message).into_response(),
    };
    match creatio.fault(&call) {
        None => creatio.answer(&call, &headers),
        Some(Fault::LoginPage) => Html(LOGIN_PAGE).into_response(),
        Some(Fault::Redirect) => {
            (StatusCode::FOUND, [("Location", "/Login/NuiLogin.aspx?ReturnUrl=%2f0%2fodata")]).into_response()
        }
        Some(Fault::Unauthorized) => StatusCode::UNAUTHORIZED.into_response(),
        Some(Fault::Forbidden) => {
            let message = "Current user does not have sufficient permissions";
            (StatusCode::FORBIDDEN, Json(json!({"error": {"code": "", "message": message}}))).into_response()
        }
        Some(Fault::Throttled(seconds)) => {
            (StatusCode::TOO_MANY_REQUESTS, [("Retry-After", seconds.to_string())]).into_response()
        }
        Some(Fault::Broken) => broken(),
        Some(Fault::WrittenThenBroken) => {
            creatio.answer(&call, &headers);
            broken()
        }
        Some(Fault::WrittenThenHang) => {
            creatio.answer(&call, &headers);
            pending().await
        }
        Some(Fault::WrittenThenCut) => {
            creatio.answer(&call, &headers);
            // Ends the connection's task without a word: the peer sees its connection close.
            resume_unwind(Box::new("the stand-in cuts the connection"))
        }
    }
}

fn broken() -> Response {
    let body = json!({"Message": "An error has occurred.", "ExceptionMessage": "Object reference not set.",
        "ExceptionType": "System.NullReferenceException", "StackTrace": "at Terrasoft.Core"});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

/// A call as it was understood.
struct Request {
    method: Method,
    set: String,
    id: Option<String>,
    query: Vec<(String, String)>,
    body: Row,
}

/// A status with a body, or an answer without one.
type Done = Option<(StatusCode, Value)>;

impl Request {
    fn read(method: Method, resource: &str, query: &str, body: &[u8]) -> Result<Self, Refused> {
        // Some sites refuse a plus sign for a blank.
        if query.contains('+') {
            return Err((400, "The query is not understood".to_owned()));
        }
        let (set, id) = match resource.split_once('(') {
            Some((set, key)) => (set, Some(key.trim_end_matches(')').to_owned())),
            None => (resource, None),
        };
        if id.as_ref().is_some_and(|id| Uuid::parse_str(id).is_err()) {
            return Err((400, "The key is no GUID".to_owned()));
        }
        let uri = format!("http://site/?{query}").parse().unwrap();
        let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).unwrap().0;
        let body = serde_json::from_slice(body).unwrap_or_default();
        Ok(Self { method, set: set.to_owned(), id, query, body })
    }

    fn carry_out(&self, site: &mut Site) -> Result<Done, Refused> {
        if !site.has(&self.set) {
            return Err((404, "No HTTP resource was found that matches the request URI".to_owned()));
        }
        let query = Query(&self.query);
        match (self.method.as_str(), &self.id) {
            ("GET", Some(id)) => {
                let row = site.find(&self.set, id).ok_or((404, "not found".to_owned()))?;
                Ok(Some((StatusCode::OK, query.shape(site, &self.set, row))))
            }
            ("GET", None) => {
                let rows = query.choose(site, &self.set).map_err(|message| (500, message))?;
                let shown: Vec<Value> = rows.iter().map(|row| query.shape(site, &self.set, row)).collect();
                let mut body = Map::new();
                if query.wants_count() {
                    body.insert("@odata.count".to_owned(), json!(shown.len()));
                }
                body.insert("value".to_owned(), Value::Array(shown));
                Ok(Some((StatusCode::OK, Value::Object(body))))
            }
            ("POST", None) => {
                let row = site.insert(&self.set, &self.body, INTEGRATION)?;
                Ok(Some((StatusCode::CREATED, query.shape(site, &self.set, &row))))
            }
            ("PATCH", Some(id)) => site.update(&self.set, id, &self.body).map(|()| None),
            _ => Err((405, "method not allowed".to_owned())),
        }
    }
}
