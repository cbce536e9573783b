//! The shell's verbs over ports: ingest, converse, take a turn, deliver, sync the CRM, wake.
