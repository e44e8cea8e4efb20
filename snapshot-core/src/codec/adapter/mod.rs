//! Ready modules for `#[snapshot(with = module)]`. Each converts between a Rust type and one that
//! fits a proto kind, by a pair of functions `to_wire` and `from_wire`. An inexact conversion is an
//! error of the save, unless the name of the module says that it rounds. All modules except
//! `lenient_text` and `json` read only the form that they write; `json` reads every document with
//! the same meaning.

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
