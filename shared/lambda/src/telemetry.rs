//! The logs: what happened to which session, never what was said or by which number.

use std::io::IsTerminal;

use metrics_cloudwatch_embedded::{Collector, Error};
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

/// What is logged unless `RUST_LOG` says otherwise: our own code from `info` on, the rest from `warn` on. The embedded
/// database warns of every condition that does not hold, which is how a second writer is meant to notice. Lambda's
/// runtime puts the request's id on every line of a run.
const DEFAULT: &str = "warn,dynoxide=error,shared_flow=info,shared_vendors=info,switchboard=info,whatsapp_ingress=info,\
                       creatio_webhook=info,conversation=info,agent=info,delivery=info,receipts=info,crm_sync=info,\
                       lambda_runtime=info";

/// What libraries may say at most, whatever `RUST_LOG` asks for: below this they repeat bodies, and bodies are a
/// customer's words.
const AT_MOST: [&str; 9] = [
    "dynoxide=error",
    "hyper=info",
    "reqwest=info",
    "aws_smithy_runtime=info",
    "aws_sdk_dynamodb=info",
    "aws_sdk_s3=info",
    "aws_sdk_secretsmanager=info",
    "aws_sdk_sqs=info",
    "html5ever=off",
];

/// Starts logging to standard error. `RUST_LOG` narrows or widens it. Calling it twice does nothing the second time.
pub fn start(form: Form) {
    let wanted = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let capped = AT_MOST.iter().filter_map(|directive| directive.parse().ok());
    let filter = capped.fold(wanted, EnvFilter::add_directive);
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let _ = match form {
        Form::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
        Form::Terminal => builder.compact().with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    std::panic::set_hook(Box::new(say_where));
}

/// Starts counting for CloudWatch: what `metrics` macros count goes out as log lines in its embedded format, told apart
/// by stack. Until this is called, as on a laptop, counting costs nothing and goes nowhere.
pub fn count(stack: &str) -> Result<&'static Collector, Error> {
    metrics_cloudwatch_embedded::Builder::new()
        .cloudwatch_namespace("Switchboard")
        .with_dimension("Stack", stack.to_owned())
        .init()
}

/// Says where a panic happened and not what it says, which may be a customer's words.
fn say_where(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
    tracing::error!(place, "a panic: please report the place");
}
