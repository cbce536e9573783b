//! An embedded DynamoDB, reached over HTTP as the real one is.

use std::net::{SocketAddr, TcpListener};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use tokio::sync::oneshot;

/// An empty DynamoDB of this test's own, stopped at its end.
pub struct Emulator {
    pub client: Client,
    /// Dropping it stops the server.
    _stop: oneshot::Sender<()>,
}

impl Emulator {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        // Its own thread and runtime: it does its work, and its waiting for the disk, on the runtime's threads.
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let database = dynoxide::Database::memory().unwrap();
                let stopped = async { stopped.await.unwrap_or_default() };
                dynoxide::server::serve_with_shutdown(listener, database, stopped).await.unwrap();
            });
        });
        Self { client: client(address), _stop: stop }
    }
}

fn client(address: SocketAddr) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .build();
    Client::from_conf(config)
}
