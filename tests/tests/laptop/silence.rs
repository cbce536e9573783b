//! Quiet sessions are resolved after the time that was configured, but never while a person has them.

use super::creatio::{NEW, RESOLVED};
use super::model::{FAREWELL, Model};
use super::stage::Stage;
use super::wait::until_true;
use super::whatsapp::Customer;

#[tokio::test]
async fn a_quiet_session_is_resolved_and_a_persons_is_not() {
    let stage = Stage::with(|setup| setup.auto_resolve_hours = 0.0005).await;
    let (waiting, quiet) = (Customer::number(171), Customer::number(172));
    stage.is_handed_off(&waiting).await;
    let theirs = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&theirs, FAREWELL).await;

    // The second customer goes quiet later than the first, and is resolved all the same.
    stage.says(&quiet, "I shall not write again soon.").await;
    stage.graph.until_received(&quiet, 1).await;
    let case = stage.creatio.until_case(2).await;
    stage.creatio.until_filed(&case, &Model::echo("I shall not write again soon.")).await;
    until_true("the quiet one is resolved", || stage.creatio.case(&case)["StatusId"] == RESOLVED).await;
    assert_eq!(stage.creatio.case(&theirs)["StatusId"], NEW);

    stage.says(&waiting, "I am still waiting for you.").await;
    stage.creatio.until_filed(&theirs, "I am still waiting for you.").await;
    stage.says(&quiet, "Here I am again.").await;
    let fresh = stage.creatio.until_case(3).await;
    stage.creatio.until_filed(&fresh, "Here I am again.").await;
}
