//! The properties of all inputs, valid or not, that the fuzz targets in `fuzz/` and the test
//! `fuzz_replay` check. Both include this file.
//!
//! 1. Nothing panics.
//! 2. Reading, checking and writing back never hold more memory than a fixed multiple of the input
//!    and a constant; both are in [`bound`]. A snapshot that is read with a budget of memory keeps it.
//! 3. A state that was read is written to bytes that are read as an equal state and written as the same
//!    bytes. Another implementation (prost-reflect) reads the same message from both.
//!
//! The first byte of an input selects the meaning of the rest.

pub(crate) mod bound;
mod envelope;
mod meaning;
mod payloads;
pub(crate) mod seeds;

pub(crate) use envelope::envelope;
pub(crate) use payloads::{hcsshim, lcow};
