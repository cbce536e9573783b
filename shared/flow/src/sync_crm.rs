//! Keeps the CRM's copy of a session true: writes what is missing, in order, and reads what people did there.

mod look;
mod write;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::crm::Cursor;
use shared::{OrgId, Session, SessionId, State};
use uuid::Uuid;

use crate::backoff::{self, at};
use crate::ports::{
    Clock, Crm, CrmError, Cursors, OrgSettings, PortError, PortResult, Queues, Sessions, Settings,
};
use crate::shift::Shift;

/// How long one thing asked of a CRM may take: a write that needs look-ups and a repeat is several calls.
pub const CALL_LIMIT: SignedDuration = SignedDuration::from_secs(30);
/// How long to wait for a reading that is due already and did not fit into this run.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(1);
/// How long a worker keeps the cursor without renewing it: a write that needs a look-up and a repeat.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often a worker that found new work after releasing starts over.
const ROUNDS: usize = 10;
/// How long the case of a session that is over is still read.
const AFTER_THE_END: SignedDuration = SignedDuration::from_hours(24);
/// How long after a failure a call from the CRM is taken for a sign that it is well again.
const CALLED_BACK: SignedDuration = SignedDuration::from_secs(20);
/// How long to wait while the connection is broken. It is probed, not used up.
const PROBE: SignedDuration = SignedDuration::from_secs(60);

/// What `crm-sync` works with.
#[derive(Clone)]
pub struct SyncCrm {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Sessions and transcripts, to read.
    pub sessions: Arc<dyn Sessions>,
    /// How far the copies are.
    pub cursors: Arc<dyn Cursors>,
    /// What organisations allow.
    pub settings: Arc<dyn Settings>,
    /// The CRM.
    pub crm: Arc<dyn Crm>,
    /// Where the rep's words go.
    pub queues: Arc<dyn Queues>,
}

/// What came of a nudge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The copy is true as far as it can be now.
    Synced,
    /// Another worker has the cursor.
    Taken,
    /// The CRM is away or refuses us; the cursor knows when to try again.
    Waiting,
    /// There is nothing to sync.
    Ignored,
}

/// Why work on the copy stopped early.
enum Stop {
    /// The CRM said so.
    Crm(CrmError),
    /// Our own store or queue failed.
    Port(PortError),
    /// Another worker took over.
    Lost,
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<CrmError> for Stop {
    fn from(error: CrmError) -> Self {
        Self::Crm(error)
    }
}

impl SyncCrm {
    /// Somebody changed a case in the CRM. A case that is not ours is ignored.
    pub async fn look_at_case(&self, org: &OrgId, case: Uuid, shift: &Shift) -> PortResult<Outcome> {
        let Some(session) = self.cursors.session_of_case(org, case).await? else {
            return Ok(Outcome::Ignored);
        };
        self.cursors.ask(org, session).await?;
        self.sync(org, session, shift).await
    }

    /// Brings the copy of one session up to date.
    pub async fn sync(&self, org: &OrgId, id: SessionId, shift: &Shift) -> PortResult<Outcome> {
        let Some(settings) = self.settings.org(org).await?.filter(|org| org.crm.is_some()) else {
            return self.leave_alone(org, id).await;
        };
        let mut outcome = Outcome::Synced;
        for _ in 0..ROUNDS {
            let Some(session) = self.sessions.head(org, id).await? else { return Ok(Outcome::Ignored) };
            let cursor = self.cursors.load(org, id).await?;
            let now = self.clock.now();
            if cursor.lease_until.is_some_and(|until| until > now) {
                return Ok(Outcome::Taken);
            }
            if cursor.trouble.is_some()
                && cursor.wake_at.is_some_and(|at| at > now)
                && !self.is_called_back(org, id, &cursor, now).await?
            {
                return Ok(Outcome::Waiting);
            }
            outcome = self.round(&session, cursor, &settings, shift).await?;
            if outcome != Outcome::Synced || !self.has_news(&session, &settings, shift).await? {
                break;
            }
        }
        Ok(outcome)
    }

    /// The organisation has no CRM any more: the clock need not come by for this session.
    async fn leave_alone(&self, org: &OrgId, id: SessionId) -> PortResult<Outcome> {
        let cursor = self.cursors.load(org, id).await?;
        if cursor.wake_at.is_some() {
            let at_rest = Cursor { rev: cursor.rev + 1, wake_at: None, ..cursor };
            self.cursors.save(org, id, &at_rest).await?;
        }
        Ok(Outcome::Ignored)
    }

    /// Whether the CRM itself asked to be read since the last try. It lives, then, whatever the last try said.
    async fn is_called_back(
        &self,
        org: &OrgId,
        id: SessionId,
        cursor: &Cursor,
        now: Timestamp,
    ) -> PortResult<bool> {
        let rested = cursor.tried_at.is_none_or(|at| now.duration_since(at) >= CALLED_BACK);
        Ok(rested && self.cursors.asked(org, id).await? > cursor.answered)
    }

    /// Whether something came while we had the cursor: whoever brought it found it taken and left. A message whose
    /// fate became known meanwhile changes no session, so what can be written is looked at again.
    async fn has_news(&self, seen: &Session, settings: &OrgSettings, shift: &Shift) -> PortResult<bool> {
        let (org, id) = (&seen.org, seen.id);
        let Some(session) = self.sessions.head(org, id).await? else { return Ok(false) };
        let cursor = self.cursors.load(org, id).await?;
        let asked = self.cursors.asked(org, id).await?;
        if session.version > seen.version || asked > cursor.answered {
            return Ok(true);
        }
        Ok(shift.has_time_for(CALL_LIMIT, self.clock.now())
            && self.is_behind(&session, &cursor, settings).await?)
    }

    async fn round(
        &self,
        session: &Session,
        cursor: Cursor,
        settings: &OrgSettings,
        shift: &Shift,
    ) -> PortResult<Outcome> {
        let mut held =
            Held { flow: self, session: session.clone(), settings, shift, cursor, unfinished: None };
        let worked = match held.keep(held.cursor.clone()).await {
            Ok(()) => held.work().await,
            Err(stop) => Err(stop),
        };
        match worked {
            Ok(()) => held.release_in_order().await,
            Err(Stop::Crm(error)) => held.release_in_trouble(&error).await,
            Err(Stop::Port(error)) => {
                // Give it back if that still works; else the lease ends by itself.
                let at_rest = Cursor { lease_until: None, lease_by: None, ..held.cursor.clone() };
                let _ = held.save(at_rest).await;
                Err(error)
            }
            Err(Stop::Lost) => Ok(Outcome::Taken),
        }
    }
}

/// A cursor in our hands.
struct Held<'a> {
    flow: &'a SyncCrm,
    session: Session,
    settings: &'a OrgSettings,
    shift: &'a Shift,
    cursor: Cursor,
    /// When to go on, if something is left to write that could not be written now.
    unfinished: Option<SignedDuration>,
}

impl Held<'_> {
    async fn work(&mut self) -> Result<(), Stop> {
        let written = self.write_what_is_missing().await;
        if let Err(Stop::Port(_) | Stop::Lost) = written {
            return written;
        }
        // What the CRM refuses to take must not keep the rep's words from the customer.
        let looked = if self.wants_a_look().await? { self.look().await } else { Ok(()) };
        written.and(looked)
    }

    /// Stores the cursor, ours for a while longer.
    async fn keep(&mut self, next: Cursor) -> Result<(), Stop> {
        let until = at(self.flow.clock.now(), LEASE);
        let who = self.shift.who.clone();
        // The clock must come back if we do not.
        let tried_at = Some(self.flow.clock.now());
        let next =
            Cursor { lease_until: Some(until), lease_by: Some(who), wake_at: Some(until), tried_at, ..next };
        self.save(next).await
    }

    async fn save(&mut self, mut next: Cursor) -> Result<(), Stop> {
        next.rev = self.cursor.rev + 1;
        if !self.flow.cursors.save(&self.session.org, self.session.id, &next).await? {
            return Err(Stop::Lost);
        }
        self.cursor = next;
        Ok(())
    }

    async fn release_in_order(&mut self) -> PortResult<Outcome> {
        let now = self.flow.clock.now();
        let next = Cursor {
            lease_until: None,
            lease_by: None,
            failures: 0,
            trouble: None,
            wake_at: self.next_time(now),
            ..self.cursor.clone()
        };
        self.release(next, Outcome::Synced).await
    }

    async fn release_in_trouble(&mut self, error: &CrmError) -> PortResult<Outcome> {
        let now = self.flow.clock.now();
        let failures = self.cursor.failures + 1;
        let own = backoff::crm(failures, &self.session.id.to_string());
        let wait = match error {
            CrmError::Later { after, .. } => after.map_or(own, |after| own.max(after)),
            CrmError::Broken(_) => PROBE,
            CrmError::Refused(_) | CrmError::Gone(_) => own.max(SignedDuration::from_mins(5)),
        };
        tracing::warn!(
            org = %self.session.org, session.id = %self.session.id, failures, wait_seconds = wait.as_secs(),
            error = %error, "the CRM's copy waits"
        );
        if matches!(error, CrmError::Broken(_)) {
            metrics::counter!("IntegrationBroken", "Vendor" => "creatio").increment(1);
        }
        let gone = matches!(error, CrmError::Gone(_));
        if gone {
            self.tell_that_the_case_is_gone().await?;
        }
        let next = Cursor {
            lease_until: None,
            lease_by: None,
            failures,
            trouble: Some(error.to_string()),
            wake_at: (!gone).then(|| at(now, wait)),
            ..self.cursor.clone()
        };
        self.release(next, Outcome::Waiting).await
    }

    async fn release(&mut self, next: Cursor, outcome: Outcome) -> PortResult<Outcome> {
        match self.save(next).await {
            Ok(()) => Ok(outcome),
            Err(Stop::Port(error)) => Err(error),
            Err(Stop::Crm(_) | Stop::Lost) => Ok(Outcome::Taken),
        }
    }

    /// When the clock must come by: soon for a message whose fate is open, later for what a webhook may have lost.
    /// The sweep counts from the last reading, so that other work on the copy does not put it off.
    fn next_time(&self, now: Timestamp) -> Option<Timestamp> {
        let writing = self.unfinished.map(|wait| at(now, wait));
        let read = self.cursor.looked_at.unwrap_or(now);
        let sweep = self.sweep_after().map(|every| at(read, every).max(at(now, AT_ONCE)));
        [writing, sweep].into_iter().flatten().min()
    }

    /// How often the case is read although nobody asked: often while a person is likely to answer, then less.
    fn sweep_after(&self) -> Option<SignedDuration> {
        if !self.cursor.case_exists {
            return None;
        }
        let quiet = self.flow.clock.now().duration_since(self.session.last_activity_at);
        let (soon, today) = (quiet < SignedDuration::from_mins(30), quiet < SignedDuration::from_hours(24));
        let minutes = match (&self.session.state, soon, today) {
            (State::HandedOff(_), true, _) => 1,
            (State::HandedOff(_), false, true) | (State::Assistant, true, _) => 10,
            (State::HandedOff(_), false, false) | (State::Assistant, false, _) => 60,
            // A rep's late word, or one from just before the end, whose webhook got lost is found too.
            (State::Resolved(_), _, _) if quiet < AFTER_THE_END => 60,
            (State::Resolved(_), _, _) => return None,
        };
        Some(SignedDuration::from_mins(minutes))
    }
}
