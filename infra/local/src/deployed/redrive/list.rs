//! What was put aside, as a table. Nothing of what it carries is shown.

use shared_aws::sqs::Queue;
use shared_flow::ports::PortResult;

use super::items::{Item, Which};
use super::yard::Yard;
use crate::deployed::terminal;
use crate::deployed::trouble::Trouble;

/// The most that is shown of what was parked, and of each queue's dead letters.
const MOST: usize = 100;

/// Prints what was put aside.
pub async fn list(yard: &dyn Yard, which: &Which) -> Result<(), Trouble> {
    let (parked, of) = parked(yard, which).await?;
    let dead = dead(yard, which).await?;
    for item in parked.iter().chain(&dead) {
        terminal::say(&row(item));
    }
    terminal::say(&summary(parked.len(), of, dead.len()));
    Ok(())
}

/// The oldest that are meant, and how many there are at all.
async fn parked(yard: &dyn Yard, which: &Which) -> PortResult<(Vec<Item>, usize)> {
    let objects = yard.parked().await?;
    let mut found = Vec::new();
    for object in &objects {
        if found.len() >= MOST {
            break;
        }
        found.extend(yard.parked_item(object).await?.filter(|item| which.means(item)));
    }
    Ok((found, objects.len()))
}

/// Looks at letters and lets them go again.
async fn dead(yard: &dyn Yard, which: &Which) -> PortResult<Vec<Item>> {
    let mut found = Vec::new();
    for queue in Queue::ALL.into_iter().filter(|queue| which.means_queue(*queue)) {
        let letters = yard.receive(queue, MOST).await?;
        for letter in &letters {
            yard.let_go(&letter.place).await;
        }
        found.extend(letters.into_iter().filter(|item| which.means(item)));
    }
    Ok(found)
}

fn row(item: &Item) -> String {
    let (what, org) = item.content.named();
    let org = org.map_or("-", |org| org.as_str());
    let since = item.since.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    format!(
        "{}  {:11}  {:17}  {what:16}  {org:12}  {since:20}  {}",
        item.id,
        item.place.kind(),
        item.from,
        item.why
    )
}

fn summary(parked: usize, of: usize, dead: usize) -> String {
    if of == 0 && dead == 0 {
        return "nothing is parked, and no dead letter was seen".to_owned();
    }
    format!(
        "{parked} of {of} parked and {} shown. Dead letters are looked at without taking them: a few may be missing, \
         at most {MOST} a queue and 10 of one customer are shown",
        terminal::count(dead, "dead letter")
    )
}

#[cfg(test)]
mod tests {
    use shared::{OrgId, SessionId};
    use shared_flow::ports::Job;
    use uuid::Uuid;

    use super::super::items::Content;
    use super::super::items::tests::item;
    use super::*;

    #[test]
    fn a_row_says_what_and_whose_and_nothing_more() {
        let job = Job::Deliver { org: OrgId::new("acme").unwrap(), session: SessionId(Uuid::from_u128(7)) };
        let row = row(&item("a1b2c3d4e5f6", "deliveries", Content::Job(Box::new(job))));
        for part in ["a1b2c3d4e5f6", "parked", "deliveries", "deliver ", "acme", "1970-01-01", "panicked"] {
            assert!(row.contains(part), "{row}");
        }
        assert!(summary(0, 0, 0).starts_with("nothing is parked"));
        assert!(summary(2, 300, 1).starts_with("2 of 300 parked and 1 dead letter shown"));
    }
}
