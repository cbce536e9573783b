//! In-memory ports with faults, a virtual clock, the simulator and its checks.
