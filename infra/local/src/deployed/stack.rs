//! One deployed stack: its state, and what it put out by name.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{self, StackStatus};
use shared_aws::sqs::{Queue, QueueUrls};

use super::aws::Aws;
use super::trouble::{Trouble, failed};

/// A stack that was found.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its state, as CloudFormation calls it: `UPDATE_COMPLETE`.
    pub status: String,
    outputs: BTreeMap<String, String>,
}

impl Stack {
    /// Reads the stack. An unknown name is trouble; a stack that is not complete is found all the same.
    pub async fn find(aws: &Aws, name: &str) -> Result<Self, Trouble> {
        let answer = aws.cloudformation().describe_stacks().stack_name(name).send().await;
        let answer = answer.map_err(|error| match error.code() {
            Some("ValidationError") => absent(name, aws.region()),
            _ => failed("reading the stack", &error),
        })?;
        let stack = answer.stacks().first().ok_or_else(|| absent(name, aws.region()))?;
        Ok(Self::of(name, stack))
    }

    fn of(name: &str, stack: &types::Stack) -> Self {
        let output = |output: &types::Output| {
            Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
        };
        let status = stack.stack_status().map_or("unknown", StackStatus::as_str).to_owned();
        Self { name: name.to_owned(), status, outputs: stack.outputs().iter().filter_map(output).collect() }
    }

    /// An output of the template.
    pub fn output(&self, name: &str) -> Result<&str, Trouble> {
        self.outputs.get(name).map(String::as_str).ok_or_else(|| {
            Trouble(format!(
                "the stack {} has no output {name}: was it deployed from this project's template, and is it up to date?",
                self.name
            ))
        })
    }

    /// Everything it put out, by name.
    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        &self.outputs
    }

    /// A queue's address.
    pub fn queue(&self, queue: Queue) -> Result<&str, Trouble> {
        self.output(&format!("{}QueueUrl", logical(queue)))
    }

    /// The address of the queue that keeps what its worker could not get rid of.
    pub fn dead_letters(&self, queue: Queue) -> Result<&str, Trouble> {
        self.output(&format!("{}DeadLettersUrl", logical(queue)))
    }

    /// The addresses of all queues, to send to.
    pub fn queue_urls(&self) -> Result<QueueUrls, Trouble> {
        let url = |queue| self.queue(queue).map(|url| Some(url.to_owned()));
        Ok(QueueUrls {
            conversation: url(Queue::Conversation)?,
            deliveries: url(Queue::Deliveries)?,
            crm_sync: url(Queue::CrmSync)?,
            turns: url(Queue::Turns)?,
            receipts: url(Queue::Receipts)?,
        })
    }

    /// What is wrong with its state, and what to do; `None` when it is complete.
    #[must_use]
    pub fn incomplete(&self) -> Option<String> {
        let status = &self.status;
        match status.as_str() {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => None,
            // The earlier version runs on, whole.
            "UPDATE_ROLLBACK_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => None,
            going if going.ends_with("IN_PROGRESS") => {
                Some(format!("it is {status}: wait until that has ended"))
            }
            _ => Some(format!(
                "it is {status}: look at its events in CloudFormation, mend the cause, deploy again"
            )),
        }
    }
}

/// How the template calls a queue.
fn logical(queue: Queue) -> &'static str {
    match queue {
        Queue::Conversation => "Conversation",
        Queue::Deliveries => "Deliveries",
        Queue::CrmSync => "CrmSync",
        Queue::Turns => "Turns",
        Queue::Receipts => "Receipts",
    }
}

fn absent(name: &str, region: &str) -> Trouble {
    Trouble(format!(
        "there is no stack {name} in {region}: check --stack and --region, or deploy it first (docs/guides/deploy.md)"
    ))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A complete stack with these outputs.
    pub(in crate::deployed) fn stack(outputs: &[(&str, &str)]) -> Stack {
        let outputs = outputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Stack { name: "sb".to_owned(), status: "UPDATE_COMPLETE".to_owned(), outputs: outputs.collect() }
    }

    #[test]
    fn a_missing_output_is_named_with_its_stack() {
        let said = stack(&[]).output("ApiUrl").unwrap_err().to_string();
        assert_eq!(
            said,
            "the stack sb has no output ApiUrl: was it deployed from this project's template, and is it up to date?"
        );
        assert_eq!(stack(&[("TurnsQueueUrl", "u")]).queue(Queue::Turns), Ok("u"));
        assert_eq!(stack(&[("TurnsDeadLettersUrl", "d")]).dead_letters(Queue::Turns), Ok("d"));
    }

    #[test]
    fn only_a_whole_stack_is_complete() {
        let told = |status: &str| Stack { status: status.to_owned(), ..stack(&[]) }.incomplete();
        assert_eq!(told("UPDATE_COMPLETE"), None);
        assert!(told("UPDATE_IN_PROGRESS").unwrap().contains("wait"));
        for broken in ["ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"] {
            assert!(told(broken).unwrap().contains("deploy again"), "{broken}");
        }
    }

    #[test]
    fn outputs_are_read_by_name() {
        let output = types::Output::builder().output_key("ApiUrl").output_value("https://a.example").build();
        let stack = types::Stack::builder().stack_status(StackStatus::CreateComplete).outputs(output).build();
        let stack = Stack::of("sb", &stack);
        assert_eq!(
            (stack.output("ApiUrl"), stack.status.as_str()),
            (Ok("https://a.example"), "CREATE_COMPLETE")
        );
    }
}
