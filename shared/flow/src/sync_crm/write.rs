//! Writing what is missing in a CRM's copy, one step at a time, the cursor moved after each.

use jiff::SignedDuration;
use shared::crm::{Cursor, Step, next_step, plan};
use shared::{Message, Session};

use super::{CALL_LIMIT, Held, Stop, SyncCrm};
use crate::ports::{CrmError, OrgSettings, PortResult};

/// How long until a message whose fate was not known is looked at again, should nobody say that it is known now.
const FATE_OPEN: SignedDuration = SignedDuration::from_secs(60);
/// Failures in a row after which one message is given up, so that it does not keep the rest away for ever. With the
/// waits in between that is about three days.
const GIVE_UP: u32 = 430;
/// Failures in a row after which a description or a status that the site will not take is left as it is: about ten
/// minutes. The messages behind it matter more.
const LEAVE_AS_IT_IS: u32 = 8;
/// Messages read at once.
const PAGE: usize = 100;

impl SyncCrm {
    /// Whether there is something that could be written to the copy now.
    pub(super) async fn is_behind(
        &self,
        session: &Session,
        cursor: &Cursor,
        settings: &OrgSettings,
    ) -> PortResult<bool> {
        let Some(mode) = settings.crm else { return Ok(false) };
        let next = self.sessions.messages(&session.org, session.id, cursor.synced_seq + 1, 1).await?;
        let step = next_step(session, &next, "", cursor, mode, "");
        Ok(!matches!(step, Step::Wait | Step::Nothing))
    }
}

impl Held<'_> {
    pub(super) async fn write_what_is_missing(&mut self) -> Result<(), Stop> {
        let Some(mode) = self.settings.crm else { return Ok(()) };
        let first = self.messages(1, 1).await?;
        let link = self.settings.link(self.session.id);
        let mut page: Vec<Message> = Vec::new();
        while self.shift.has_time_for(CALL_LIMIT, self.flow.clock.now()) {
            let synced = self.cursor.synced_seq;
            if page.last().is_none_or(|last| last.seq <= synced) {
                page = self.messages(synced + 1, PAGE).await?;
            }
            let step = next_step(&self.session, &page, plan::first_words(&first), &self.cursor, mode, &link);
            match step {
                Step::Nothing => return Ok(()),
                Step::Wait => {
                    self.unfinished = Some(FATE_OPEN);
                    return Ok(());
                }
                step => {
                    let next = self.carry_out(step).await?;
                    // What follows is not given up for the failures of what came before.
                    self.keep(Cursor { failures: 0, ..next }).await?;
                }
            }
        }
        self.unfinished = Some(SignedDuration::ZERO);
        Ok(())
    }

    async fn messages(&self, from: u64, limit: usize) -> PortResult<Vec<Message>> {
        self.flow.sessions.messages(&self.session.org, self.session.id, from, limit).await
    }

    /// Carries out one step and returns the cursor after it.
    async fn carry_out(&self, step: Step) -> Result<Cursor, Stop> {
        let mut next = self.cursor.clone();
        let org = &self.session.org;
        let crm = &self.flow.crm;
        match step {
            Step::Contact(draft) => next.contact = Some(crm.contact(org, &draft).await?),
            Step::Case(draft) => {
                let made = crm.create_case(org, &draft).await?;
                next.case_exists = true;
                next.case_number = made.number;
                next.our_author = next.our_author.or(made.our_author);
                next.description = Some(draft.description);
            }
            Step::Activity { seq, draft } => {
                match crm.add_activity(org, &draft).await {
                    Ok(made) => next.our_author = next.our_author.or(made.our_author),
                    Err(CrmError::Refused(why)) => self.note_refusal(seq, &why),
                    Err(CrmError::Later { why, .. })
                        if next.failures >= GIVE_UP && self.site_answers().await =>
                    {
                        self.note_refusal(seq, &why);
                        next.failures = 0;
                    }
                    Err(other) => return Err(other.into()),
                }
                next.synced_seq = seq;
            }
            Step::Skip { seq } => next.synced_seq = seq,
            Step::Describe { from, to } => {
                let case = shared::crm::case_id(org, self.session.id);
                let described = crm.describe(org, case, &from, &to).await;
                self.or_left_as_it_is(described, "description").await?;
                next.description = Some(to);
            }
            Step::Resolve => {
                let resolved = crm.resolve(org, shared::crm::case_id(org, self.session.id)).await;
                self.or_left_as_it_is(resolved, "resolved status").await?;
                next.resolution_written = true;
            }
            Step::Wait | Step::Nothing => {}
        }
        Ok(next)
    }

    /// Whether the site is there at all. While it is away nothing is given up, however long that lasts: only a site that
    /// answers and still does not take something has refused it.
    async fn site_answers(&self) -> bool {
        let case = shared::crm::case_id(&self.session.org, self.session.id);
        self.flow.crm.read_case(&self.session.org, case, self.cursor.seen.until).await.is_ok()
    }

    /// A part of the case that the site refuses, at once or again and again, is left as it is and said in the log.
    async fn or_left_as_it_is(&self, outcome: Result<(), CrmError>, what: &str) -> Result<(), Stop> {
        match outcome {
            Ok(()) => Ok(()),
            Err(CrmError::Refused(why)) => {
                self.note_left(what, &why);
                Ok(())
            }
            Err(CrmError::Later { why, .. })
                if self.cursor.failures >= LEAVE_AS_IT_IS && self.site_answers().await =>
            {
                self.note_left(what, &why);
                Ok(())
            }
            Err(other) => Err(other.into()),
        }
    }

    fn note_left(&self, what: &str, why: &str) {
        tracing::error!(
            org = %self.session.org, session.id = %self.session.id, what, why,
            "the CRM does not take this for a case; it is left as it stands there"
        );
    }

    /// A message that the CRM refuses for good does not keep the others waiting.
    fn note_refusal(&self, seq: u64, why: &str) {
        tracing::error!(
            org = %self.session.org, session.id = %self.session.id, seq, why,
            "the CRM refused a message for good; the rest of the conversation goes on without it"
        );
    }
}
