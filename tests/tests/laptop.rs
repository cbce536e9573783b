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

mod laptop {
    // What the tests stand on.
    mod creatio;
    mod graph;
    mod line;
    mod model;
    mod setup;
    mod stage;
    mod wait;
    mod whatsapp;

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
