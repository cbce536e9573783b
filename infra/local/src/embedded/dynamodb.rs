//! DynamoDB in this process, on the file `line.db`, behind its real HTTP interface.
//!
//! The server does its work, and its waiting for the disk, on the threads of its runtime: it gets its own, so that
//! nobody else waits along.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// How often expired items are removed; nothing depends on it, since conditions compare the time themselves.
const SWEEP: Duration = Duration::from_secs(60);
/// How long stopping waits for requests under way. What is acknowledged is safe without it.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A running DynamoDB. It stops when this is dropped.
#[derive(Debug)]
pub struct EmbeddedDynamoDb {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    /// Hears of the server's end.
    ended: Receiver<()>,
    /// Dropping it ends the sweeping.
    _sweeping: Sender<()>,
}

/// Why it does not run.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database {} cannot be opened ({why}): make sure that this user may write it; if it is damaged, move it away \
     or start anew with --fresh, which forgets every session",
    file.display()
)]
pub struct NotRunning {
    file: PathBuf,
    why: String,
}

/// What the server's thread reports once it listens.
type Ready = Result<(SocketAddr, Database), String>;

impl EmbeddedDynamoDb {
    /// Opens `line.db` in the data folder, or makes it, and serves it on a free port of the loopback address.
    /// The caller has the folder's lock: two servers on one file would not know of each other.
    pub async fn open(data: &Path) -> Result<Self, NotRunning> {
        let file = data.join("line.db");
        let failed = |why: String| NotRunning { file: file.clone(), why };
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell_ready, ready) = oneshot::channel();
        let (tell_end, ended) = channel();
        let path = file.clone();
        let server = thread::Builder::new().name("dynamodb".to_owned()).spawn(move || {
            run(&path, tell_ready, async { stopped.await.unwrap_or_default() });
            // Whoever waited for it may have gone.
            let _ = tell_end.send(());
        });
        server.map_err(|error| failed(error.to_string()))?;
        let ready: Ready = ready.await.unwrap_or_else(|_| Err("its thread stopped".to_owned()));
        let (address, database) = ready.map_err(failed)?;
        Ok(Self { address, stop: Some(stop), ended, _sweeping: sweep(database, SWEEP) })
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for EmbeddedDynamoDb {
    fn drop(&mut self) {
        if self.stop.take().is_some_and(|stop| stop.send(()).is_ok()) {
            let _ = self.ended.recv_timeout(LAST_WORDS);
        }
    }
}

/// Serves until `stopped`. What goes wrong before it listens is reported; afterwards it is logged.
fn run(file: &Path, ready: oneshot::Sender<Ready>, stopped: impl Future<Output = ()> + Send + 'static) {
    let (runtime, database) = match open(file) {
        Ok(opened) => opened,
        Err(why) => {
            let _ = ready.send(Err(why));
            return;
        }
    };
    runtime.block_on(async {
        let bound = bind().await;
        let listening = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = match listening {
            Ok(listening) => listening,
            Err(error) => return drop(ready.send(Err(error.to_string()))),
        };
        if ready.send(Ok((address, database.clone()))).is_err() {
            return;
        }
        if let Err(why) = dynoxide::server::serve_with_shutdown(listener, database, stopped).await {
            tracing::error!(
                why,
                "the embedded database stopped; start the line again, everything stored is kept"
            );
        }
    });
    // A request that will not end must not keep the process.
    runtime.shutdown_timeout(LAST_WORDS);
}

/// Listens where nobody finds it by trying. The database checks no credentials and answers any web page, so its
/// address is what keeps others out: one of sixteen million loopback addresses, at a port that the system picks.
/// Systems that know only one loopback address get that one.
async fn bind() -> std::io::Result<TcpListener> {
    let [a, b, c]: [u8; 3] = rand::random();
    let hidden = Ipv4Addr::new(127, a, b, c.clamp(1, 254));
    match TcpListener::bind((hidden, 0)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
    }
}

fn open(file: &Path) -> Result<(Runtime, Database), String> {
    let path = file.to_str().ok_or("its path is not valid Unicode")?;
    let database = Database::new(path).map_err(|error| error.to_string())?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).thread_name("dynamodb").enable_all().build();
    Ok((runtime.map_err(|error| error.to_string())?, database))
}

/// Removes expired items now and then, on a thread of its own, until the returned handle is dropped.
fn sweep(database: Database, every: Duration) -> Sender<()> {
    let (handle, until) = channel();
    let sweeper = thread::Builder::new().name("dynamodb-ttl".to_owned()).spawn(move || {
        while until.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            if let Err(error) = database.sweep_ttl() {
                tracing::warn!(%error, "expired items were not removed; this is tried again");
            }
        }
    });
    if let Err(error) = sweeper {
        tracing::warn!(%error, "expired items will not be removed until the line is started again");
    }
    handle
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
    use aws_sdk_dynamodb::types::AttributeValue;
    use shared::{Contact, CustomerAddress, Identity, OrgId};
    use shared_aws::dynamodb::Table;
    use shared_flow::ports::Contacts;

    use super::*;

    fn client(database: &EmbeddedDynamoDb) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("local"))
            .endpoint_url(database.url())
            .credentials_provider(Credentials::new("local", "local", None, None, "test"));
        Client::from_conf(config.build())
    }

    async fn table(database: &EmbeddedDynamoDb) -> Table {
        let table = Table::new(client(database), "line");
        table.create_if_absent().await.unwrap();
        table
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let org = OrgId::new("acme").unwrap();
        let address = CustomerAddress::Whatsapp { user_id: Some("US.1".to_owned()), phone: None };
        let dana = Contact::new(&org, &address, Some("Dana".to_owned()));
        let identity = Identity::WhatsappUser("US.1".to_owned());
        let first = EmbeddedDynamoDb::open(folder.path()).await.unwrap();
        table(&first).await.save(&dana, std::slice::from_ref(&identity)).await.unwrap();
        drop(first);
        let second = EmbeddedDynamoDb::open(folder.path()).await.unwrap();
        assert_eq!(table(&second).await.by_identity(&org, &identity).await.unwrap(), Some(dana));
    }

    #[tokio::test]
    async fn a_stopped_database_answers_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let database = EmbeddedDynamoDb::open(folder.path()).await.unwrap();
        let address = database.address;
        tokio::net::TcpStream::connect(address).await.unwrap();
        drop(database);
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn expired_items_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let database = EmbeddedDynamoDb::open(folder.path()).await.unwrap();
        table(&database).await;
        let client = client(&database);
        let put = |pk: &str, expires_at: &str| {
            let request = client.put_item().table_name("line").item("pk", AttributeValue::S(pk.to_owned()));
            let request = request.item("sk", AttributeValue::S("MARK".to_owned()));
            request.item("expires_at", AttributeValue::N(expires_at.to_owned())).send()
        };
        put("old", "1").await.unwrap();
        put("young", "99999999999").await.unwrap();
        let file = folder.path().join("line.db");
        let other = Database::new(file.to_str().unwrap()).unwrap();
        let _sweeping = sweep(other, Duration::from_millis(1));
        let count = async || client.scan().table_name("line").send().await.unwrap().count();
        let swept = async {
            while count().await > 1 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), swept).await.unwrap();
        assert_eq!(count().await, 1);
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("line.db"), vec![b'x'; 8_192]).unwrap();
        let refused = EmbeddedDynamoDb::open(folder.path()).await.unwrap_err();
        assert!(refused.to_string().contains("line.db"), "{refused}");
    }
}
