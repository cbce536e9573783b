//! Ending in order: the platform warns only functions that registered an extension, so this registers one that wants
//! nothing else.

use lambda_extension::Extension;
use tokio::signal::unix::{SignalKind, signal};

/// Lambda asks that an internal extension's name be unique within its function.
const NAME: &str = "switchboard-stopping";

/// From here on `SIGTERM` runs `last` and ends the process. Nothing is lost without it: it only lets counted metrics
/// out. A platform without extensions (an emulator) is served without the warning.
pub async fn on_stop(last: impl FnOnce() + Send + 'static) {
    let registering = Extension::new().with_events(&[]).with_extension_name(NAME).register();
    let Ok(extension) = registering.await else {
        tracing::debug!("this platform knows no extensions; it will end without a warning");
        return;
    };
    tokio::spawn(async move { extension.run().await.map_err(|_| ()) });
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    tokio::spawn(async move {
        terminated.recv().await;
        last();
        std::process::exit(0);
    });
}
