//! One session in full, as the "View session" link in a case shows it to a rep.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::PlaygroundContext;
use super::html::frame;
use super::views::{EntryView, SessionView};

pub(super) async fn show(State(context): State<Arc<PlaygroundContext>>, Path(id): Path<String>) -> Response {
    match context.transcript.session(&id).await {
        Some(session) => frame("Session", false, &page(&session)).into_response(),
        None => (StatusCode::NOT_FOUND, frame("No such session", false, &missing())).into_response(),
    }
}

fn missing() -> Markup {
    html! {
        main .single {
            h1 { "No such session" }
            p { "It does not exist here, or the data folder was emptied since." }
            p { a href="/" { "To the playground" } }
        }
    }
}

fn page(session: &SessionView) -> Markup {
    html! {
        main .single {
            h1 { "Session with " (session.name.as_deref().unwrap_or("a customer")) }
            p .story { (session.story) }
            dl {
                dt { "Began" } dd { (session.opened_at.strftime("%Y-%m-%d %H:%M UTC")) }
                @if let Some(phone) = &session.phone { dt { "Number" } dd { "+" (phone) } }
                @if let Some(language) = &session.language { dt { "Language" } dd { (language) } }
                @if let Some(handoff) = &session.handoff {
                    dt { "Handed off" } dd { (handoff.reason) }
                    dt { "Summary" } dd { (handoff.summary) }
                    @if let Some(sentiment) = &handoff.sentiment { dt { "Mood" } dd { (sentiment) } }
                }
            }
            ol .log aria-label="Transcript" {
                @for entry in &session.entries { (line(entry)) }
            }
        }
    }
}

fn line(entry: &EntryView) -> Markup {
    html! {
        li class=(entry.by) {
            p .meta { (entry.who) " · " (entry.at.strftime("%H:%M:%S")) }
            p .words { (entry.text) }
            @if let Some(fate) = &entry.fate { p .meta { (fate) } }
        }
    }
}
