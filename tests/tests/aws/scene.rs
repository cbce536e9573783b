//! A whole scene on AWS: the deployed line with settings, its neighbours, and the operator's commands.

use std::ops::Deref;
use std::process::Output;

use shared_aws::bodies::Bodies;
use shared_aws::dynamodb::Table;
use tempfile::TempDir;

use super::emulator::Emulator;
use super::neighbours::Neighbours;
use super::program::command;
use super::setup::Setup;
use super::stack::Stack;

/// What is logged at the most, by our own code.
const TALKATIVE: &str = "info,shared=trace,shared_flow=trace,shared_vendors=trace,shared_aws=trace,shared_lambda=trace,\
    whatsapp_ingress=trace,conversation=trace,agent=trace,delivery=trace,receipts=trace,crm_sync=trace,\
    creatio_webhook=trace,auto_resolve=trace";

/// The scene. What happens around the line is its neighbours' business.
pub struct Scene {
    /// The emulator.
    pub emulator: Emulator,
    /// The deployed line.
    pub stack: Stack,
    neighbours: Neighbours,
    folder: TempDir,
}

impl Scene {
    /// Deploys the line and applies the documented settings, but that the assistant answers at once.
    pub async fn open() -> Self {
        let setup = Setup::default();
        let mut neighbours = Neighbours::start(&setup).await;
        let emulator = Emulator::start().await;
        let stack = Stack::deploy(&emulator).await;
        neighbours.url.clone_from(&stack.api_url);
        // What the template cannot set, because nobody may set it where real customers write.
        let insecure = ("SWITCHBOARD_ALLOW_INSECURE", "1");
        let graph = ("SWITCHBOARD_WHATSAPP_URL", neighbours.graph.url.as_str());
        stack.set_everywhere(&[insecure, graph, ("RUST_LOG", TALKATIVE)]).await;
        let scene = Self { emulator, stack, neighbours, folder: tempfile::tempdir().unwrap() };
        std::fs::write(scene.config(), setup.toml(&scene.model, &scene.creatio)).unwrap();
        scene.applies().await;
        scene
    }

    /// The configuration file.
    pub fn config(&self) -> String {
        self.folder.path().join("switchboard.toml").to_str().unwrap().to_owned()
    }

    /// Applies the configuration and returns what the command said.
    pub async fn applies(&self) -> String {
        self.succeeds("apply", &["--config", &self.config()]).await
    }

    /// Runs an operator's command on the stack. Nothing that it says may be personal or secret.
    pub async fn operates(&self, what: &str, arguments: &[&str]) -> Output {
        let mut command = command();
        command.args([what, "--stack", &self.stack.name]).args(arguments);
        command.envs(self.emulator.environment()).env("SWITCHBOARD_ALLOW_INSECURE", "1");
        command.env("SWITCHBOARD_WHATSAPP_URL", &self.graph.url);
        // Waited for without blocking: what it calls runs in this process.
        let output = tokio::process::Command::from(command).output().await.unwrap();
        self.assert_nothing_leaked_into(&said(&output));
        output
    }

    /// Runs an operator's command that must succeed and returns what it said.
    pub async fn succeeds(&self, what: &str, arguments: &[&str]) -> String {
        let output = self.operates(what, arguments).await;
        assert!(output.status.success(), "{what} {arguments:?}: {}", said(&output));
        said(&output)
    }

    /// Runs an operator's command that must fail and returns what it said.
    pub async fn fails(&self, what: &str, arguments: &[&str]) -> String {
        let output = self.operates(what, arguments).await;
        assert!(!output.status.success(), "{what} {arguments:?}: {}", said(&output));
        said(&output)
    }

    /// The table of sessions, as the account's root sees it.
    pub fn table(&self) -> Table {
        let client = aws_sdk_dynamodb::Client::new(&self.emulator.config);
        Table::new(client, self.stack.output("LineTableName"))
    }

    /// The queues, as the account's root sees them.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.emulator.config)
    }

    /// The bucket, as the account's root sees it.
    pub fn bodies(&self) -> Bodies {
        let client = aws_sdk_s3::Client::new(&self.emulator.config);
        Bodies::new(client, self.stack.output("BodiesBucketName"))
    }

    /// Asserts what must hold whatever was played: nothing personal or secret was logged, nobody else can connect.
    pub async fn close(self) {
        let logs = self.emulator.logs().await;
        assert!(logs.len() > 1_000, "there is nothing to search in: {logs}");
        self.assert_nothing_leaked_into(&logs);
        self.assert_nothing_leaked_into(&self.emulator.said());
        self.emulator.assert_on_loopback_only();
    }
}

/// All that a command wrote.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Deref for Scene {
    type Target = Neighbours;

    fn deref(&self) -> &Neighbours {
        &self.neighbours
    }
}
