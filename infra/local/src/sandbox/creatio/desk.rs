//! The site as the playground's desk: the same acts as in its own pages.

use async_trait::async_trait;
use uuid::Uuid;

use super::CreatioSandbox;
use super::refusal::Refusal;
use super::rep::{self, ActivityEntry, CasePage, Form};
use crate::playground::desk::{ActivityView, CaseDesk, CaseView, DeskError};

#[async_trait]
impl CaseDesk for CreatioSandbox {
    async fn case(&self, id: &str) -> Option<CaseView> {
        let id = Uuid::parse_str(id).ok()?;
        rep::case(&self.store(), id).map(view)
    }

    async fn reply(&self, case: &str, text: &str) -> Result<(), DeskError> {
        rep::reply(self, known(case)?, text, Form::Task).map(drop).map_err(told)
    }

    async fn close(&self, case: &str) -> Result<(), DeskError> {
        rep::close(self, known(case)?).map_err(told)
    }
}

fn known(case: &str) -> Result<Uuid, DeskError> {
    Uuid::parse_str(case).map_err(|_| told(Refusal::missing()))
}

fn told(refusal: Refusal) -> DeskError {
    DeskError(if refusal.status == 404 { "There is no such case.".to_owned() } else { refusal.says })
}

fn view(page: CasePage) -> CaseView {
    CaseView {
        id: page.id.to_string(),
        number: page.number,
        subject: page.subject,
        status: page.status,
        closed: page.closed,
        description: page.description,
        contact: page.contact,
        activities: page.activities.into_iter().map(activity).collect(),
    }
}

fn activity(entry: ActivityEntry) -> ActivityView {
    ActivityView {
        id: entry.id.to_string(),
        at: entry.created,
        title: entry.title,
        text: entry.text,
        by_rep: !entry.ours,
    }
}
