//! Lambda: crm-sync.
