//! Lambda: proves that a webhook comes from Meta, queues what it carries, answers at once.
