//! What a line refuses to start with, and what it says about it.

use std::process::{Output, Stdio};

use super::creatio::{Creatio, Flavour};
use super::model::Model;
use super::program::{command, free_port};
use super::setup::{CLIENT_ID, CLIENT_SECRET, MODEL_KEY, SECRETS, Setup};
use super::wait::until;

/// The documented file.
async fn documented() -> String {
    let model = Model::start(MODEL_KEY).await;
    let creatio = Creatio::start(Flavour::Framework, CLIENT_ID, CLIENT_SECRET).await;
    Setup::default().toml(&model, &creatio)
}

/// Starts a line with this file and waits until it has given up.
async fn refused(toml: &str, environment: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.toml");
    std::fs::write(&file, toml).unwrap();
    let mut command = command();
    command.arg("local").arg("--config").arg(&file).arg("--port").arg(free_port().to_string());
    command.arg("--data").arg(folder.path().join("data")).envs(environment.iter().copied());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it gives up", || {
        let ended = child.try_wait().unwrap();
        ended.map(|status| assert!(!status.success(), "it pretends to have succeeded"))
    })
    .await;
    let Output { stdout, stderr, .. } = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(SECRETS.iter().all(|secret| !said.contains(secret)), "a secret is in the message: {said}");
    said
}

const INSECURE: [(&str, &str); 1] = [("SWITCHBOARD_ALLOW_INSECURE", "1")];

#[tokio::test]
async fn an_unknown_key_is_refused_with_its_line() {
    let toml = documented().await;
    let line = toml.lines().position(|line| line.starts_with("debounce_seconds")).unwrap() + 1;
    let said = refused(&toml.replace("debounce_seconds", "debounce_second"), &INSECURE).await;
    assert!(said.contains(&format!("line {line}")) && said.contains("debounce_second"), "{said}");

    let line = toml.lines().position(|line| line.starts_with("resolved_status_id")).unwrap() + 1;
    let said = refused(&toml.replace("resolved_status_id", "resolved_status"), &INSECURE).await;
    assert!(said.contains(&format!("line {line}")) && said.contains("resolved_status"), "{said}");
}

#[tokio::test]
async fn a_wrong_value_is_refused_with_its_line_and_is_not_repeated() {
    let toml = documented().await;
    let line = toml.lines().position(|line| line.starts_with("ai_enabled")).unwrap() + 1;
    let said =
        refused(&toml.replace("ai_enabled = true", &format!("ai_enabled = \"{MODEL_KEY}\"")), &INSECURE)
            .await;
    assert!(said.contains(&format!("line {line}")), "{said}");
}

#[tokio::test]
async fn addresses_without_tls_are_refused_unless_it_is_allowed() {
    let toml = documented().await;
    let said = refused(&toml, &[]).await;
    assert!(said.contains("SWITCHBOARD_ALLOW_INSECURE"), "it says what to do: {said}");
    let said = refused(&toml, &[("SWITCHBOARD_ALLOW_INSECURE", "0")]).await;
    assert!(said.contains("instance_url") || said.contains("base_url"), "it says which: {said}");

    let address = |line: &str| match line.split_once(" = ") {
        Some((key @ ("instance_url" | "identity_url" | "base_url"), _)) => {
            format!("{key} = \"https://acme.creatio.com\"")
        }
        _ => line.to_owned(),
    };
    let https = toml.lines().map(address).collect::<Vec<_>>().join("\n");
    let said = refused(&https, &[("SWITCHBOARD_WHATSAPP_URL", "http://127.0.0.1:9")]).await;
    assert!(said.contains("SWITCHBOARD_WHATSAPP_URL"), "{said}");
}

#[tokio::test]
async fn a_file_that_is_not_there_or_says_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        command().args(["local", "--config"]).arg(folder.path().join("nothing.toml")).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing.toml"));
    let said = refused("", &INSECURE).await;
    assert!(said.contains("organisation"), "{said}");
}
