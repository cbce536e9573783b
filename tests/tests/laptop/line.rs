//! The process under test: started, killed without warning, started again.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::time::interval;

use super::program::{client, command, free_port};

/// A running line and its folder.
pub struct Line {
    /// Where it listens.
    pub url: String,
    port: u16,
    child: Option<Child>,
    folder: TempDir,
    graph_url: String,
    log: Option<&'static str>,
}

impl Line {
    /// Starts a line with this configuration and waits until it is ready.
    pub async fn start(config: &str, graph_url: &str, log: Option<&'static str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("switchboard.toml"), config).unwrap();
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let mut line = Self { url, port, child: None, folder, graph_url: graph_url.to_owned(), log };
        line.begin().await;
        line
    }

    /// The folder given as `--data`.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Ends the process at once, as a power cut would (SIGKILL on Unix).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts the process on the same folder, port and configuration, and waits until it is ready.
    pub async fn begin(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let mut command = command();
        command.arg("local").arg("--config").arg(self.folder.path().join("switchboard.toml"));
        command.arg("--port").arg(self.port.to_string()).arg("--data").arg(self.data());
        command.env("SWITCHBOARD_WHATSAPP_URL", &self.graph_url).env("SWITCHBOARD_ALLOW_INSECURE", "1");
        if let Some(filter) = self.log {
            command.env("RUST_LOG", filter);
        }
        command.stdout(self.output_file("stdout")).stderr(self.output_file("stderr"));
        self.child = Some(command.spawn().unwrap());
        self.until_ready().await;
    }

    async fn until_ready(&mut self) {
        let (client, url, began) = (client(), format!("{}/healthz", self.url), Instant::now());
        let mut ticks = interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "it ended at once ({ended:?}):\n{}", self.said());
            if client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it is not ready:\n{}", self.said());
        }
    }

    fn output_file(&self, name: &str) -> File {
        OpenOptions::new().create(true).append(true).open(self.folder.path().join(name)).unwrap()
    }

    /// What all its runs wrote to standard output.
    pub fn stdout(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stdout")).unwrap_or_default()
    }

    /// What all its runs wrote to standard output and standard error.
    pub fn said(&self) -> String {
        let errors = std::fs::read(self.folder.path().join("stderr")).unwrap_or_default();
        format!("{}{}", self.stdout(), String::from_utf8_lossy(&errors))
    }

    /// Runs a subcommand on this line's folder.
    pub fn run(&self, arguments: &[&str]) -> Output {
        command().args(arguments).arg("--data").arg(self.data()).output().unwrap()
    }

    /// Whether these bytes stand in any file of its data folder.
    pub fn stores(&self, bytes: &[u8]) -> bool {
        files(&self.data()).iter().any(|path| {
            let content = std::fs::read(path).unwrap_or_default();
            content.windows(bytes.len()).any(|window| window == bytes)
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<&str> = said.lines().collect();
            let from = lines.len().saturating_sub(80);
            eprintln!("--- the line's last words ---\n{}\n---", lines[from..].join("\n"));
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
