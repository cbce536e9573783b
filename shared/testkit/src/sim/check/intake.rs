//! I1, I2, I3, I11: what was acknowledged is in one transcript, once, in the order of its lane, or parked for all to see.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::session::Command;
use shared::{Author, OrgId, SessionId};
use shared_flow::ports::Committed;

use super::fold::Fold;
use super::{Evidence, Findings};
use crate::sim::history::{Committing, Entry, Event, short};
use crate::sim::owed::number_of;

/// What has come in so far.
#[derive(Default)]
pub(super) struct Intake {
    acknowledged: BTreeMap<(usize, String), Timestamp>,
    garbage: Vec<(Timestamp, Vec<u8>)>,
    /// The place of each key in its lane, by first arrival.
    places: BTreeMap<String, (String, usize)>,
    newest: BTreeMap<String, usize>,
    parked: BTreeSet<String>,
    /// Facts that count once, and where they counted.
    counted: BTreeMap<(OrgId, String), SessionId>,
    answers: BTreeMap<u32, SessionId>,
}

impl Intake {
    pub(super) fn see(&mut self, _: &Fold, entry: &Entry, _: &Evidence<'_>, findings: &mut Findings) {
        match &entry.event {
            Event::Acknowledged { customer, wamid } => {
                self.acknowledged.entry((*customer, wamid.clone())).or_insert(entry.at);
            }
            Event::GarbageTaken { original } => self.garbage.push((entry.at, original.clone())),
            Event::Queued { lane, key: Some(key), command: "customer_wrote" } => {
                let next = self.places.len();
                self.places.entry(key.clone()).or_insert_with(|| (lane.clone(), next));
            }
            Event::Parked { key: Some(key) } => {
                self.parked.insert(key.clone());
            }
            Event::Committed(made) if made.outcome == Committed::Done => {
                self.once(entry, made, findings);
                self.in_order(entry, made, findings);
            }
            _ => {}
        }
    }

    /// A fact with a key counts once, and the model's words are used once.
    fn once(&mut self, entry: &Entry, made: &Committing, findings: &mut Findings) {
        let session = &made.commit.session;
        let key = match &made.command {
            Command::CustomerWrote(message) => {
                Some(format!("wrote {} {}", session.line.address, message.source))
            }
            Command::RepReplied(reply) => Some(format!("replied {}", reply.record)),
            _ => made.key.clone(),
        };
        if let Some(key) = key {
            let before = self.counted.insert((session.org.clone(), key.clone()), session.id);
            findings.expect(before.is_none(), "I2", entry.at, || {
                format!("{key} counts a second time, in {}", short(session.id))
            });
        }
        let said = made.commit.messages.iter().filter(|m| m.author == Author::Assistant);
        let numbers: BTreeSet<u32> = said.filter_map(|m| number_of(&m.text)).collect();
        for number in numbers {
            let before = self.answers.insert(number, session.id);
            findings.expect(before.is_none(), "I2", entry.at, || format!("re#{number} is said twice"));
        }
    }

    /// A lane's messages enter the transcript in the order in which the queue took them.
    fn in_order(&mut self, entry: &Entry, made: &Committing, findings: &mut Findings) {
        let Some((key, (lane, place))) = made.key.as_ref().and_then(|key| self.places.get_key_value(key))
        else {
            return;
        };
        if self.parked.contains(key) {
            return;
        }
        let newest = self.newest.entry(lane.clone()).or_default();
        findings.expect(*newest <= *place, "I3", entry.at, || {
            format!("{key} enters the transcript after a message that came later")
        });
        *newest = (*newest).max(*place);
    }

    pub(super) fn finish(&self, evidence: &Evidence<'_>, findings: &mut Findings) {
        let mut lines: BTreeMap<(String, String), usize> = BTreeMap::new();
        for session in evidence.store.all_sessions() {
            for message in evidence.store.transcript(&session.org, session.id) {
                if let (Author::Customer, Some(source)) = (message.author, message.source) {
                    *lines.entry((session.line.address.clone(), source)).or_default() += 1;
                }
            }
        }
        let parked = evidence.store.all_parked();
        for ((customer, wamid), at) in &self.acknowledged {
            let Some(line) = evidence.scenario.line_of(*customer) else { continue };
            let address = line.key.address.clone();
            let key = format!("wa:{address}:{wamid}");
            let count = lines.get(&(address, wamid.clone())).copied().unwrap_or(0);
            let put_aside = self.parked.contains(&key);
            let waits = evidence.waiting.contains(&key) || put_aside;
            findings.expect(count > 0 || waits, "I1", *at, || {
                format!("{wamid} of customer {customer} was acknowledged and is nowhere")
            });
            findings.expect(count <= 1, "I2", *at, || {
                format!("{wamid} of customer {customer} is in {count} places")
            });
        }
        for (at, original) in &self.garbage {
            let kept = parked.iter().any(|entry| &entry.original == original);
            findings
                .expect(kept, "I11", *at, || "unreadable input was acknowledged and not parked".to_owned());
        }
        let kept = |key: &String| parked.iter().any(|entry| contains(&entry.original, key));
        for key in self.parked.iter().filter(|key| !kept(key)) {
            findings.add("I11", evidence.scenario.stop, || format!("{key} was parked and is not kept"));
        }
    }
}

fn contains(original: &[u8], key: &str) -> bool {
    String::from_utf8_lossy(original).contains(key)
}
