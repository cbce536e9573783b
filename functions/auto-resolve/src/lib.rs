//! Lambda: auto-resolve.
