//! The session and hand-off logic: pure, synchronous, no input or output.
