//! An AWS on this machine: Ministack as processes of the test's own, on loopback only, gone with the test.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::listeners;
use super::program::{client, free_port};
use super::signed::Signed;
use super::wait::within_asking;

/// The account that everything belongs to. It is the access key of the account's root as well.
pub const ACCOUNT: &str = "000000000000";
/// The region that everything is in.
pub const REGION: &str = "us-east-1";
/// The secret of the account's root.
pub const SECRET: &str = "test";

/// Ends the emulator and all that it started when the test ends, however that happens: the shell reads what only the
/// test's process can write to, and when there is no writer any more it kills its own group of processes.
const GUARD: &str = r#"{ "$0" </dev/null; kill -KILL 0; } & read -r _; kill -KILL 0"#;

/// A running emulator. Everything in it is gone when it is dropped.
pub struct Emulator {
    /// Its address.
    pub url: String,
    /// The settings of any client of it, as the account's root.
    pub config: SdkConfig,
    process: Child,
    /// Dropping it ends the emulator.
    input: Option<ChildStdin>,
    folder: TempDir,
}

impl Emulator {
    /// Starts one and waits until it answers; everything that it listens on is loopback.
    ///
    /// It asks what the roles permit before it lets a function do something.
    pub async fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let url = format!("http://127.0.0.1:{port}");
        let mut process = command(&folder, &url, port).spawn().unwrap();
        let input = process.stdin.take();
        let mut emulator = Self { config: config(&url).await, url, process, input, folder };
        emulator.until_ready().await;
        emulator.assert_on_loopback_only();
        emulator
    }

    async fn until_ready(&mut self) {
        let (http, health) = (client(), format!("{}/_ministack/health", self.url));
        within_asking(Duration::from_secs(60), "the emulator answers", async || {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "the emulator ended at once:\n{}", self.said());
            let asked = http.get(&health).timeout(Duration::from_secs(5)).send().await;
            asked.is_ok_and(|answer| answer.status() == 200).then_some(())
        })
        .await;
    }

    /// Asserts that neither it nor a function that it runs can be reached from another machine.
    pub fn assert_on_loopback_only(&self) {
        let strays = listeners::beyond_this_machine(self.process.id());
        assert!(strays.is_empty(), "the emulator listens on more than loopback: {strays:?}");
        let looked = !cfg!(target_os = "linux") || listeners::count(self.process.id()) > 0;
        assert!(looked, "the emulator's sockets are not found, so nothing is known about them");
    }

    /// What a program on this machine needs in its environment to use the emulator as the account's root.
    pub fn environment(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL", &self.url),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCOUNT),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    }

    /// What it wrote itself.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join("log")).unwrap_or_default())
            .into_owned()
    }

    /// Everything that functions wrote, as CloudWatch has it.
    pub async fn logs(&self) -> String {
        logs(&self.url).await
    }

    /// The same for somebody who cannot wait, such as a test that is ending in a panic.
    fn logs_now(&self) -> String {
        let url = self.url.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let reading = std::thread::spawn(move || runtime.block_on(logs(&url)));
        reading.join().unwrap_or_else(|_| "they cannot be read".to_owned())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (whose, said) in [("the emulator's", self.said()), ("the functions'", self.logs_now())] {
                let lines: Vec<&str> = said.lines().collect();
                let from = lines.len().saturating_sub(100);
                eprintln!("--- {whose} last words ---\n{}\n---", lines[from..].join("\n"));
            }
        }
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

async fn logs(url: &str) -> String {
    let service = Signed::new(url, "logs");
    let groups = service.json("Logs_20140328.DescribeLogGroups", &json!({})).await;
    let mut events = Vec::new();
    for group in groups["logGroups"].as_array().unwrap() {
        let mut request = json!({"logGroupName": group["logGroupName"]});
        while !request.is_null() {
            let page = service.json("Logs_20140328.FilterLogEvents", &request).await;
            events.extend(page["events"].as_array().unwrap().iter().cloned());
            request["nextToken"] = page["nextToken"].clone();
            request = if page["nextToken"].is_null() { Value::Null } else { request };
        }
    }
    // Stable: what was written in one run stays together in its order.
    events.sort_by_key(|event| event["timestamp"].as_i64());
    events.iter().map(|event| format!("{}\n", event["message"].as_str().unwrap())).collect()
}

fn command(folder: &TempDir, url: &str, port: u16) -> Command {
    let log = File::create(folder.path().join("log")).unwrap();
    let mut command = Command::new("sh");
    command.arg("-c").arg(GUARD).arg(ministack()).process_group(0);
    command.stdin(Stdio::piped()).stderr(log.try_clone().unwrap()).stdout(log);
    // Functions inherit what the emulator is given, so it gets nothing of this machine's settings.
    command.env_clear();
    for name in ["PATH", "HOME", "LANG"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.env("TMPDIR", folder.path()).env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
    // Without the second it would open the port of a message broker to everybody.
    command.env("AWS_ENDPOINT_URL", url).env("IOT_MTLS_ENABLED", "0");
    command.env("AUTH", "true").env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The program: what `SWITCHBOARD_MINISTACK` names, or what `.ci/check` has installed.
fn ministack() -> PathBuf {
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/bin/ministack");
    let program = std::env::var_os("SWITCHBOARD_MINISTACK").map_or_else(installed, PathBuf::from);
    assert!(
        program.exists(),
        "{} is not there: `bash .ci/check` installs it; or install `ministack`, `aws-sam-translator` and \
         `cryptography` with pip and name the program in SWITCHBOARD_MINISTACK",
        program.display()
    );
    program
}

async fn config(url: &str) -> SdkConfig {
    let root = Credentials::new(ACCOUNT, SECRET, None, None, "the test");
    let config = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(REGION));
    config.endpoint_url(url).credentials_provider(root).load().await
}

#[tokio::test]
async fn it_listens_on_loopback_only_and_ends_with_the_test() {
    let emulator = Emulator::start().await;
    let (http, health) = (client(), format!("{}/_ministack/health", emulator.url));
    assert_eq!(http.get(&health).send().await.unwrap().status(), 200);
    let folder = emulator.folder.path().to_owned();
    drop(emulator);
    assert!(http.get(&health).send().await.is_err(), "it is still there");
    assert!(!folder.exists());
}

#[tokio::test]
async fn it_asks_who_is_calling() {
    let emulator = Emulator::start().await;
    let anybody = client().get(format!("{}/v2/apis", emulator.url)).send().await.unwrap();
    assert_eq!(anybody.status(), 403, "so permissions would not be looked at either");
    assert!(Signed::new(&emulator.url, "apigateway").get("/v2/apis").await["items"].is_array());
}
