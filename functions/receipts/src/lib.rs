//! Lambda: receipts.
