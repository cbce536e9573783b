//! One program that waits for events, and what starting it costs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::process;
use super::runtime_api::{RuntimeApi, Told};

/// Starts of each program that count. One more goes before them, so that its file is in memory as it is for all others.
pub const STARTS: usize = 21;
/// More than the slowest start of an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something that can be started as Lambda starts a function.
pub struct Program {
    /// As it is printed.
    pub name: String,
    file: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// What a start costs, each figure the median of its own.
pub struct Cost {
    cpu: Duration,
    /// From spawn to the first request for an event.
    pub wall: Duration,
    /// Resident memory at that moment, in bytes.
    pub resident: u64,
}

impl Cost {
    /// Processor time, user and system, in milliseconds.
    pub fn cpu_ms(&self) -> f64 {
        self.cpu.as_secs_f64() * 1000.0
    }
}

impl Program {
    /// A program in this file; nothing of this machine's environment reaches it.
    pub fn new(name: impl Into<String>, file: &Path) -> Self {
        Self { name: name.into(), file: file.to_owned(), arguments: Vec::new(), environment: Vec::new() }
    }

    /// With one more argument.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With one more variable in its environment.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts it again and again, one at a time.
    pub async fn cost(&self, api: &RuntimeApi) -> Cost {
        self.once(api).await;
        let mut costs = Vec::new();
        for _ in 0..STARTS {
            costs.push(self.once(api).await);
        }
        Cost {
            cpu: median(costs.iter().map(|cost| cost.cpu)),
            wall: median(costs.iter().map(|cost| cost.wall)),
            resident: median(costs.iter().map(|cost| cost.resident)),
        }
    }

    async fn once(&self, api: &RuntimeApi) -> Cost {
        let mut command = self.command(&api.address);
        let began = Instant::now();
        let child = command.spawn().unwrap_or_else(|why| panic!("{} cannot be started: {why}", self.name));
        let told = timeout(PATIENCE, api.told());
        tokio::pin!(told);
        let mut child = child;
        let told = tokio::select! {
            told = &mut told => told,
            end = child.wait() => panic!("{} ended by itself: {end:?}\n{}", self.name, output(child).await),
        };
        let wall = began.elapsed();
        match told {
            Ok(Told::Ready) => measured(child, wall).await,
            Ok(Told::Failed(why)) => panic!("{} cannot start: {why}\n{}", self.name, output(child).await),
            Err(_) => panic!("{} asked for no event within {PATIENCE:?}\n{}", self.name, output(child).await),
        }
    }

    /// The environment that Lambda gives to every function, and what the template adds.
    fn command(&self, api: &str) -> Command {
        let mut command = Command::new(&self.file);
        command.args(&self.arguments).env_clear().kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let always = [
            ("AWS_LAMBDA_RUNTIME_API", api),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "bench"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("TZ", ":UTC"),
            ("LANG", "en_US.UTF-8"),
        ];
        command.envs(always).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Reads what the process has used while it waits for its event, and ends it.
async fn measured(mut child: Child, wall: Duration) -> Cost {
    let pid = child.id().expect("it runs");
    let cost = Cost { cpu: process::cpu(pid), wall, resident: process::resident(pid) };
    child.kill().await.expect("it can be ended");
    cost
}

/// What it wrote, for somebody who wants to know why it did not start.
async fn output(mut child: Child) -> String {
    drop(child.start_kill());
    let written = child.wait_with_output().await.expect("it has ended");
    format!("{}{}", String::from_utf8_lossy(&written.stdout), String::from_utf8_lossy(&written.stderr))
}

fn median<T: Ord>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.swap_remove(values.len() / 2)
}
