//! Runnable templates, with the whole LCOW sandbox and hcsshim's payloads as a library.

#![forbid(unsafe_code)]

#[path = "hcsshim/mod.rs"]
pub mod hcsshim;
#[path = "lcow/mod.rs"]
pub mod lcow;
