//! What a session should look like in a CRM, and what is missing there. The copy may be late, never wrong, never double.

pub mod cursor;
pub mod draft;
pub mod plan;

pub use cursor::{Cursor, Seen};
pub use draft::{ActivityDraft, ActivityKind, CaseDraft, ContactDraft, activity_id, case_id, contact_id};
pub use plan::{Step, next_step};
