//! Who works on a turn, and the verdict that stands.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use shared::agent::Verdict;
use shared::{OrgId, SessionId};
use shared_flow::ports::{Claim, PortResult, Turns};

use super::errors::{failed, unreadable};
use super::record::{Item, TurnRecord, from_body, not_before, to_body};
use super::{Table, keys, number, read, text};

#[async_trait]
impl Turns for Table {
    async fn claim(
        &self,
        org: &OrgId,
        session: SessionId,
        turn: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<Claim> {
        let key = keys::turn(org, session, turn).attributes();
        let request = self.client.update_item().table_name(&self.name).set_key(Some(key));
        let answer = request
            .update_expression("SET lease_until = :until ADD claims :one")
            .condition_expression(
                "attribute_not_exists(verdict) AND (attribute_not_exists(lease_until) OR lease_until <= :now)",
            )
            .expression_attribute_values(":until", number(not_before(until)))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(answer) => ours(answer.attributes),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(why)) => not_ours(why.item().cloned()),
                _ => Err(failed(error)),
            },
        }
    }

    async fn conclude(
        &self,
        org: &OrgId,
        session: SessionId,
        turn: u32,
        verdict: &Verdict,
    ) -> PortResult<Verdict> {
        let key = keys::turn(org, session, turn).attributes();
        let request = self.client.update_item().table_name(&self.name).set_key(Some(key));
        let answer = request
            .update_expression("SET verdict = if_not_exists(verdict, :verdict)")
            .expression_attribute_values(":verdict", text(to_body(verdict)?))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(failed)?;
        let stored: TurnRecord = read(answer.attributes.unwrap_or_default())?;
        let verdict = stored.verdict.ok_or_else(|| unreadable("a concluded turn has no verdict"))?;
        from_body(&verdict)
    }
}

fn ours(stored: Option<Item>) -> PortResult<Claim> {
    let turn: TurnRecord = read(stored.unwrap_or_default())?;
    Ok(Claim::Ours { earlier: turn.claims.saturating_sub(1) })
}

fn not_ours(stored: Option<Item>) -> PortResult<Claim> {
    let turn: TurnRecord = read(stored.unwrap_or_default())?;
    let verdict = turn.verdict.as_deref().map(from_body).transpose()?;
    Ok(verdict.map_or(Claim::Taken, Claim::Concluded))
}
