//! One turn of the assistant: is it still wanted, ask the model, store what it said, hand it on as a fact.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::agent::{Answer, GaveUp, Prompt, Verdict, prompt};
use shared::session::{Command, Conclusion};
use shared::{OrgId, Session, SessionId, State};

use crate::backoff::at;
use crate::ports::{
    Claim, Clock, Envelope, Job, Model, ModelError, PortResult, Queues, Sessions, Settings, Target, Turns,
};
use crate::shift::Shift;

/// Model calls in one turn, whoever makes them.
const CALLS: u32 = 2;
/// How long one call may take.
pub const CALL_LIMIT: SignedDuration = SignedDuration::from_secs(25);
/// How long a claim keeps others away: one call, the pause before it and the writing down.
const CLAIM: SignedDuration = SignedDuration::from_secs(35);
/// The longest pause between two calls.
const PAUSE_MOST: SignedDuration = SignedDuration::from_secs(3);
/// The newest messages that are read for a prompt.
const THREAD: u64 = 200;

/// What `agent` works with.
#[derive(Clone)]
pub struct TakeTurn {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Sessions and transcripts, to read.
    pub sessions: Arc<dyn Sessions>,
    /// The assistant's instructions.
    pub settings: Arc<dyn Settings>,
    /// Turns and their verdicts.
    pub turns: Arc<dyn Turns>,
    /// The model.
    pub model: Arc<dyn Model>,
    /// Where the verdict goes.
    pub queues: Arc<dyn Queues>,
}

/// What came of the nudge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A verdict was passed on.
    Concluded,
    /// The turn is answered, given up or overtaken by a newer one.
    NotWanted,
    /// The customer wrote again: it comes back later.
    Postponed,
    /// Another worker is at it.
    Taken,
}

impl TakeTurn {
    /// Takes the turn if it is still the one that is due.
    pub async fn handle(
        &self,
        org: &OrgId,
        id: SessionId,
        number: u32,
        shift: &Shift,
    ) -> PortResult<Outcome> {
        let Some(session) = self.sessions.head(org, id).await? else { return Ok(Outcome::NotWanted) };
        let now = self.clock.now();
        let due = match (&session.state, session.turn.due) {
            (State::Assistant, Some(due)) if session.turn.number == number => due,
            (State::Assistant | State::HandedOff(_) | State::Resolved(_), _) => {
                return Ok(Outcome::NotWanted);
            }
        };
        if due > now {
            let wait = due.duration_since(now);
            self.queues.send(&[Job::Turn { org: org.clone(), session: id, number, wait }]).await?;
            return Ok(Outcome::Postponed);
        }
        self.take(&session, now, shift).await
    }

    async fn take(&self, session: &Session, now: Timestamp, shift: &Shift) -> PortResult<Outcome> {
        let number = session.turn.number;
        let until = at(now, CLAIM);
        let verdict = match self.turns.claim(&session.org, session.id, number, now, until).await? {
            Claim::Taken => return Ok(Outcome::Taken),
            Claim::Concluded(verdict) => verdict,
            Claim::Ours { earlier } => {
                let Some(verdict) = self.think(session, earlier, until, shift).await? else {
                    return Ok(Outcome::Taken);
                };
                self.turns.conclude(&session.org, session.id, number, &verdict).await?
            }
        };
        self.pass_on(session, number, verdict).await?;
        Ok(Outcome::Concluded)
    }

    /// Asks the model, at most twice over all workers: each call has its own claim, so that a worker that dies after
    /// a call leaves a trace of it. `None` when another worker has the turn by now.
    async fn think(
        &self,
        session: &Session,
        earlier: u32,
        mut until: Timestamp,
        shift: &Shift,
    ) -> PortResult<Option<Verdict>> {
        let Some(org) = self.settings.org(&session.org).await? else {
            return Ok(Some(Verdict::GaveUp(GaveUp::Unavailable)));
        };
        // Up to the head that was read and no further: what the customer wrote since belongs to a turn of its own,
        // and would be answered twice.
        let count = session.last_seq.min(THREAD);
        let limit = usize::try_from(count).unwrap_or(usize::MAX);
        let thread =
            self.sessions.messages(&session.org, session.id, session.last_seq - count + 1, limit).await?;
        let prompt = prompt::build(&org.profile, session.customer_name.as_deref(), &thread);
        let mut gave_up = GaveUp::Unavailable;
        let mut repair = None;
        let mut call = earlier;
        while call < CALLS {
            match self.ask(&session.org, &prompt, repair.as_deref()).await {
                Ok(answer) => return Ok(Some(Verdict::Answered(answer))),
                Err(error) => {
                    tracing::warn!(session.id = %session.id, call, error = %error, "model call failed");
                    match self.learn(error).await {
                        Next::Again(why, what_was_wrong) => (gave_up, repair) = (why, what_was_wrong),
                        Next::GiveUp(why) => return Ok(Some(Verdict::GaveUp(why))),
                    }
                }
            }
            if call + 1 == CALLS || !shift.has_time_for(CALL_LIMIT, self.clock.now()) {
                break;
            }
            // A claim that begins where ours ends renews ours, and fails if another worker's came between.
            let end = at(until, SignedDuration::from_millis(1));
            until = at(self.clock.now(), CLAIM).max(end);
            call = match self.turns.claim(&session.org, session.id, session.turn.number, end, until).await? {
                Claim::Ours { earlier } => earlier,
                Claim::Concluded(verdict) => return Ok(Some(verdict)),
                Claim::Taken => return Ok(None),
            };
        }
        Ok(Some(Verdict::GaveUp(gave_up)))
    }

    async fn ask(&self, org: &OrgId, prompt: &Prompt, repair: Option<&str>) -> Result<Answer, ModelError> {
        let answer = self.model.complete(org, prompt, repair).await?;
        if answer.is_usable() {
            Ok(answer)
        } else {
            Err(ModelError::Malformed("neither a reply nor a hand-off".to_owned()))
        }
    }

    /// Whether a failed call is worth another.
    async fn learn(&self, error: ModelError) -> Next {
        match error {
            ModelError::Malformed(what) => Next::Again(GaveUp::Malformed, Some(what)),
            ModelError::Unavailable { after, .. } => {
                let pause = after.unwrap_or(SignedDuration::from_millis(500));
                if pause > PAUSE_MOST {
                    return Next::GiveUp(GaveUp::Unavailable);
                }
                self.clock.sleep(pause).await;
                Next::Again(GaveUp::Unavailable, None)
            }
            ModelError::Refused => Next::GiveUp(GaveUp::Refused),
            ModelError::Misconfigured(_) => {
                metrics::counter!("IntegrationBroken", "Vendor" => "model").increment(1);
                Next::GiveUp(GaveUp::Unavailable)
            }
        }
    }

    async fn pass_on(&self, session: &Session, turn: u32, verdict: Verdict) -> PortResult<()> {
        let envelope = Envelope {
            org: session.org.clone(),
            target: Target::Session(session.id),
            key: Some(format!("turn:{}:{turn}", session.id)),
            command: Command::AgentConcluded(Conclusion { turn, verdict }),
            at: self.clock.now(),
        };
        self.queues.send(&[Job::Command { lane: session.lane(), envelope: Box::new(envelope) }]).await
    }
}

enum Next {
    Again(GaveUp, Option<String>),
    GiveUp(GaveUp),
}
