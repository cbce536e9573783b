//! Stand-ins for the vendors on a laptop. Each behaves as its vendor documents, and none shares code with the
//! adapter that talks to it.

pub mod creatio;
pub mod faults;
pub mod local_only;
pub mod model;
pub mod whatsapp;
