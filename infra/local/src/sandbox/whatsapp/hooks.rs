//! Bringing webhooks: signed, side by side for several customers, again and again until they are answered with 200.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use sha2::Sha256;
use tokio::task::JoinSet;

use super::WhatsAppSandbox;
use super::book::Webhook;

/// The most webhooks on their way at a time.
const AT_ONCE: usize = 32;
/// For how long a webhook is tried.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(24 * 7);
/// The pause after the first failure; it doubles with each.
const PAUSE: SignedDuration = SignedDuration::from_millis(250);
/// The longest pause.
const PAUSE_MOST: SignedDuration = SignedDuration::from_secs(30);

/// How long to rest when nothing is due; a change ends it.
const IDLE: Duration = Duration::from_secs(60);

/// Brings webhooks for as long as the process lives: those of one customer one after the other, as they came, those
/// of several customers side by side. Nothing is promised about their order: one that failed is overtaken.
pub(super) async fn deliver(sandbox: Arc<WhatsAppSandbox>) {
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < AT_ONCE {
            let Some(webhook) = sandbox.take_due(Timestamp::now()) else { break };
            under_way.spawn(bring(sandbox.clone(), webhook));
        }
        // With no hands free, only a finished one is worth waking for.
        let full = under_way.len() >= AT_ONCE;
        let wait = if full { IDLE } else { sandbox.until_next_due(Timestamp::now()) };
        tokio::select! {
            () = sandbox.changed.notified() => {}
            () = tokio::time::sleep(wait) => {}
            Some(_) = under_way.join_next() => {}
        }
    }
}

async fn bring(sandbox: Arc<WhatsAppSandbox>, webhook: Webhook) {
    let answered = sandbox.post(&webhook.body).await;
    let settled = sandbox.change(|desk| {
        desk.busy.remove(&webhook.lane);
        let now = Timestamp::now();
        let over = answered || now.duration_since(webhook.made_at) > GIVE_UP;
        if over {
            desk.book.webhooks.retain(|other| other.id != webhook.id);
        } else if let Some(same) = desk.book.webhooks.iter_mut().find(|other| other.id == webhook.id) {
            same.put_off(now);
        }
    });
    if let Err(error) = settled.await {
        // It stays in the file and comes again after a restart, as Meta's would.
        tracing::warn!(%error, "the WhatsApp sandbox could not write its file");
    }
}

impl Webhook {
    fn put_off(&mut self, now: Timestamp) {
        let pause = PAUSE.saturating_mul(1_i32 << self.tries.min(10)).min(PAUSE_MOST);
        self.tries = self.tries.saturating_add(1);
        self.due = now.saturating_add(pause).unwrap_or(now);
    }
}

impl WhatsAppSandbox {
    /// The oldest webhook that is due and whose customer has none on its way.
    fn take_due(&self, now: Timestamp) -> Option<Webhook> {
        let mut guard = self.desk();
        let desk = &mut *guard;
        let due = desk.book.webhooks.iter().find(|it| it.due <= now && !desk.busy.contains(&it.lane))?;
        desk.busy.insert(due.lane.clone());
        Some(due.clone())
    }

    fn until_next_due(&self, now: Timestamp) -> Duration {
        let desk = self.desk();
        let waiting = desk.book.webhooks.iter().filter(|it| !desk.busy.contains(&it.lane));
        let next = waiting.map(|it| it.due.duration_since(now).max(SignedDuration::ZERO)).min();
        next.map_or(IDLE, SignedDuration::unsigned_abs)
    }

    /// Posts a webhook. Only 200 counts, as with Meta.
    async fn post(&self, body: &str) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.app_secret.expose_secret().as_bytes()) else {
            return false;
        };
        mac.update(body.as_bytes());
        let signature: String =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let request = self
            .client
            .post(&self.webhook_url)
            .header("content-type", "application/json")
            .header("x-hub-signature-256", format!("sha256={signature}"))
            .body(body.to_owned());
        request.send().await.is_ok_and(|answer| answer.status() == reqwest::StatusCode::OK)
    }
}
