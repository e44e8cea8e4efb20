//! Benchmarks of saving and restoring the state of a sandbox, by the derive and by each peer.
//!
//! `cargo bench` measures time, memory and allocations, `cargo xtask bench-instructions` counts
//! instructions. BENCHMARKS.md has the results.

#![forbid(unsafe_code)]
// Two peers have messages with the same names, and the same conversions by hand to them.
#![allow(clippy::duplicate_mod)]

pub mod measured;
pub mod migration;
pub mod peers;
pub mod state;
pub mod targets;
#[cfg(test)]
mod tests;
pub mod workload;
