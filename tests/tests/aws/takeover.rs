//! How the test takes a deployed stack over: what each function is given is read from the stack, the platform's own
//! copies of the functions are removed, and from then on only the test starts and calls them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_lambda::Client as Lambda;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use aws_sdk_sqs::types::QueueAttributeName;

use super::calls::Names;
use super::creatio::{Creatio, Flavour};
use super::emulator::Emulator;
use super::event_source::Source;
use super::graph::Graph;
use super::model::Model;
use super::package::bootstrap;
use super::program::command;
use super::proxy::Proxy;
use super::runtime_api::{Alive, Function, Program};
use super::setup::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, MODEL_KEY, Setup};
use super::stack::Stack;
use super::world::{FUNCTIONS, Vendors, Worker, World};

/// A certificate of nobody: the only authority that the functions trust.
const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws/nobody.pem");

/// What the deployed stack says of one function.
struct Given {
    environment: BTreeMap<String, String>,
    left: Duration,
    arn: String,
}

impl World {
    /// Deploys a line and takes it over.
    pub async fn open() -> Self {
        let emulator = Emulator::start().await;
        let stack = Stack::deploy(&emulator).await;
        let (config, lambda) = (emulator.config.clone(), Lambda::new(&emulator.config));
        let names = Arc::new(names(&config, &stack.name).await);
        let given = given(&lambda, &stack).await;
        let sources = sources(&lambda, &config, &names, &given).await;
        remove_the_platforms_own(&lambda, &stack).await;
        let vendors = Vendors {
            graph: Graph::start(ACCESS_TOKEN).await,
            model: Model::start(MODEL_KEY).await,
            creatio: Creatio::start(Flavour::Framework, CLIENT_ID, CLIENT_SECRET).await,
        };
        let folder = tempfile::tempdir().unwrap();
        let mut crew =
            Crew { emulator: &emulator, names: names.clone(), vendors: &vendors, folder: folder.path() };
        let (mut workers, mut ways) = (BTreeMap::new(), BTreeMap::new());
        for (name, given) in &given {
            let (worker, way) = crew.hire(name, given).await;
            workers.insert(*name, worker);
            ways.insert(*name, way);
        }
        let settings = settings(&vendors, &ways["crm-sync"], &ways["agent"]);
        apply(&emulator, &stack.name, folder.path(), &settings);
        Self::new(vendors, workers, sources, names, emulator, folder)
    }
}

/// What it takes to prepare a function.
struct Crew<'a> {
    emulator: &'a Emulator,
    names: Arc<Names>,
    vendors: &'a Vendors,
    folder: &'a Path,
}

impl Crew<'_> {
    /// A function behind its proxy, and the address by which it reaches its vendor, if it has one.
    async fn hire(&mut self, name: &'static str, given: &Given) -> (Worker, String) {
        let alive = Alive::default();
        let proxy = Proxy::new(alive.clone());
        let Vendors { graph, model, creatio } = self.vendors;
        let way = match name {
            "delivery" => proxy.to_vendor(&graph.url, "whatsapp").await,
            // The stand-in's address ends with the version, which is part of every request's path.
            "agent" => proxy.to_vendor(model.url.trim_end_matches("/v1"), "model").await,
            "crm-sync" => proxy.to_vendor(&creatio.url, "creatio").await,
            _ => String::new(),
        };
        let endpoint = proxy.to_aws(&self.emulator.url, self.names.clone()).await;
        let environment = self.around(given, &endpoint, &way);
        let program = Program { name, file: bootstrap(name), environment, log: self.folder.join(name) };
        (Worker { function: Function::new(program, alive).await, proxy, left: given.left }, way)
    }

    /// What a process of the function has around it: what the stack gives it, and what only tests can.
    fn around(&self, given: &Given, endpoint: &str, way: &str) -> BTreeMap<String, String> {
        let mut all = given.environment.clone();
        let account = self.emulator.environment();
        let ours = [
            ("AWS_ENDPOINT_URL", endpoint),
            ("SWITCHBOARD_ALLOW_INSECURE", "1"),
            ("SWITCHBOARD_WHATSAPP_URL", way),
            // Nothing here is encrypted on its way, and reading all authorities of this machine is most of a start.
            ("SSL_CERT_FILE", AUTHORITY),
        ];
        let both = account.into_iter().chain(ours);
        all.extend(both.map(|(name, value)| (name.to_owned(), value.to_owned())));
        all
    }
}

/// The configuration: two numbers, the assistant switched off on the second.
fn settings(vendors: &Vendors, creatio: &str, model: &str) -> String {
    let creatio = Some((creatio.to_owned(), CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned()));
    let model_url = Some(format!("{model}/v1"));
    let setup = Setup { other_number: true, creatio, model_url, ..Setup::default() };
    let mut settings: toml::Table = setup.toml(&vendors.model, &vendors.creatio).parse().unwrap();
    settings["orgs"]["acme"]["whatsapp"][1]["ai_enabled"] = false.into();
    settings.to_string()
}

/// Puts settings and secrets where the functions find them.
fn apply(emulator: &Emulator, stack: &str, folder: &Path, settings: &str) {
    let file = folder.join("switchboard.toml");
    std::fs::write(&file, settings).unwrap();
    let mut command = command();
    command.args(["apply", "--stack", stack, "--config"]).arg(file);
    command.env("SWITCHBOARD_ALLOW_INSECURE", "1").envs(emulator.environment());
    let output = command.output().unwrap();
    assert!(output.status.success(), "`switchboard apply`: {}", String::from_utf8_lossy(&output.stderr));
}

async fn names(config: &SdkConfig, stack: &str) -> Names {
    let found =
        CloudFormation::new(config).describe_stack_resources().stack_name(stack).send().await.unwrap();
    let found = found.stack_resources.unwrap_or_default().into_iter();
    let logical = found.filter_map(|one| Some((one.physical_resource_id?, one.logical_resource_id?)));
    Names { stack: stack.to_owned(), logical: logical.collect() }
}

async fn given(lambda: &Lambda, stack: &Stack) -> BTreeMap<&'static str, Given> {
    let mut given = BTreeMap::new();
    for (logical, name) in FUNCTIONS {
        let request = lambda.get_function_configuration().function_name(&stack.functions[logical]);
        let found = request.send().await.unwrap();
        let left = Duration::from_secs(found.timeout.unwrap().try_into().unwrap());
        let variables = found.environment.and_then(|environment| environment.variables).unwrap_or_default();
        let environment = variables.into_iter().collect();
        given.insert(name, Given { environment, left, arn: found.function_arn.unwrap() });
    }
    given
}

/// Which queue feeds which function, as the stack has it.
async fn sources(
    lambda: &Lambda,
    config: &SdkConfig,
    names: &Names,
    given: &BTreeMap<&'static str, Given>,
) -> Vec<Source> {
    let (sqs, mut queues) = (aws_sdk_sqs::Client::new(config), BTreeMap::new());
    for (queue, url) in names.queues() {
        let request = sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All);
        let attributes = request.send().await.unwrap().attributes.unwrap_or_default();
        let visibility: i64 = attributes[&QueueAttributeName::VisibilityTimeout].parse().unwrap();
        queues.insert(attributes[&QueueAttributeName::QueueArn].clone(), (queue, url, visibility));
    }
    let source = |mapping: EventSourceMappingConfiguration| {
        let (arn, of) = (mapping.event_source_arn.unwrap(), mapping.function_arn.unwrap());
        let (function, _) = given.iter().find(|(_, given)| of.starts_with(&given.arn)).unwrap();
        let (queue, url, visibility) = queues[&arn].clone();
        Source { queue, url, arn, function, batch: mapping.batch_size.unwrap(), visibility }
    };
    mappings(lambda).await.into_iter().map(source).collect()
}

async fn mappings(lambda: &Lambda) -> Vec<EventSourceMappingConfiguration> {
    let found = lambda.list_event_source_mappings().send().await.unwrap();
    found.event_source_mappings.unwrap_or_default()
}

/// Nothing but the test may feed a queue's function or be the clock. A schedule without its function does nothing.
async fn remove_the_platforms_own(lambda: &Lambda, stack: &Stack) {
    for mapping in mappings(lambda).await {
        lambda.delete_event_source_mapping().uuid(mapping.uuid.unwrap()).send().await.unwrap();
    }
    for function in stack.functions.values() {
        lambda.delete_function().function_name(function).send().await.unwrap();
    }
}
