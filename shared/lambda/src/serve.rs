//! What a function does with the platform's events: queue records, requests, the clock's minute, an operator's question.

use std::fmt::Display;

use aws_lambda_events::sqs::SqsEvent;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::Value;
use shared_aws::sqs::Queue;
use shared_flow::ports::PortResult;

use crate::attend::Done;
use crate::check::Question;
use crate::records::{Desk, Invocation, Record, answer, show_again};
use crate::started::{CannotStart, Started};
use crate::stopping::on_stop;

// The futures of a run are boxed: unboxed, their nesting is deeper than the compiler computes by itself.

/// What a queue's function is called with.
#[derive(Deserialize)]
#[serde(untagged)]
enum QueueEvent {
    Question(Question),
    Records(SqsEvent),
}

/// What the clock's function is called with.
#[derive(Deserialize)]
#[serde(untagged)]
enum ClockEvent {
    Question(Question),
    Minute(serde::de::IgnoredAny),
}

impl Started {
    /// Serves the records of a queue until the platform ends the process.
    pub async fn serve_queue(
        self,
        queue: Queue,
        handler: impl AsyncFn(Record) -> PortResult<Done>,
    ) -> Result<(), CannotStart> {
        let (clock, bodies, sqs) = (self.clock(), self.bodies()?, self.sqs());
        let url = self.environment.queues.of(queue)?.to_owned();
        self.prepare_to_stop().await;
        let (desk, handler) =
            (Desk { queue, clock: clock.as_ref(), parking: &bodies, bodies: &bodies }, &handler);
        let event = async |LambdaEvent { payload, context }: LambdaEvent<QueueEvent>| match payload {
            QueueEvent::Question(question) => Ok(self.answer(&question).await?),
            QueueEvent::Records(batch) => {
                let back = desk.work(batch.records, &invocation(&context), handler).await;
                show_again(&sqs, &url, &back).await;
                self.let_out_metrics();
                Ok::<_, lambda_runtime::Error>(serde_json::to_value(answer(&back))?)
            }
        };
        run(Box::pin(lambda_runtime::run(service_fn(|incoming| Box::pin(event(incoming))))).await)
    }

    /// Serves the clock's minutes. An error is the invocation's: the platform counts it, and the next minute tries again.
    pub async fn serve_clock(self, handler: impl AsyncFn() -> PortResult<usize>) -> Result<(), CannotStart> {
        self.prepare_to_stop().await;
        let event = async |LambdaEvent { payload, .. }: LambdaEvent<ClockEvent>| match payload {
            ClockEvent::Question(question) => Ok(self.answer(&question).await?),
            ClockEvent::Minute(_) => {
                let woken = handler().await;
                self.let_out_metrics();
                Ok::<_, lambda_runtime::Error>(serde_json::json!({ "woken": woken? }))
            }
        };
        run(Box::pin(lambda_runtime::run(service_fn(|incoming| Box::pin(event(incoming))))).await)
    }

    /// Serves requests that come through the gateway.
    pub async fn serve_http(self, routes: Router) -> Result<(), CannotStart> {
        self.prepare_to_stop().await;
        let metrics = self.metrics;
        let routes = routes.layer(middleware::from_fn(async move |request: Request, next: Next| {
            let response = next.run(request).await;
            let _ = metrics.flush(std::io::stdout());
            response
        }));
        run(Box::pin(lambda_http::run(routes)).await)
    }

    async fn prepare_to_stop(&self) {
        let metrics = self.metrics;
        on_stop(move || drop(metrics.flush(std::io::stdout()))).await;
    }

    async fn answer(&self, question: &Question) -> serde_json::Result<Value> {
        serde_json::to_value(self.check(question).await)
    }

    /// Counted things go out with the invocation that counted them: a frozen process would keep them.
    fn let_out_metrics(&self) {
        let _ = self.metrics.flush(std::io::stdout());
    }
}

fn invocation(context: &Context) -> Invocation<'_> {
    Invocation { request: &context.request_id, ends: context.deadline() }
}

fn run(ended: Result<(), impl Display>) -> Result<(), CannotStart> {
    ended.map_err(|error| CannotStart::because(error.to_string()))
}
