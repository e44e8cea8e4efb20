//! Ready modules for `#[snapshot(with = module)]`: conversions between a Rust type and one that fits
//! a proto kind, each a pair of functions `to_wire` and `from_wire`. None loses anything: what does
//! not convert exactly is an error on save. All but `lenient_text` read only what they would write.

pub mod display;
#[cfg(feature = "json")]
pub mod json;
#[cfg(feature = "json")]
pub mod json_text;
pub mod lenient_text;
mod time;

pub use time::{micros, millis, nanos, seconds, unix_seconds};
