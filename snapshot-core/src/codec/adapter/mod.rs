//! Ready modules for `#[snapshot(with = module)]`: conversions between a Rust type and one that fits
//! a proto kind, each a pair of functions `to_wire` and `from_wire`. What does not convert
//! exactly is an error on save, except where the module's name says that it rounds. All but
//! `lenient_text` and `json` read only what they would write; `json` reads what means the same.

pub mod display;
#[cfg(feature = "json")]
pub mod json;
#[cfg(feature = "json")]
pub mod json_text;
#[cfg(feature = "json")]
mod json_tree;
pub mod lenient_text;
pub mod remaining;
mod time;

pub use time::{
    micros, micros_rounded, millis, millis_rounded, nanos, seconds, seconds_rounded, unix_seconds,
    unix_seconds_rounded,
};
