//! The Lambda `whatsapp-ingress`: Meta's requests from the gateway, to the routes.

use std::sync::Arc;

use shared_flow::ingest::Ingest;
use shared_lambda::{CannotStart, Secret};
use whatsapp_ingress::Intake;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CannotStart> {
    let start = shared_lambda::start("whatsapp-ingress").await?;
    let ingest = Ingest {
        clock: start.clock(),
        settings: start.settings()?,
        queues: start.queues()?,
        parking: Arc::new(start.bodies()?),
    };
    let intake = Intake { accounts: start.accounts(Secret::Webhooks)?, ingest };
    start.serve_http(whatsapp_ingress::router(intake)).await
}
