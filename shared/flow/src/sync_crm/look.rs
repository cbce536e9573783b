//! Reading a case: what people wrote there becomes facts, what is ours is passed over.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use shared::MessageId;
use shared::crm::{Cursor, activity_id};
use shared::session::{CaseClosure, Command, RepReply};

use super::{CALL_LIMIT, Held, Stop};
use crate::ports::{CaseActivity, CaseNews, Envelope, Job, PortResult, Target};

/// How far back each reading reaches before the newest record read: a record may become visible after a newer one.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

impl Held<'_> {
    /// Whether the case is to be read: somebody asked, or nobody has for a while.
    pub(super) async fn wants_a_look(&mut self) -> Result<bool, Stop> {
        let now = self.flow.clock.now();
        if !self.cursor.case_exists || !self.shift.has_time_for(CALL_LIMIT, now) {
            return Ok(false);
        }
        let asked = self.flow.cursors.asked(&self.session.org, self.session.id).await?;
        if asked > self.cursor.answered {
            return Ok(true);
        }
        let Some(every) = self.sweep_after() else { return Ok(false) };
        Ok(self.cursor.looked_at.is_none_or(|at| now.duration_since(at) >= every))
    }

    pub(super) async fn look(&mut self) -> Result<(), Stop> {
        let org = self.session.org.clone();
        let asked = self.flow.cursors.asked(&org, self.session.id).await?;
        let case = shared::crm::case_id(&org, self.session.id);
        let since =
            self.cursor.seen.until.map(|until| until.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN));
        let news = self.flow.crm.read_case(&org, case, since).await?;
        // What was just read may hold what we wrote since the session was loaded; a head read now knows all of it.
        if let Some(fresh) = self.flow.sessions.head(&org, self.session.id).await? {
            self.session = fresh;
        }
        let mut next = self.cursor.clone();
        let jobs = self.facts(&news, &mut next);
        // The facts are on the queue before the cursor moves past them: a crash between the two repeats them, and
        // their keys absorb that.
        if !jobs.is_empty() {
            self.flow.queues.send(&jobs).await?;
        }
        next.answered = asked;
        next.looked_at = Some(self.flow.clock.now());
        self.save(next).await
    }

    fn facts(&self, news: &CaseNews, next: &mut Cursor) -> Vec<Job> {
        let ours = self.our_records();
        let now = self.flow.clock.now();
        let mut jobs = Vec::new();
        for activity in &news.activities {
            if ours.contains(&activity.id.to_ascii_lowercase()) {
                // Once known it stays: a rep who is made the author of one of ours must not be taken for us.
                next.our_author = next.our_author.take().or_else(|| activity.author.clone());
            }
        }
        for activity in &news.activities {
            let known = next.seen.has(&activity.id);
            let is_ours = ours.contains(&activity.id.to_ascii_lowercase())
                || wrote(activity, next.our_author.as_deref());
            // A record dated ahead must not hide everything that comes before that date.
            next.seen.add(&activity.id, activity.created.map(|created| created.min(now)));
            if let Some(text) = activity.reply.as_ref().filter(|_| !known && !is_ours) {
                jobs.push(self.reply(activity, text));
            }
        }
        if news.closed && !self.session.is_resolved() {
            jobs.push(self.closure());
        }
        jobs
    }

    /// The ids of everything that we ever wrote to this case, computed, not remembered.
    fn our_records(&self) -> HashSet<String> {
        let session = self.session.id;
        (1..=self.session.last_seq)
            .map(|seq| activity_id(&self.session.org, MessageId { session, seq }).to_string())
            .collect()
    }

    fn reply(&self, activity: &CaseActivity, text: &str) -> Job {
        let reply = RepReply { record: activity.id.clone(), text: text.to_owned() };
        self.fact(format!("crm:{}:reply", activity.id), Command::RepReplied(reply))
    }

    /// Somebody deleted the case: nobody will answer there, so the session is over and the customer's next message
    /// opens another, with a case of its own.
    pub(super) async fn tell_that_the_case_is_gone(&self) -> PortResult<()> {
        if self.session.is_resolved() {
            return Ok(());
        }
        tracing::error!(
            org = %self.session.org, session.id = %self.session.id,
            "the case was deleted in the CRM; the session is resolved, the customer's next message opens a new one"
        );
        self.flow.queues.send(&[self.closure()]).await
    }

    fn closure(&self) -> Job {
        let case = shared::crm::case_id(&self.session.org, self.session.id).to_string();
        self.fact(format!("crm:{case}:closed"), Command::CaseClosed(CaseClosure { case }))
    }

    fn fact(&self, key: String, command: Command) -> Job {
        let envelope = Envelope {
            org: self.session.org.clone(),
            target: Target::Session(self.session.id),
            key: Some(key),
            command,
            at: self.flow.clock.now(),
        };
        Job::Command { lane: self.session.lane(), envelope: Box::new(envelope) }
    }
}

fn wrote(activity: &CaseActivity, author: Option<&str>) -> bool {
    match (activity.author.as_deref(), author) {
        (Some(wrote), Some(ours)) => wrote.eq_ignore_ascii_case(ours),
        (_, _) => false,
    }
}
