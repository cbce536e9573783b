//! The played part of a laptop line: which sandboxes run, where they are reached, and the page that shows them.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use secrecy::SecretString;
use shared::{OrgId, Session, SessionId};
use shared_aws::dynamodb::Table;
use shared_flow::ports::Sessions;
use tokio::task::JoinHandle;

use crate::playground::{self, CaseDesk, PlaygroundContext, SessionView, TranscriptSource};
use crate::sandbox::creatio::CreatioSandbox;
use crate::sandbox::model::ModelSandbox;
use crate::sandbox::whatsapp::WhatsAppSandbox;
use crate::sandbox::{creatio, model, whatsapp};
use crate::sandboxes::{Played, SANDBOX_CLIENT, SANDBOX_NUMBER, SANDBOX_NUMBER_ID};
use crate::secrets::LocalSecrets;
use crate::settings::LocalSettings;

/// The sessions that the page shows. An open page reads them every second.
const SHOWN: usize = 12;
/// The messages of one session that are shown.
const MESSAGES: usize = 300;

/// The sandboxes that run, and the page.
pub struct Stage {
    routes: Router,
    couriers: Vec<JoinHandle<()>>,
}

impl Stage {
    /// Sets up what is played, with what the data folder holds of it.
    pub fn set(
        folder: &Path,
        secrets: &LocalSecrets,
        played: Played,
        here: &str,
        table: &Table,
        settings: &LocalSettings,
    ) -> std::io::Result<Self> {
        let folder = folder.join("sandbox");
        let mut stage = Self { routes: Router::new(), couriers: Vec::new() };
        let whatsapp = if played.whatsapp { Some(stage.whatsapp(&folder, secrets, here)?) } else { None };
        let cases = if played.creatio { Some(stage.creatio(&folder, secrets, here)?) } else { None };
        if played.model {
            let sandbox = ModelSandbox::new(SecretString::from(secrets.model_key.clone()));
            stage.mount("/sandbox/model", model::router(sandbox));
        }
        let transcript = Arc::new(Transcripts { table: table.clone(), orgs: settings.org_ids() });
        let display_number = SANDBOX_NUMBER.to_owned();
        let context = PlaygroundContext { display_number, whatsapp, cases, transcript };
        stage.routes = std::mem::take(&mut stage.routes).merge(playground::router(Arc::new(context)));
        Ok(stage)
    }

    /// Everything that the stage answers.
    pub fn routes(&self) -> Router {
        self.routes.clone()
    }

    fn mount(&mut self, under: &str, routes: Router) {
        self.routes = std::mem::take(&mut self.routes).nest(under, routes);
    }

    fn whatsapp(
        &mut self,
        folder: &Path,
        secrets: &LocalSecrets,
        here: &str,
    ) -> std::io::Result<Arc<WhatsAppSandbox>> {
        let sandbox = Arc::new(WhatsAppSandbox::new(
            Some(folder.join("whatsapp")),
            SecretString::from(secrets.access_token.clone()),
            SecretString::from(secrets.app_secret.clone()),
            SANDBOX_NUMBER_ID,
            SANDBOX_NUMBER,
            &format!("{here}/webhooks/whatsapp"),
        )?);
        self.couriers.push(whatsapp::spawn(sandbox.clone()));
        self.mount("/sandbox/whatsapp", whatsapp::router(sandbox.clone()));
        Ok(sandbox)
    }

    fn creatio(
        &mut self,
        folder: &Path,
        secrets: &LocalSecrets,
        here: &str,
    ) -> std::io::Result<Arc<dyn CaseDesk>> {
        let sandbox = Arc::new(CreatioSandbox::new(
            Some(folder.join("creatio")),
            SANDBOX_CLIENT,
            SecretString::from(secrets.client_secret.clone()),
            &format!("{here}/webhooks/creatio/{}", secrets.webhook_token),
        )?);
        self.mount("/sandbox/creatio", creatio::router(sandbox.clone()));
        Ok(sandbox)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for courier in &self.couriers {
            courier.abort();
        }
    }
}

/// Reads sessions for the page. It only reads.
struct Transcripts {
    table: Table,
    orgs: Vec<OrgId>,
}

#[async_trait]
impl TranscriptSource for Transcripts {
    async fn sessions(&self) -> Vec<SessionView> {
        let mut found = Vec::new();
        for org in &self.orgs {
            found.extend(self.table.recent(org, SHOWN).await.unwrap_or_default());
        }
        found.sort_by_key(|session| std::cmp::Reverse(session.last_activity_at));
        found.truncate(SHOWN);
        let mut views = Vec::with_capacity(found.len());
        for session in &found {
            views.push(self.view(session).await);
        }
        views
    }

    async fn session(&self, id: &str) -> Option<SessionView> {
        let id: SessionId = id.parse().ok()?;
        for org in &self.orgs {
            if let Ok(Some(session)) = self.table.head(org, id).await {
                return Some(self.view(&session).await);
            }
        }
        None
    }
}

impl Transcripts {
    async fn view(&self, session: &Session) -> SessionView {
        let messages = self.table.messages(&session.org, session.id, 1, MESSAGES).await.unwrap_or_default();
        SessionView::of(session, &messages)
    }
}
