//! `switchboard local`: the whole line in one process, on a laptop.

use std::future::IntoFuture;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use clap::Args;
use shared_lambda::clock::SystemClock;
use shared_vendors::creatio::client::Creatio;
use shared_vendors::guard::Guard;
use shared_vendors::http::Http;
use shared_vendors::llm::client::OpenAi;
use shared_vendors::whatsapp::client::CloudApi;
use tokio::net::TcpListener;

use crate::admin::{self, Admin};
use crate::config::{self, BadConfig, Config};
use crate::embedded::lock::Lock;
use crate::embedded::parking::LocalParking;
use crate::embedded::queue::LocalQueue;
use crate::host;
use crate::line::{Ground, Line};
use crate::operator::Door;
use crate::sandboxes::{self, Played};
use crate::secrets::LocalSecrets;
use crate::settings::LocalSettings;
use crate::show;
use crate::stage::Stage;
use crate::store::Store;
use crate::takeover;

/// How long requests may take to end once the line is told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
/// How long workers may take: a send under way, and writing down what came of it.
const LAST_WORK: Duration = Duration::from_secs(15);
/// Meta's own address of the Cloud API.
const GRAPH: &str = "https://graph.facebook.com";

/// How to run the line.
#[derive(Debug, Args)]
pub struct LocalArgs {
    /// The configuration; without it everything outside is played by sandboxes.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The port to listen on, on 127.0.0.1.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where sessions, queues and parked input are kept.
    #[arg(long, default_value = ".switchboard")]
    data: PathBuf,
    /// Empty the data folder first.
    #[arg(long)]
    fresh: bool,
}

impl Default for LocalArgs {
    fn default() -> Self {
        Self { config: None, port: 8080, data: PathBuf::from(".switchboard"), fresh: false }
    }
}

/// What could not be started, in words that say what to do.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Runs the line until it is told to stop.
pub async fn run(args: LocalArgs) -> ExitCode {
    match start(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => crate::complain(&trouble.to_string()),
    }
}

async fn start(args: &LocalArgs) -> Result<(), Trouble> {
    let insecure = crate::allows_insecure();
    let mut config = read(args, insecure)?;
    let (listener, here) = listen(args.port).await?;
    let _lock = folder(args)?;
    let secrets = LocalSecrets::of(&args.data)?;
    let played = sandboxes::fill(&mut config, &secrets, &here);
    let settings = Arc::new(LocalSettings::new(&config, &here)?);

    let store = Store::open(&args.data, Guard::new(insecure)).await?;
    takeover::end_leases(&store.table, &SystemClock::default()).await?;
    let queue = LocalQueue::open(&args.data)?;
    let parking = Arc::new(LocalParking::open(&args.data)?);
    let vendors = Vendors::connect(&settings, played, insecure, &here)?;
    let line = Line::new(Ground {
        table: store.table.clone(),
        queues: Arc::new(queue.clone()),
        parking,
        settings: settings.clone(),
        channel: vendors.channel,
        crm: vendors.crm,
        model: vendors.model,
    });

    let stage = Stage::set(&args.data, &secrets, played, &here, &store.table, &settings)?;
    let routes = routes(&line, &queue, &settings, &secrets).merge(stage.routes());
    Door { url: here.clone(), token: secrets.admin_token.clone() }.open(&args.data)?;
    let workers = host::start(&line, &queue);
    show::ready(&config, played, &here, &args.data);
    let serving = axum::serve(listener, routes).with_graceful_shutdown(told_to_stop()).into_future();
    tokio::select! {
        served = serving => served?,
        // A request that never ends must not keep the process.
        () = async { told_to_stop().await; tokio::time::sleep(LAST_REQUESTS).await } => {}
    }
    tokio::select! {
        () = workers.finish(LAST_WORK) => {}
        // Told twice: now.
        () = told_to_stop() => {}
    }
    Ok(())
}

fn read(args: &LocalArgs, insecure: bool) -> Result<Config, BadConfig> {
    args.config.as_deref().map_or_else(|| Ok(sandboxes::demo()), |path| config::load(path, insecure))
}

async fn listen(port: u16) -> Result<(TcpListener, String), Trouble> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!(
            "port {port} cannot be used ({error}): stop what listens there, or choose another with --port"
        )
    })?;
    let here = format!("http://{}", listener.local_addr()?);
    Ok((listener, here))
}

/// Makes the data folder ours, empty if that was asked for.
fn folder(args: &LocalArgs) -> Result<Lock, Trouble> {
    let unusable =
        |error: std::io::Error| format!("the data folder {} cannot be used: {error}", args.data.display());
    std::fs::create_dir_all(&args.data).map_err(unusable)?;
    only_for_us(&args.data).map_err(unusable)?;
    let lock = Lock::take(&args.data)?;
    if args.fresh {
        empty(&args.data)?;
    }
    Ok(lock)
}

/// Customers' words are in there: nobody else on this machine may look.
fn only_for_us(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// What a line keeps in its folder.
const FILES: [&str; 8] = [
    "line.db",
    "line.db-wal",
    "line.db-shm",
    "queue.db",
    "queue.db-wal",
    "queue.db-shm",
    "secrets.json",
    "admin.json",
];
/// The same, folders.
const FOLDERS: [&str; 2] = ["parked", "sandbox"];

/// Removes what a line keeps, and nothing else. A folder that no line has used is left as it is.
fn empty(folder: &Path) -> std::io::Result<()> {
    if !folder.join("line.db").exists() && !folder.join("secrets.json").exists() {
        return Ok(());
    }
    for file in FILES.map(|name| folder.join(name)) {
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    for inner in FOLDERS.map(|name| folder.join(name)) {
        if inner.exists() {
            std::fs::remove_dir_all(inner)?;
        }
    }
    Ok(())
}

/// The adapters to the outside.
struct Vendors {
    channel: Arc<CloudApi>,
    crm: Arc<Creatio>,
    model: Arc<OpenAi>,
}

impl Vendors {
    /// A vendor that is played here is reached over loopback; every other address must pass the strict guard.
    fn connect(
        settings: &Arc<LocalSettings>,
        played: Played,
        insecure: bool,
        here: &str,
    ) -> Result<Self, Trouble> {
        let own: SocketAddr = here.trim_start_matches("http://").parse()?;
        // Only what is played here may be reached here; every real address must pass the guard as it stands.
        let guard = |is_played: bool| {
            if is_played { Guard::new(insecure).with_own(own) } else { Guard::new(insecure) }
        };
        let http = |is_played: bool| Http::new(guard(is_played));
        let base = match (played.whatsapp, std::env::var("SWITCHBOARD_WHATSAPP_URL")) {
            (false, Ok(url)) => url,
            (false, Err(_)) => GRAPH.to_owned(),
            (true, _) => format!("{here}/sandbox/whatsapp"),
        };
        let cloud = http(played.whatsapp)?;
        let base = cloud.check(&base).map_err(|refused| format!("SWITCHBOARD_WHATSAPP_URL: {refused}"))?;
        Ok(Self {
            channel: Arc::new(CloudApi::new(cloud, base, settings.clone())),
            crm: Arc::new(Creatio::new(http(played.creatio)?, settings.clone())),
            model: Arc::new(OpenAi::new(http(played.model)?, settings.clone())),
        })
    }
}

fn routes(line: &Line, queue: &LocalQueue, settings: &Arc<LocalSettings>, secrets: &LocalSecrets) -> Router {
    let intake = whatsapp_ingress::Intake { accounts: settings.clone(), ingest: line.ingest.clone() };
    let webhook = creatio_webhook::Webhook { accounts: settings.clone(), queues: Arc::new(queue.clone()) };
    let admin = Admin {
        converse: line.converse.clone(),
        orgs: Arc::new(settings.org_ids()),
        token: shared_vendors::creatio::webhook::token_digest(&secrets.admin_token),
    };
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .merge(whatsapp_ingress::router(intake))
        .merge(creatio_webhook::router(webhook))
        .merge(admin::router(admin))
}

/// Ctrl-C, or the signal that a service manager sends.
async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
            return;
        }
    }
    let _ = interrupt.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_start_removes_a_lines_files_and_leaves_a_strangers() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for name in ["line.db", "queue.db-wal", "package.json"] {
            std::fs::write(file(name), "x").unwrap();
        }
        empty(folder.path()).unwrap();
        assert!(!file("line.db").exists() && !file("queue.db-wal").exists() && file("package.json").exists());
        std::fs::create_dir(file("parked")).unwrap();
        empty(folder.path()).unwrap();
        assert!(file("parked").exists(), "a folder that no line has used is somebody else's");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_look_into_the_data_folder() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        only_for_us(folder.path()).unwrap();
        assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
