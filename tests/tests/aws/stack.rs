//! The template deployed on the emulator, by CloudFormation alone.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType, Parameter, StackStatus};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::Environment;
use serde_json::Value;

use super::batches;
use super::bridge;
use super::emulator::Emulator;
use super::package::Package;
use super::wait::within_asking;

/// How long a deploy may take on a busy machine.
const MOST: Duration = Duration::from_secs(90);

/// A deployed stack.
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// The names of the deployed functions, by the names that they bear in the template.
    pub functions: BTreeMap<String, String>,
    /// The names of the functions' roles, by the functions' names in the template.
    pub roles: BTreeMap<String, String>,
    /// Where the emulator serves what would be served at the output `ApiUrl`.
    pub api_url: String,
    lambda: aws_sdk_lambda::Client,
}

impl Stack {
    /// Deploys the project's template.
    pub async fn deploy(emulator: &Emulator) -> Self {
        let stack = Self::create(emulator, &Package::whole(emulator).await).await;
        bridge::create_routes(emulator, &stack.name).await;
        bridge::allow_plain_http(emulator, &stack).await;
        batches::permit(emulator, stack.roles.values()).await;
        stack
    }

    /// Deploys the tables, the queues and the bucket of the project's template, without the functions.
    pub async fn deploy_stores(emulator: &Emulator) -> Self {
        Self::create(emulator, &Package::stores(emulator).await).await
    }

    async fn create(emulator: &Emulator, package: &Package) -> Self {
        let client = Client::new(&emulator.config);
        create_change_set(&client, NAME, package).await;
        client.execute_change_set().stack_name(NAME).change_set_name(CHANGE).send().await.unwrap();
        let outputs = until_complete(&client, NAME).await;
        let resources = resources(&client, NAME).await;
        let named = |end: &str| {
            let named =
                package.functions.iter().map(|name| (name, resources[&format!("{name}{end}")].clone()));
            named.map(|(name, deployed)| (name.clone(), deployed)).collect()
        };
        let (functions, roles) = (named(""), named("Role"));
        let api = resources.get("Api").map_or("", String::as_str);
        let api_url = format!("{}/_aws/execute-api/{api}", emulator.url);
        let lambda = aws_sdk_lambda::Client::new(&emulator.config);
        Self { name: NAME.to_owned(), outputs, functions, roles, api_url, lambda }
    }

    /// An output that the template must have.
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("the stack has no output {name}: {:?}", self.outputs))
    }

    /// The variables that a function is given.
    pub async fn environment(&self, function: &str) -> BTreeMap<String, String> {
        let name = &self.functions[function];
        let config = self.lambda.get_function_configuration().function_name(name).send().await.unwrap();
        let variables = config.environment.and_then(|environment| environment.variables);
        variables.unwrap_or_default().into_iter().collect()
    }

    /// Gives every function these variables too. Running ones are ended; the next event starts them anew.
    pub async fn set_everywhere(&self, variables: &[(&str, &str)]) {
        for function in self.functions.keys() {
            self.set(function, variables).await;
        }
    }

    /// Gives a function these variables too. If it runs it is ended; the next event starts it anew.
    pub async fn set(&self, function: &str, variables: &[(&str, &str)]) {
        let mut all = self.environment(function).await;
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let environment = Environment::builder().set_variables(Some(all.into_iter().collect())).build();
        let update = self.lambda.update_function_configuration().function_name(&self.functions[function]);
        update.environment(environment).send().await.unwrap();
    }

    /// Gives a function an event and returns its answer.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let request = self.lambda.invoke().function_name(&self.functions[function]);
        let answer = request.payload(Blob::new(event.to_string())).send().await.unwrap();
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let said = String::from_utf8_lossy(&payload).into_owned();
        assert!(answer.function_error.is_none(), "{function}: {said}");
        serde_json::from_str(&said).unwrap()
    }
}

const NAME: &str = "switchboard";
const CHANGE: &str = "deploy";

async fn create_change_set(client: &Client, stack: &str, package: &Package) {
    let change = client.create_change_set().stack_name(stack).change_set_name(CHANGE);
    let change = change.change_set_type(ChangeSetType::Create).template_url(&package.url);
    let change =
        change.capabilities(Capability::CapabilityIam).capabilities(Capability::CapabilityAutoExpand);
    change.set_parameters(Some(parameters(package))).send().await.unwrap();
    within_asking(MOST, "the change set is made", async || {
        let set =
            client.describe_change_set().stack_name(stack).change_set_name(CHANGE).send().await.unwrap();
        let status = set.status.clone().unwrap();
        assert_ne!(status, ChangeSetStatus::Failed, "the template is refused: {:?}", set.status_reason);
        (status == ChangeSetStatus::CreateComplete).then_some(())
    })
    .await;
}

/// The functions were built for this machine.
fn parameters(package: &Package) -> Vec<Parameter> {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let ours = [("Architecture", architecture)];
    let those = ours.iter().filter(|(name, _)| package.parameters.iter().any(|known| known == name));
    those
        .map(|(name, value)| Parameter::builder().parameter_key(*name).parameter_value(*value).build())
        .collect()
}

/// Waits for the end of the deploy and returns the outputs.
async fn until_complete(client: &Client, name: &str) -> BTreeMap<String, String> {
    let stack = within_asking(MOST, "the stack is deployed", async || {
        let stacks = client.describe_stacks().stack_name(name).send().await.unwrap();
        let stack = stacks.stacks.unwrap_or_default().pop().unwrap();
        let going_on =
            stack.stack_status.as_ref().is_none_or(|status| status.as_str().ends_with("IN_PROGRESS"));
        (!going_on).then_some(stack)
    })
    .await;
    if stack.stack_status != Some(StackStatus::CreateComplete) {
        panic!("the stack is not deployed:\n{}", failures(client, name).await.join("\n"));
    }
    let outputs = stack.outputs.unwrap_or_default().into_iter();
    outputs.map(|output| (output.output_key.unwrap(), output.output_value.unwrap_or_default())).collect()
}

/// What went wrong with which resource.
async fn failures(client: &Client, name: &str) -> Vec<String> {
    let events = client.describe_stack_events().stack_name(name).send().await.unwrap();
    let events = events.stack_events.unwrap_or_default();
    let failed = events
        .iter()
        .filter(|event| event.resource_status.as_ref().is_some_and(|s| s.as_str().contains("FAILED")));
    failed
        .map(|event| format!("{:?}: {:?}", event.logical_resource_id, event.resource_status_reason))
        .collect()
}

/// The deployed resources by the names that they bear in the template.
async fn resources(client: &Client, name: &str) -> BTreeMap<String, String> {
    let found = client.describe_stack_resources().stack_name(name).send().await.unwrap();
    let named = found.stack_resources.unwrap_or_default().into_iter();
    named.filter_map(|r| Some((r.logical_resource_id?, r.physical_resource_id?))).collect()
}

#[tokio::test]
async fn the_template_is_deployed_with_all_its_functions() {
    let emulator = Emulator::start().await;
    let stack = Stack::deploy(&emulator).await;
    assert_eq!(stack.functions.len(), 8, "{:?}", stack.functions);
    for (logical, deployed) in &stack.functions {
        assert_eq!(stack.output(&format!("{logical}Name")), deployed);
    }
    emulator.assert_on_loopback_only();
}
