//! Runnable templates, and the whole LCOW sandbox as a library for them.

#[path = "lcow/mod.rs"]
pub mod lcow;
