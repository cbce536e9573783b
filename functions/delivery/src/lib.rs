//! Lambda: delivery.
