//! Runnable templates, the whole LCOW sandbox as a library for them, and hcsshim's payloads.

#[path = "hcsshim/mod.rs"]
pub mod hcsshim;
#[path = "lcow/mod.rs"]
pub mod lcow;
