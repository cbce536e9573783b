//! The same line against material that others made, when it lies beside the project: an OData server of a third party
//! in Creatio's shape, and a collection of WhatsApp webhooks. Where it is absent, that is said aloud.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::interval;

use super::model::{FAREWELL, Model, SUMMARY};
use super::program::{binary, client, free_port};
use super::stage::Stage;
use super::wait::until_true;
use super::whatsapp::Customer;

/// A place beside the project, unless it is absent.
fn beside_the_project(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let found = root.parent()?.join("shared").join(path);
    if !found.exists() {
        eprintln!("SKIPPED: ../shared/{path} is not present, so nothing was tested against it");
        return None;
    }
    Some(found)
}

/// The third-party server, ended with the test.
struct Server {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const STANDIN_CLIENT: (&str, &str) = ("standin-client", "standin-secret-goldcrest");
/// A rep's contact and a team that the server knows.
const STANDIN_OWNER: (&str, &str) =
    ("b1000000-0000-4000-8000-000000000001", "b2000000-0000-4000-8000-000000000001");

impl Server {
    async fn start(script: &Path) -> Self {
        let (port, client) = (free_port(), client());
        let target = binary().parent().and_then(Path::parent).unwrap().join("creatio-odata");
        let mut command = Command::new("bash");
        command.arg(script).arg(port.to_string()).env("STANDIN_DIR", &target);
        command.env("CLIENT_ID", STANDIN_CLIENT.0).env("CLIENT_SECRET", STANDIN_CLIENT.1);
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut server = Self { child, url: format!("http://127.0.0.1:{port}"), client };
        server.until_ready().await;
        server
    }

    /// The first start installs its packages, which takes minutes.
    async fn until_ready(&mut self) {
        let (began, mut ticks) = (Instant::now(), interval(Duration::from_millis(200)));
        loop {
            ticks.tick().await;
            let ping = self.client.get(format!("{}/0/api/HealthCheck/Ping", self.url)).send().await;
            if ping.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the OData server ended: {ended:?}; it needs node and npm");
            assert!(began.elapsed() < Duration::from_secs(600), "the OData server is not ready");
        }
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Value {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", STANDIN_CLIENT.0),
            ("client_secret", STANDIN_CLIENT.1),
        ];
        let token: Value = self
            .client
            .post(format!("{}/connect/token", self.url))
            .form(&form)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let answer = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default()
    }

    async fn read(&self, query: &str) -> Vec<Value> {
        let body = self.call(self.client.get(format!("{}/0/odata/{query}", self.url))).await;
        body["value"].as_array().unwrap().clone()
    }

    async fn write(&self, set: &str, body: &Value) {
        self.call(self.client.post(format!("{}/0/odata/{set}", self.url)).json(body)).await;
    }

    /// Waits until the case has this description, and returns the case.
    async fn until_described(&self, case: &str, words: &str) -> Value {
        let (began, mut ticks) = (Instant::now(), interval(Duration::from_millis(100)));
        loop {
            ticks.tick().await;
            let row = self.call(self.client.get(format!("{}/0/odata/Case({case})", self.url))).await;
            if row["Symptoms"] == words {
                return row;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "the case has another description");
        }
    }

    /// Waits until an activity of the case says this, and returns the words of all, oldest first.
    async fn until_filed(&self, case: &str, words: &str) -> Vec<String> {
        let (began, mut ticks) = (Instant::now(), interval(Duration::from_millis(100)));
        loop {
            ticks.tick().await;
            let rows = self.read(&format!("Activity?$filter=Case/Id%20eq%20{case}&$orderby=CreatedOn")).await;
            let texts: Vec<String> =
                rows.iter().map(|row| row["DetailedResult"].as_str().unwrap().to_owned()).collect();
            if texts.iter().any(|text| text.contains(words)) {
                return texts;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{words:?} is not filed: {texts:?}");
        }
    }
}

#[tokio::test]
async fn the_journey_works_with_a_third_partys_odata_server_when_present() {
    let Some(script) = beside_the_project("tools/creatio-odata/run.sh") else { return };
    if Command::new("npm").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!(
            "SKIPPED: the OData server of ../shared needs Node.js and npm, so nothing was tested against it"
        );
        return;
    }
    let server = Server::start(&script).await;
    let login = (server.url.clone(), STANDIN_CLIENT.0.to_owned(), STANDIN_CLIENT.1.to_owned());
    let stage = Stage::with(|setup| {
        setup.creatio = Some(login);
        setup.owner = STANDIN_OWNER;
    })
    .await;
    stage.keep_out_of_logs(STANDIN_CLIENT.1);
    let customer = Customer::number(181);

    stage.says_and_is_answered(&customer, "Does this work with others too?").await;
    stage.is_handed_off(&customer).await;
    until_true("the customer has both messages", || stage.graph.texts(&customer).len() == 2).await;
    let case = only_case(&server).await;
    let texts = server.until_filed(&case, FAREWELL).await;
    assert!(
        texts[0].contains("Does this work with others too?") && texts[0].contains("View session"),
        "{texts:?}"
    );
    assert_eq!(texts[1], Model::echo("Does this work with others too?"));
    let case_now = server.until_described(&case, SUMMARY).await;
    assert_eq!(case_now["OwnerId"], STANDIN_OWNER.0);

    let reply = json!({"Title": "Reply", "CaseId": case, "DetailedResult": "It does, as you see.",
        "AuthorId": STANDIN_OWNER.0, "OwnerId": STANDIN_OWNER.0, "CreatedById": STANDIN_OWNER.0});
    server.write("Activity", &reply).await;
    stage.creatio_tells(&case).await;
    let received = stage.graph.until_received(&customer, 3).await;
    assert_eq!(received[2].text, "It does, as you see.");
    stage.creatio_tells(&case).await;

    let closed = json!({"StatusId": "3e7f420c-f46b-1410-fc9a-0050ba5d6c38"});
    server.call(server.client.patch(format!("{}/0/odata/Case({case})", server.url)).json(&closed)).await;
    stage.creatio_tells_of("case_closed", &case).await;
    answered_by_the_machine_again(&stage, &customer).await;
    assert_eq!(
        stage.graph.texts(&customer).iter().filter(|text| text.as_str() == "It does, as you see.").count(),
        1
    );
}

async fn only_case(server: &Server) -> String {
    let (began, mut ticks) = (Instant::now(), interval(Duration::from_millis(100)));
    loop {
        ticks.tick().await;
        let cases = server.read("Case?$select=Id").await;
        assert!(cases.len() <= 1, "more than one case");
        if let Some(case) = cases.first() {
            return case["Id"].as_str().unwrap().to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "there is no case");
    }
}

/// The session ends when the closure has been read, which takes a moment; only then does the machine answer again.
async fn answered_by_the_machine_again(stage: &Stage, customer: &Customer) {
    let (began, mut ticks) = (Instant::now(), interval(Duration::from_secs(1)));
    let before = stage.graph.texts(customer).len();
    let mut n = 0;
    while stage.graph.texts(customer).len() == before {
        ticks.tick().await;
        n += 1;
        stage.says(customer, &format!("Is it closed by now? Asking for the {n}. time.")).await;
        assert!(began.elapsed() < Duration::from_secs(60), "the closure is not noticed");
    }
}

#[test]
fn inspect_reads_every_collected_webhook_as_expected_when_present() {
    let Some(folder) = beside_the_project("data/whatsapp-webhooks") else { return };
    let Some(score) = beside_the_project("tools/score_inspect.py") else { return };
    let output = Command::new("python3")
        .arg(score)
        .arg("whatsapp")
        .arg(&folder)
        .args(["--floor", "100", "--"])
        .arg(binary())
        .output();
    let output = output.expect("python3 is needed");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("whatsapp:"), "{said}");
    eprintln!("{said}");
}
