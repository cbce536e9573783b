//! The program as it was built, found beside the test's own binary, and how a test reaches it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

/// The `switchboard` that was built in the same profile as this test.
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // target/<profile>/deps/laptop-…
    let profile = own.parent().and_then(Path::parent).unwrap();
    let path = profile.join(format!("switchboard{}", std::env::consts::EXE_SUFFIX));
    let flag = if profile.ends_with("release") { " --release" } else { "" };
    assert!(path.exists(), "{} is missing: run `cargo build -p switchboard{flag}` first", path.display());
    path
}

/// A command of `switchboard` with nothing of this machine's settings in its environment.
pub fn command() -> Command {
    let mut command = Command::new(binary());
    command.env_clear().stdin(Stdio::null());
    for name in ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// A client that never goes through a proxy: everything here is on this machine.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A port that nobody listens on. They lie below those that the system hands out for outgoing connections, and each
/// test process begins elsewhere, so that neighbours do not meet.
pub fn free_port() -> u16 {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 1_100).unwrap() * 10;
    loop {
        let port = 20_000 + (begin + COUNT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
