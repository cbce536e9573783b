//! What every function needs around its handler: wiring, telemetry, poison handling.
