//! What is owed to reps and by them: the CRM's copy, and what they did there.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use shared::crm::{activity_id, case_id};
use shared::policy::CrmMode;
use shared::session::Resolver;
use shared::{Message, MessageId, Session, State};
use uuid::Uuid;

use super::Owed;
use crate::sim::creatio::Case;
use crate::sim::history::Event;
use crate::sim::world::{World, later};

pub(super) fn in_the_crm(
    world: &World,
    session: &Session,
    transcript: &[Message],
    found: &mut BTreeSet<Owed>,
) {
    let org = world.scenario.orgs.iter().find(|org| org.org == session.org);
    let Some(mode) = org.and_then(|org| org.crm) else { return };
    let id = case_id(&session.org, session.id);
    let case = world.creatio.cases.get(&(session.org.clone(), id));
    if case.is_some_and(|case| case.deleted) {
        return;
    }
    let wanted = match mode {
        CrmMode::EveryConversation => true,
        CrmMode::OnlyOnHandoff => case.is_some() || session.handoff().is_some(),
    };
    if wanted {
        let missing = transcript.iter().filter(|m| m.is_for_the_rep() && !is_filed(world, session, m, case));
        found.extend(missing.map(|m| Owed::Mirror { id: MessageId { session: session.id, seq: m.seq } }));
    }
    if let Some(case) = case {
        what_reps_did(session, id, case, transcript, found);
    }
}

fn is_filed(world: &World, session: &Session, message: &Message, case: Option<&Case>) -> bool {
    let place = MessageId { session: session.id, seq: message.seq };
    let record = activity_id(&session.org, place).to_string();
    let filed = case.is_some_and(|case| case.activities.iter().any(|a| a.id == record));
    let refused = |event: &Event| matches!(event, Event::CrmRefused { record: r, .. } if *r == record);
    filed || world.history.entries().iter().any(|entry| refused(&entry.event))
}

fn what_reps_did(
    session: &Session,
    id: Uuid,
    case: &Case,
    transcript: &[Message],
    found: &mut BTreeSet<Owed>,
) {
    let ended_here = match &session.state {
        State::Resolved(end) => end.by != Resolver::Case,
        State::Assistant | State::HandedOff(_) => false,
    };
    if ended_here && !case.closed && !case.refuses_its_status() {
        found.insert(Owed::Resolve { session: session.id });
    }
    if case.closed && !case.closed_by_us && !session.is_resolved() {
        found.insert(Owed::Closure { org: session.org.clone(), case: id });
    }
    // A day after the end nobody reads the case any more unless its webhook comes.
    let read_until = later(session.last_activity_at, SignedDuration::from_hours(22));
    let is_read = |created| !session.is_resolved() || created < read_until;
    let replies = case.activities.iter().filter(|a| !a.ours && a.for_customer && !a.is_blank());
    let replies = replies.filter(|a| is_read(a.created));
    for reply in replies {
        if !transcript.iter().any(|m| m.source.as_ref() == Some(&reply.id)) {
            found.insert(Owed::RepReply { org: session.org.clone(), record: reply.id.clone() });
        }
    }
}
