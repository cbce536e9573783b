//! What the line has stored, read past its own code: the table's items, and what lies in the bucket.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use serde::de::DeserializeOwned;
use shared::crm::Cursor;
use shared::{Delivery, DeliveryState, Message, Session, SessionId};

use super::super::world::World;

type Item = HashMap<String, AttributeValue>;

/// How many items one request removes.
const AT_ONCE: usize = 25;

/// All items of the table.
pub struct Stored(Vec<Item>);

impl Stored {
    /// The sessions, oldest first.
    pub fn sessions(&self) -> Vec<Session> {
        let heads = self.0.iter().filter(|item| text(item, "sk") == "HEAD");
        let mut sessions: Vec<Session> = heads.map(body).collect();
        sessions.sort_by_key(|session| session.opened_at);
        sessions
    }

    /// The messages of a session, in order.
    pub fn transcript(&self, session: SessionId) -> Vec<Message> {
        let end = format!("#S#{session}");
        let of_it = |item: &&Item| text(item, "pk").ends_with(&end) && text(item, "sk").starts_with("M#");
        let mut messages: Vec<Message> = self.0.iter().filter(of_it).map(body).collect();
        messages.sort_by_key(|message| message.seq);
        messages
    }

    /// What is not done yet: turns that are owed, messages on their way, copies that somebody is at or that wait.
    pub fn unfinished(&self) -> Vec<String> {
        let unfinished = self.0.iter().filter(|item| is_unfinished(item));
        unfinished.map(|item| text(item, "sk").to_owned()).collect()
    }

    /// What should have been woken before this time, in seconds since 1970.
    pub fn overdue(&self, now: i64) -> Vec<String> {
        let late = |item: &Item| {
            let at: i64 = item.get("wake_at")?.as_n().ok()?.parse().ok()?;
            Some(now - at / 1000).filter(|late| *late > 0)
        };
        let overdue = self.0.iter().filter_map(|item| Some((text(item, "sk"), late(item)?)));
        overdue.map(|(sk, late)| format!("{sk} is due since {late} s")).collect()
    }
}

fn is_unfinished(item: &Item) -> bool {
    match text(item, "sk") {
        "HEAD" => body::<Session>(item).turn.is_pending(),
        "CRM#creatio" => {
            let cursor: Cursor = body(item);
            cursor.lease_by.is_some() || cursor.trouble.is_some()
        }
        message if message.starts_with("M#") && item.contains_key("delivery") => {
            let delivery: Delivery = serde_json::from_str(text(item, "delivery")).unwrap();
            delivery.is_open() && delivery.state != DeliveryState::Held
        }
        _ => false,
    }
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

fn body<T: DeserializeOwned>(item: &Item) -> T {
    serde_json::from_str(text(item, "body")).unwrap()
}

impl World {
    /// Reads the whole table.
    pub async fn stored(&self) -> Stored {
        let table = self.names.physical("LineTable");
        let mut found =
            self.dynamodb.scan().table_name(table).consistent_read(true).into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = found.next().await {
            items.push(item.unwrap());
        }
        Stored(items)
    }

    /// How many originals were put aside.
    pub async fn parked(&self) -> usize {
        self.objects().await.iter().filter(|key| key.starts_with("parked/")).count()
    }

    /// Forgets everything, so that the next story finds a line that nobody wrote to yet.
    pub async fn forget(&mut self) {
        for items in self.stored().await.0.chunks(AT_ONCE) {
            let request = self.dynamodb.batch_write_item();
            let removals = items.iter().map(removal).collect();
            request.request_items(self.names.physical("LineTable"), removals).send().await.unwrap();
        }
        for key in self.objects().await {
            let request = self.s3.delete_object().bucket(self.names.physical("BodiesBucket")).key(key);
            request.send().await.unwrap();
        }
        self.vendors.creatio.forget();
        self.sent_to.clear();
        (self.hidden, self.delayed, self.late, self.hurry) = (Vec::new(), Vec::new(), None, None);
    }

    async fn objects(&self) -> Vec<String> {
        let listed =
            self.s3.list_objects_v2().bucket(self.names.physical("BodiesBucket")).send().await.unwrap();
        listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect()
    }
}

fn removal(item: &Item) -> WriteRequest {
    let key = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
    let delete = DeleteRequest::builder().set_key(Some(key.into())).build().unwrap();
    WriteRequest::builder().delete_request(delete).build()
}
