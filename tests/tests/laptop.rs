//! The laptop line seen from outside: the real binary in its own process, with stand-ins for WhatsApp, the model and
//! Creatio that record everything and fail on request.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on panics, and what was skipped is said aloud"
)]

// Named because it bears not the name of this file, where the formatter would look.
#[path = "stand_ins"]
#[allow(dead_code, unused_imports, reason = "the stand-ins do more for other tests")]
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

mod laptop {
    // What the tests stand on.
    use crate::stand_ins::{creatio, graph, model, neighbours, program, setup, story, wait, whatsapp};
    mod line;
    mod stage;

    // What they show.
    mod answers;
    mod commands;
    mod crash;
    mod crm_faults;
    mod crm_hints;
    mod intake;
    mod intake_batches;
    mod journey;
    mod model_faults;
    mod sends;
    mod settings;
    mod shared_material;
    mod silence;
    mod stand_in;
    mod window;
}
