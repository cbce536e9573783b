//! Lanes by lease, moves by compare-and-set, and the way from the channel's id to the message.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use shared::{Delivery, MessageId, OrgId, SessionId};
use shared_flow::ports::{Deliveries, PortResult};

use super::errors::{failed, unavailable};
use super::record::{Lane, Sent, not_before};
use super::transact::{Condition, Transacted, is_refused};
use super::{Table, keys, number, text};

#[async_trait]
impl Deliveries for Table {
    async fn take_lane(
        &self,
        org: &OrgId,
        session: SessionId,
        who: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<bool> {
        let lane = Lane { lane_by: who.to_owned(), lane_until: not_before(until) };
        let free = Condition::new(
            "attribute_not_exists(pk) OR lane_until <= :now OR lane_by = :who",
            vec![(":now", number(now.as_millisecond())), (":who", text(who))],
        );
        self.put_alone(keys::lane(org, session), &lane, free).await
    }

    async fn release_lane(&self, org: &OrgId, session: SessionId, who: &str) -> PortResult<()> {
        let key = keys::lane(org, session).attributes();
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(key));
        let request =
            request.condition_expression("lane_by = :who").expression_attribute_values(":who", text(who));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_refused(&error, |e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn advance(&self, org: &OrgId, id: MessageId, to: &Delivery) -> PortResult<bool> {
        let update = self.delivery(org, id, to)?;
        let Some(vendor_id) = &to.vendor_id else { return self.update_alone(update).await };
        let update = TransactWriteItem::builder().update(update).build();
        let sent = self.put(keys::sent(org, vendor_id), &Sent { message: id }, None)?;
        match self.transact(vec![update, sent]).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(_) => Ok(false),
            // Whoever was writing may yet fail, so nobody can be said to have been first.
            Transacted::Conflict => Err(unavailable("another write of the same message was under way")),
        }
    }

    async fn by_vendor_id(&self, org: &OrgId, vendor_id: &str) -> PortResult<Option<MessageId>> {
        let sent: Option<Sent> = self.get(keys::sent(org, vendor_id)).await?;
        Ok(sent.map(|sent| sent.message))
    }
}
