//! The whole line wired up once: which port stands behind which verb. Each verb gets only what its function may use.

use std::sync::Arc;

use shared_aws::dynamodb::Table;
use shared_flow::converse::Converse;
use shared_flow::deliver::Deliver;
use shared_flow::ingest::Ingest;
use shared_flow::ports::{ChannelSender, Clock, Crm, Model, Parking, Queues};
use shared_flow::receipts::Receipts;
use shared_flow::sync_crm::SyncCrm;
use shared_flow::take_turn::TakeTurn;
use shared_flow::wake::Wake;
use shared_lambda::clock::SystemClock;

use crate::settings::LocalSettings;

/// What a line stands on.
#[derive(Clone)]
pub struct Ground {
    /// The table.
    pub table: Table,
    /// The queues.
    pub queues: Arc<dyn Queues>,
    /// Where the unreadable goes.
    pub parking: Arc<dyn Parking>,
    /// What was configured.
    pub settings: Arc<LocalSettings>,
    /// WhatsApp.
    pub channel: Arc<dyn ChannelSender>,
    /// The CRM.
    pub crm: Arc<dyn Crm>,
    /// The model.
    pub model: Arc<dyn Model>,
}

/// Every verb of the line.
#[derive(Clone)]
pub struct Line {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the unreadable goes.
    pub parking: Arc<dyn Parking>,
    /// Intake.
    pub ingest: Ingest,
    /// Decisions.
    pub converse: Converse,
    /// Turns.
    pub take_turn: TakeTurn,
    /// Sending.
    pub deliver: Deliver,
    /// Statuses.
    pub receipts: Receipts,
    /// The CRM's copy.
    pub sync_crm: SyncCrm,
    /// The clock's look.
    pub wake: Wake,
}

impl Line {
    /// Wires the verbs.
    #[must_use]
    pub fn new(ground: Ground) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let table = Arc::new(ground.table);
        let Ground { queues, parking, settings, channel, crm, model, .. } = ground;
        Self {
            ingest: Ingest {
                clock: clock.clone(),
                settings: settings.clone(),
                queues: queues.clone(),
                parking: parking.clone(),
            },
            converse: Converse {
                clock: clock.clone(),
                sessions: table.clone(),
                contacts: table.clone(),
                settings: settings.clone(),
                queues: queues.clone(),
            },
            take_turn: TakeTurn {
                clock: clock.clone(),
                sessions: table.clone(),
                settings: settings.clone(),
                turns: table.clone(),
                model,
                queues: queues.clone(),
            },
            deliver: Deliver {
                clock: clock.clone(),
                sessions: table.clone(),
                deliveries: table.clone(),
                settings: settings.clone(),
                channel,
                queues: queues.clone(),
            },
            receipts: Receipts {
                clock: clock.clone(),
                sessions: table.clone(),
                deliveries: table.clone(),
                queues: queues.clone(),
            },
            sync_crm: SyncCrm {
                clock: clock.clone(),
                sessions: table.clone(),
                cursors: table.clone(),
                settings,
                crm,
                queues: queues.clone(),
            },
            wake: Wake { clock: clock.clone(), waking: table.clone(), sessions: table, queues },
            clock,
            parking,
        }
    }
}
