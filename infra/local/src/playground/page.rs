//! The page itself: three columns, filled by the script once a second.

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};

use super::PlaygroundContext;
use super::html::frame;

pub(super) async fn show(State(context): State<Arc<PlaygroundContext>>) -> Markup {
    let body = html! {
        header {
            h1 { "Switchboard" }
            p { "Write as the customer. The assistant answers; write “human” and it becomes a case. \
                 Answer the case as the rep: the customer reads it on the phone." }
            @if context.whatsapp.is_some() { (customers()) }
        }
        main {
            (customer_column(&context))
            (assistant_column())
            (case_column(&context))
        }
        p #problem role="alert" {}
        noscript { p { "This page needs JavaScript, served by this machine only." } }
    };
    frame("Switchboard", true, &body)
}

fn customers() -> Markup {
    html! {
        form #who {
            label for="customer" { "Customer" }
            select #customer {}
            button type="button" id="another" { "Another customer" }
        }
    }
}

fn customer_column(context: &PlaygroundContext) -> Markup {
    html! {
        section aria-labelledby="phone-title" {
            h2 #phone-title { "The customer’s phone" }
            @if context.whatsapp.is_some() {
                div .phone {
                    p .to { "WhatsApp · " (context.display_number) }
                    ol #chat .log role="log" aria-label="Chat" tabindex="0" {}
                    form #write {
                        label for="words" .hidden { "Message" }
                        textarea #words rows="1" maxlength="4096" required placeholder="Message" {}
                        button type="submit" { "Send" }
                    }
                }
            } @else {
                p .absent { "WhatsApp is the real one in this run: write to " (context.display_number) "." }
            }
        }
    }
}

fn assistant_column() -> Markup {
    html! {
        section aria-labelledby="line-title" {
            h2 #line-title { "The line" }
            p #story .story aria-live="polite" { "Nobody has written yet." }
            dl #facts {}
            ol #entries .log aria-label="Transcript" tabindex="0" {}
        }
    }
}

fn case_column(context: &PlaygroundContext) -> Markup {
    html! {
        section aria-labelledby="case-title" {
            h2 #case-title { "The rep’s case in Creatio" }
            @if context.cases.is_some() {
                p #case-none .absent { "No case yet." }
                div #case hidden {
                    p .case-head { strong #case-number {} " " span #case-status .badge {} }
                    p #case-subject {}
                    h3 { "Description" }
                    p #case-description .words {}
                    h3 { "Activities" }
                    ol #activities .log aria-label="Activities" tabindex="0" {}
                    form #reply {
                        label for="reply-words" .hidden { "Reply to the customer" }
                        textarea #reply-words rows="2" maxlength="4096" required
                            placeholder="Reply to the customer" {}
                        button type="submit" { "Reply" }
                        button #close type="button" { "Close case" }
                    }
                }
            } @else {
                p .absent { "Creatio is the real one in this run: open the case there." }
            }
        }
    }
}
