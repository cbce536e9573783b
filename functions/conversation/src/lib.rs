//! Lambda: conversation.
