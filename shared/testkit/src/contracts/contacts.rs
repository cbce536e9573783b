//! What the store of contacts promises.

use shared::{Contact, Identity};
use shared_flow::ports::Contacts;

use super::{customer, org};

/// Checks a store of contacts.
pub async fn contacts(store: &dyn Contacts) {
    a_person_is_found_by_every_identity(store).await;
    a_recycled_number_points_to_its_new_owner(store).await;
    a_foreign_person_is_absent(store).await;
}

async fn found(store: &dyn Contacts, contact: &Contact, identity: &Identity) -> Option<Contact> {
    store.by_identity(&contact.org, identity).await.expect("the store answers")
}

fn user(id: &str) -> Identity {
    Identity::WhatsappUser(id.to_owned())
}

fn phone(digits: &str) -> Identity {
    Identity::Phone(digits.to_owned())
}

async fn a_person_is_found_by_every_identity(store: &dyn Contacts) {
    let dana = Contact::new(&org("people"), &customer("US.1"), Some("Dana".to_owned()));
    assert_eq!(found(store, &dana, &user("US.1")).await, None);
    store.save(&dana, &[user("US.1"), phone("12025550142")]).await.expect("saved");
    assert_eq!(found(store, &dana, &user("US.1")).await, Some(dana.clone()));
    assert_eq!(found(store, &dana, &phone("12025550142")).await, Some(dana.clone()));
    // A user id that looks like a number is still no number.
    assert_eq!(found(store, &dana, &user("12025550142")).await, None);
    let renamed = Contact { name: Some("D#na".to_owned()), ..dana.clone() };
    store.save(&renamed, &[]).await.expect("saved");
    assert_eq!(found(store, &dana, &phone("12025550142")).await, Some(renamed));
}

async fn a_recycled_number_points_to_its_new_owner(store: &dyn Contacts) {
    let org = org("recycled");
    let (old, new) =
        (Contact::new(&org, &customer("US.1"), None), Contact::new(&org, &customer("US.2"), None));
    store.save(&old, &[user("US.1"), phone("12025550142")]).await.expect("saved");
    store.save(&new, &[user("US.2"), phone("12025550142")]).await.expect("saved");
    assert_eq!(found(store, &old, &phone("12025550142")).await, Some(new));
    assert_eq!(found(store, &old, &user("US.1")).await, Some(old.clone()));
}

async fn a_foreign_person_is_absent(store: &dyn Contacts) {
    let dana = Contact::new(&org("ours"), &customer("US.1"), None);
    store.save(&dana, &[user("US.1")]).await.expect("saved");
    assert_eq!(store.by_identity(&org("theirs"), &user("US.1")).await.expect("an answer"), None);
}
