//! Reading what a message says, by its type: the content stands under the type's own name, and every field of it is
//! optional in practice.

use super::content::{Card, Choice, Content, MediaKind, OrderLine};
use crate::whatsapp::loose::Fields;

/// Reads what an item says. A known type without its content is as unknown as an unknown type.
pub(super) fn read_content(item: &Fields<'_>) -> Content {
    let name = item.text("type").unwrap_or_default();
    match name.as_str() {
        "unsupported" | "unknown" => unsupported(item),
        "system" => Content::System,
        // The cards are a list, unlike every other type's content.
        "contacts" if item.objects("contacts").next().is_some() => contacts(item),
        name => item.object(name).and_then(|body| typed(name, &body)).unwrap_or_else(|| missing(item, name)),
    }
}

fn typed(name: &str, body: &Fields<'_>) -> Option<Content> {
    match name {
        "text" => body.text("body").map(Content::Text),
        "image" => Some(media(MediaKind::Image, body)),
        "video" => Some(media(MediaKind::Video, body)),
        "audio" if body.flag("voice") => Some(media(MediaKind::Voice, body)),
        "audio" => Some(media(MediaKind::Audio, body)),
        // The Cloud API has no such type, but its on-premises forerunner had.
        "voice" => Some(media(MediaKind::Voice, body)),
        "document" => Some(media(MediaKind::Document, body)),
        "sticker" => Some(Content::Sticker { id: body.id("id"), animated: body.flag("animated") }),
        "location" => location(body),
        "interactive" => interactive(body),
        "button" => Some(choice(Choice::Template, body.text("payload"), body.words("text"))),
        "reaction" => Some(Content::Reaction { target: body.id("message_id"), emoji: body.words("emoji") }),
        "order" => Some(order(body)),
        "edit" => Some(edit(body)),
        "revoke" => Some(Content::Revoke { target: body.id("original_message_id") }),
        _ => None,
    }
}

/// Without its content: Meta says why in `errors` when it could not deliver it (a file over 100 MB, code 131052).
fn missing(item: &Fields<'_>, name: &str) -> Content {
    let explained = item.objects("errors").next().is_some();
    if explained { Content::Unsupported { what: Some(name.to_owned()) } } else { Content::Unknown }
}

fn unsupported(item: &Fields<'_>) -> Content {
    Content::Unsupported { what: item.object("unsupported").and_then(|body| body.words("type")) }
}

fn media(kind: MediaKind, body: &Fields<'_>) -> Content {
    Content::Media {
        kind,
        id: body.id("id"),
        mime: body.words("mime_type"),
        caption: body.words("caption"),
        filename: body.words("filename"),
    }
}

fn location(body: &Fields<'_>) -> Option<Content> {
    Some(Content::Location {
        latitude: body.number("latitude")?,
        longitude: body.number("longitude")?,
        name: body.words("name"),
        address: body.words("address"),
    })
}

/// Where the origin of a requested card stands differs between sources: beside the cards or in them.
fn contacts(item: &Fields<'_>) -> Content {
    let asked = |fields: &Fields<'_>| fields.text("origin").as_deref() == Some("contact_request");
    let requested = asked(item) || item.objects("contacts").any(|card| asked(&card));
    let card = |card: Fields<'_>| {
        let name = card.object("name");
        let part = |part| name.as_ref().and_then(|name| name.words(part));
        let phone = card.objects("phones").next();
        Card {
            name: part("formatted_name").or_else(|| part("first_name")).or_else(|| part("last_name")),
            phone: phone.as_ref().and_then(|phone| phone.words("phone")),
            wa_id: phone.and_then(|phone| phone.id("wa_id")),
        }
    };
    Content::Contacts { cards: item.objects("contacts").map(card).collect(), requested }
}

fn interactive(body: &Fields<'_>) -> Option<Content> {
    let name = body.text("type")?;
    let reply = body.object(&name)?;
    match name.as_str() {
        "button_reply" => Some(choice(Choice::Button, reply.text("id"), reply.words("title"))),
        "list_reply" => Some(choice(Choice::List, reply.text("id"), reply.words("title"))),
        "nfm_reply" => Some(form(&reply)),
        _ => None,
    }
}

fn choice(kind: Choice, id: Option<String>, title: Option<String>) -> Content {
    Content::Choice { kind, title: title.or_else(|| id.clone()), id }
}

/// The answers are JSON inside a JSON string.
fn form(reply: &Fields<'_>) -> Content {
    let inner = reply.text("response_json");
    let answers = inner.or_else(|| reply.raw("response_json").map(|raw| raw.get().to_owned()));
    Content::Form(answers.and_then(|json| serde_json::from_str(&json).ok()))
}

fn order(body: &Fields<'_>) -> Content {
    let line = |line: Fields<'_>| OrderLine {
        product: line.text("product_retailer_id").unwrap_or_default(),
        quantity: line.text("quantity"),
        price: line.text("item_price"),
        currency: line.words("currency"),
    };
    Content::Order { lines: body.objects("product_items").map(line).collect(), note: body.words("text") }
}

/// The new message stands inside like any other; of a file only the caption can have changed.
fn edit(body: &Fields<'_>) -> Content {
    let inner = body.object("message");
    let text = inner.and_then(|inner| {
        let content = inner.object(&inner.text("type").unwrap_or_else(|| "text".to_owned()))?;
        content.text("body").or_else(|| content.words("caption"))
    });
    Content::Edit { target: body.id("original_message_id"), text }
}
