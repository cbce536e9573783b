//! Functions in other languages that build the same clients and ask for an event, where their runtimes are there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::program::Program;

/// A Python function with boto3. `PYTHON` names another interpreter than `python3`.
///
/// # Errors
/// Says why it is skipped.
pub fn python() -> Result<Program, String> {
    let name = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    // The real file, not a launcher in front of it, whose start would be counted too.
    let ask = "import sys, boto3; print(sys.executable, sys.version.split()[0], boto3.__version__)";
    let answer = ask_of(&name, &["-c", ask]).ok_or_else(|| {
        format!("Python: SKIPPED, {name} cannot import boto3; set PYTHON to an interpreter that can")
    })?;
    let [file, version, boto3] = answer.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(format!("Python: SKIPPED, {name} answered {answer:?}"));
    };
    let shown = format!("Python {version}, boto3 {boto3}");
    Ok(Program::new(shown, Path::new(file)).argument(script("function.py")))
}

/// A Node function with the AWS SDK. `NODE` names another program than `node`; the SDK is found as Node finds modules,
/// through `NODE_PATH` too.
///
/// # Errors
/// Says why it is skipped.
pub fn node() -> Result<Program, String> {
    let name = std::env::var("NODE").unwrap_or_else(|_| "node".to_owned());
    let ask = "console.log(process.execPath, process.version, \
        require('@aws-sdk/client-dynamodb/package.json').version)";
    let answer = ask_of(&name, &["-e", ask]).ok_or_else(|| {
        format!("Node: SKIPPED, {name} cannot load @aws-sdk/client-dynamodb; set NODE_PATH to where it is installed")
    })?;
    let [file, version, sdk] = answer.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(format!("Node: SKIPPED, {name} answered {answer:?}"));
    };
    let shown = format!("Node {}, AWS SDK {sdk}", version.trim_start_matches('v'));
    let modules = std::env::var("NODE_PATH").unwrap_or_default();
    Ok(Program::new(shown, Path::new(file)).argument(script("function.cjs")).variable("NODE_PATH", modules))
}

/// What a program answers, if it is there and ends well.
fn ask_of(program: &str, arguments: &[&str]) -> Option<String> {
    let answer = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

fn script(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/start");
    folder.join(name).to_string_lossy().into_owned()
}
