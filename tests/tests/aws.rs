//! The line on AWS seen from outside: the project's template deployed on an emulator with the functions as they are
//! built for AWS, with stand-ins for WhatsApp, the model and Creatio.
#![cfg(unix)]
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "the stand-ins do more for other tests; a test that cannot go on panics, and says its last words"
)]

// Named because it bears not the name of this file, where the formatter would look.
#[path = "stand_ins"]
#[allow(unused_imports, reason = "the stand-ins do more for other tests")]
mod stand_ins {
    pub mod creatio;
    pub mod graph;
    pub mod model;
    pub mod neighbours;
    pub mod program;
    pub mod setup;
    pub mod story;
    pub mod wait;
    pub mod whatsapp;
}

mod aws {
    // What the tests stand on.
    use crate::stand_ins::{creatio, graph, model, neighbours, program, setup, story, wait, whatsapp};
    mod batches;
    mod bridge;
    mod calls;
    mod emulator;
    mod event_source;
    mod listeners;
    mod package;
    mod proxy;
    mod runtime_api;
    mod scene;
    mod signed;
    mod stack;
    mod takeover;
    mod world;

    // What they show.
    mod contracts;
    mod journey;
    mod matrix;
    mod operator;
    mod permissions;
}
