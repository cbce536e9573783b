//! The Lambda `creatio-webhook`: Creatio's requests from the gateway, to the routes.

use creatio_webhook::Webhook;
use shared_lambda::{CannotStart, Secret};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CannotStart> {
    let start = shared_lambda::start("creatio-webhook").await?;
    let webhook = Webhook { accounts: start.accounts(Secret::None)?, queues: start.queues()? };
    start.serve_http(creatio_webhook::router(webhook)).await
}
