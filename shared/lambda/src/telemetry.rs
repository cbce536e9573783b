//! The logs: what happened to which session, never what was said or by which number.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line, for a log store.
    Json,
    /// For a person at a terminal.
    Terminal,
}

/// Starts logging to standard error. `RUST_LOG` narrows or widens it; the default is `info` for our own code and
/// `warn` for the rest. Calling it twice does nothing the second time.
pub fn start(form: Form) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,shared_flow=info,switchboard=info"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let _ = match form {
        Form::Json => builder.json().flatten_event(true).try_init(),
        Form::Terminal => builder.compact().try_init(),
    };
}
