//! Lambda: agent.
