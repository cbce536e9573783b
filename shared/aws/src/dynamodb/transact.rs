//! Conditional writes, alone or several as one, and what it means when they are not carried out.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem, Update};
use serde::Serialize;
use shared_flow::ports::PortResult;

use super::Table;
use super::errors::{failed, of_code, unavailable, unreadable};
use super::keys::Key;
use super::record::item;

/// What must hold for a write, with the values it names.
pub(super) struct Condition {
    pub(super) text: &'static str,
    pub(super) values: Values,
}

/// The values that an expression names.
pub(super) type Values = Vec<(&'static str, AttributeValue)>;

impl Condition {
    /// No item stands under the key.
    pub(super) fn absent() -> Self {
        Self { text: "attribute_not_exists(pk)", values: Vec::new() }
    }

    /// What `text` says of these values.
    pub(super) fn new(text: &'static str, values: Values) -> Self {
        Self { text, values }
    }
}

/// What came of several writes as one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Transacted {
    /// All are written.
    Done,
    /// None is written; the conditions of the writes at these places did not hold.
    Refused(Vec<usize>),
    /// None is written; somebody else was writing one of the items at that moment.
    Conflict,
}

impl Table {
    /// Puts an item, if the condition holds.
    pub(super) fn put(
        &self,
        key: Key,
        record: &impl Serialize,
        condition: Option<Condition>,
    ) -> PortResult<TransactWriteItem> {
        let (text, values) = parts(condition);
        let put = Put::builder().table_name(&self.name).set_item(Some(item(key, record)?));
        let put = put.set_condition_expression(text).set_expression_attribute_values(values).build();
        Ok(TransactWriteItem::builder().put(put.map_err(|_| incomplete())?).build())
    }

    /// Changes an item, if the condition holds; the values of `change` and of the condition go together.
    pub(super) fn update(
        &self,
        key: Key,
        change: &str,
        mut changed: Values,
        condition: Condition,
    ) -> PortResult<Update> {
        changed.extend(condition.values);
        let update = Update::builder().table_name(&self.name).set_key(Some(key.attributes()));
        let update = update.update_expression(change).condition_expression(condition.text);
        update.set_expression_attribute_values(map(changed)).build().map_err(|_| incomplete())
    }

    /// Carries out all writes or none.
    pub(super) async fn transact(&self, writes: Vec<TransactWriteItem>) -> PortResult<Transacted> {
        let request = self.client.transact_write_items().set_transact_items(Some(writes));
        match request.send().await {
            Ok(_) => Ok(Transacted::Done),
            Err(error) => match reasons(&error) {
                Some(reasons) => outcome(reasons),
                None => Err(failed(error)),
            },
        }
    }

    /// Puts one item. `false` when the condition does not hold.
    pub(super) async fn put_alone(
        &self,
        key: Key,
        record: &impl Serialize,
        condition: Condition,
    ) -> PortResult<bool> {
        let (text, values) = parts(Some(condition));
        let request = self.client.put_item().table_name(&self.name).set_item(Some(item(key, record)?));
        let request = request.set_condition_expression(text).set_expression_attribute_values(values);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_refused(&error, |e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Changes one item. `false` when the condition does not hold.
    pub(super) async fn update_alone(&self, update: Update) -> PortResult<bool> {
        let request = self.client.update_item().table_name(update.table_name).set_key(Some(update.key));
        let request = request
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_values(update.expression_attribute_values);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_refused(&error, |e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Whether the service answered, and with the error that `is` recognises.
pub(super) fn is_refused<E, R>(error: &SdkError<E, R>, is: impl Fn(&E) -> bool) -> bool {
    error.as_service_error().is_some_and(is)
}

/// Values as the client takes them; none rather than an empty map, which the service refuses.
pub(super) fn map(values: Values) -> Option<HashMap<String, AttributeValue>> {
    let map: HashMap<_, _> = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    (!map.is_empty()).then_some(map)
}

fn parts(condition: Option<Condition>) -> (Option<String>, Option<HashMap<String, AttributeValue>>) {
    condition.map_or((None, None), |condition| (Some(condition.text.to_owned()), map(condition.values)))
}

fn reasons<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Some(cancelled.cancellation_reasons())
        }
        _ => None,
    }
}

/// Reads the reasons of a cancelled transaction, one per write. A failed condition says most: what it tells stays
/// true, while a conflict or a throttled write may pass.
fn outcome(reasons: &[CancellationReason]) -> PortResult<Transacted> {
    let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
    let codes: Vec<String> = reasons.iter().map(code).collect();
    let at = |wanted: &str| -> Vec<usize> {
        codes.iter().enumerate().filter(|(_, code)| *code == wanted).map(|(at, _)| at).collect()
    };
    let refused = at("ConditionalCheckFailed");
    if !refused.is_empty() {
        return Ok(Transacted::Refused(refused));
    }
    if !at("TransactionConflict").is_empty() {
        return Ok(Transacted::Conflict);
    }
    match codes.iter().find(|code| *code != "None") {
        Some(other) => Err(of_code(other)),
        None => Err(unavailable("a transaction was cancelled without a reason")),
    }
}

fn incomplete() -> shared_flow::ports::PortError {
    unreadable("a write lacks its table or key")
}

#[cfg(test)]
mod tests {
    use shared_flow::ports::PortError;

    use super::*;

    fn outcome_of(codes: &[&str]) -> PortResult<Transacted> {
        let reasons: Vec<_> =
            codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        outcome(&reasons)
    }

    #[test]
    fn every_failed_condition_is_named() {
        let refused = outcome_of(&["None", "ConditionalCheckFailed", "TransactionConflict"]).unwrap();
        assert_eq!(refused, Transacted::Refused(vec![1]));
    }

    #[test]
    fn a_conflict_is_no_failed_condition() {
        assert_eq!(outcome_of(&["TransactionConflict", "None"]).unwrap(), Transacted::Conflict);
    }

    #[test]
    fn a_throttled_transaction_may_be_tried_again_and_a_malformed_one_may_not() {
        for passing in ["ProvisionedThroughputExceeded", "ThrottlingError", "None"] {
            let error = outcome_of(&["None", passing]).unwrap_err();
            assert!(matches!(error, PortError::Unavailable { .. }), "{passing}");
        }
        assert!(matches!(outcome_of(&["ValidationError"]).unwrap_err(), PortError::Unreadable { .. }));
    }
}
