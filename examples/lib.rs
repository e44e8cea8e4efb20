//! Runnable templates, the whole LCOW sandbox as a library for them, and hcsshim's payloads.

#![forbid(unsafe_code)]

#[path = "hcsshim/mod.rs"]
pub mod hcsshim;
#[path = "lcow/mod.rs"]
pub mod lcow;
