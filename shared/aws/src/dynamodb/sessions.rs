//! Heads, transcripts and the one transaction that changes them.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{KeysAndAttributes, TransactWriteItem};
use jiff::SignedDuration;
use shared::channel::LineKey;
use shared::{ContactId, Delivery, Message, MessageId, OrgId, Session, SessionId};
use shared_flow::ports::{Commit, Committed, PortResult, Sessions};

use super::errors::{failed, unavailable, unreadable};
use super::record::{Head, Item, Mark, MessageRecord, ToSession, from_body, shard, to_body, wake_of};
use super::transact::{Condition, Transacted};
use super::{Table, keys, number, read, text};

/// How long a fact counts as seen.
const MARK_LASTS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The most writes that DynamoDB takes as one.
const MOST_WRITES: usize = 100;
/// The most items that one batch of reads takes.
const MOST_READS: usize = 100;

#[async_trait]
impl Sessions for Table {
    async fn latest_session(
        &self,
        org: &OrgId,
        contact: ContactId,
        line: &LineKey,
    ) -> PortResult<Option<SessionId>> {
        let pointer: Option<ToSession> = self.get(keys::pointer(org, contact, line)).await?;
        Ok(pointer.map(|pointer| pointer.session_id))
    }

    async fn head(&self, org: &OrgId, session: SessionId) -> PortResult<Option<Session>> {
        let head: Option<Head> = self.get(keys::head(org, session)).await?;
        head.map(|head| from_body(&head.body)).transpose()
    }

    async fn messages(
        &self,
        org: &OrgId,
        session: SessionId,
        from: u64,
        limit: usize,
    ) -> PortResult<Vec<Message>> {
        let query = self.client.query().table_name(&self.name).consistent_read(true);
        let query = query
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(keys::session(org, session)))
            .expression_attribute_values(":from", text(keys::message_sk(from)))
            .expression_attribute_values(":to", text(keys::LAST_MESSAGE));
        let items = self.query(query, limit).await?;
        items.into_iter().map(|item| read::<MessageRecord>(item)?.message()).collect()
    }

    async fn commit(&self, commit: &Commit) -> PortResult<Committed> {
        let writes = self.writes(commit)?;
        if writes.len() > MOST_WRITES {
            // Writing a part would break the promise of all or nothing.
            let count = writes.len();
            return Err(unreadable(format!(
                "a commit of {count} writes; one transaction takes {MOST_WRITES}"
            )));
        }
        Ok(match self.transact(writes).await? {
            Transacted::Done => Committed::Done,
            // The mark is the first write where there is one.
            Transacted::Refused(at) if commit.mark.is_some() && at.contains(&0) => Committed::Duplicate,
            Transacted::Refused(_) | Transacted::Conflict => Committed::Stale,
        })
    }

    async fn recent(&self, org: &OrgId, limit: usize) -> PortResult<Vec<Session>> {
        let query = self.client.query().table_name(&self.name).index_name("recent");
        let query = query
            .key_condition_expression("recent = :org")
            .expression_attribute_values(":org", text(org.as_str()))
            .scan_index_forward(false);
        let mut found = Vec::new();
        for keys in self.query(query, limit).await?.chunks(MOST_READS) {
            found.extend(self.heads(keys).await?);
        }
        found.sort_by(|a, b| b.last_activity_at.cmp(&a.last_activity_at).then(a.id.cmp(&b.id)));
        Ok(found)
    }
}

impl Table {
    /// The writes of a commit, the mark first.
    fn writes(&self, commit: &Commit) -> PortResult<Vec<TransactWriteItem>> {
        let session = &commit.session;
        let org = &session.org;
        let mut writes = Vec::new();
        if let Some(mark) = &commit.mark {
            writes.push(self.mark(org, mark, commit)?);
        }
        writes.push(self.put(keys::head(org, session.id), &Head::of(session)?, Some(version(commit)))?);
        for message in &commit.messages {
            let key = keys::message(org, MessageId { session: session.id, seq: message.seq });
            let record = MessageRecord::of(session.id, message)?;
            writes.push(self.put(key, &record, Some(Condition::absent()))?);
        }
        for change in &commit.changes {
            let id = MessageId { session: session.id, seq: change.seq };
            let update = self.delivery(org, id, &change.delivery)?;
            writes.push(TransactWriteItem::builder().update(update).build());
        }
        writes.extend(self.pointer(commit)?);
        if let Some(case) = commit.case {
            writes.push(self.put(keys::case(org, case), &ToSession { session_id: session.id }, None)?);
        }
        Ok(writes)
    }

    fn mark(&self, org: &OrgId, mark: &str, commit: &Commit) -> PortResult<TransactWriteItem> {
        let now = commit.now.as_second();
        let record = Mark { expires_at: now.saturating_add(MARK_LASTS.as_secs()) };
        // The table removes expired marks days late, so the time decides, not the presence.
        let condition =
            Condition::new("attribute_not_exists(pk) OR expires_at < :now", vec![(":now", number(now))]);
        self.put(keys::mark(org, mark), &record, Some(condition))
    }

    /// A new session becomes the newest of its person and line, if the one it follows still is.
    fn pointer(&self, commit: &Commit) -> PortResult<Option<TransactWriteItem>> {
        let session = &commit.session;
        if commit.before > 0 {
            return Ok(None);
        }
        let condition = session.previous.map_or_else(Condition::absent, |previous| {
            Condition::new("session_id = :previous", vec![(":previous", text(previous.to_string()))])
        });
        let key = keys::pointer(&session.org, session.contact, &session.line);
        self.put(key, &ToSession { session_id: session.id }, Some(condition)).map(Some)
    }

    /// Moves a message: one revision on from where it was read.
    pub(super) fn delivery(
        &self,
        org: &OrgId,
        id: MessageId,
        to: &Delivery,
    ) -> PortResult<aws_sdk_dynamodb::types::Update> {
        let mut values = vec![(":delivery", text(to_body(to)?)), (":rev", number(to.rev))];
        let change = match wake_of(to) {
            Some(at) => {
                values.extend([(":shard", text(shard(id.session))), (":at", number(at))]);
                "SET delivery = :delivery, rev = :rev, wake_shard = :shard, wake_at = :at"
            }
            None => "SET delivery = :delivery, rev = :rev REMOVE wake_shard, wake_at",
        };
        let before = i64::from(to.rev) - 1;
        let condition = Condition::new("rev = :before", vec![(":before", number(before))]);
        self.update(keys::message(org, id), change, values, condition)
    }

    /// The heads under these keys, in no order.
    async fn heads(&self, keys: &[Item]) -> PortResult<Vec<Session>> {
        let mut wanted: Vec<Item> = keys.iter().map(only_key).collect();
        let mut found = Vec::new();
        while !wanted.is_empty() {
            let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let request = request.map_err(|_| unreadable("a batch of reads lacks its keys"))?;
            let answer = self.client.batch_get_item().request_items(&self.name, request).send().await;
            let mut answer = answer.map_err(failed)?;
            let items = answer.responses.as_mut().and_then(|tables| tables.remove(&self.name));
            let items = items.unwrap_or_default();
            let left = left_over(answer.unprocessed_keys, &self.name);
            if items.is_empty() && !left.is_empty() {
                // It gives a part when it is busy, and nothing when it is too busy.
                return Err(unavailable("reads are throttled"));
            }
            for item in items {
                found.push(from_body(&read::<Head>(item)?.body)?);
            }
            wanted = left;
        }
        Ok(found)
    }
}

fn version(commit: &Commit) -> Condition {
    match commit.before {
        0 => Condition::absent(),
        before => Condition::new("version = :before", vec![(":before", number(before))]),
    }
}

fn only_key(item: &Item) -> Item {
    item.iter()
        .filter(|(name, _)| matches!(name.as_str(), "pk" | "sk"))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

fn left_over(unprocessed: Option<HashMap<String, KeysAndAttributes>>, table: &str) -> Vec<Item> {
    unprocessed.and_then(|mut tables| tables.remove(table)).map(|left| left.keys).unwrap_or_default()
}
