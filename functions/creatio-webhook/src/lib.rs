//! Lambda: takes Creatio's hint that a case changed and wakes crm-sync.
