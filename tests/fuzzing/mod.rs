//! What must hold for all bytes, however wrong: the properties that the fuzz targets in `fuzz/` and
//! the test `fuzz_replay` check. Both include this file.
//!
//! 1. Nothing panics.
//! 2. Reading, checking and writing back never hold more memory than a fixed multiple of the input
//!    and a constant; both are in [`bound`]. A snapshot that is read with a budget of memory keeps it.
//! 3. What is read is written to bytes that are read as an equal state and written as the same bytes;
//!    and a reader of another make (prost-reflect) sees the same in both.
//!
//! The first byte of an input chooses what the rest is.

pub(crate) mod bound;
mod envelope;
mod meaning;
mod payloads;
pub(crate) mod seeds;

pub(crate) use envelope::envelope;
pub(crate) use payloads::{hcsshim, lcow};
