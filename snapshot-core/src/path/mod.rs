//! Places: [`ControllerId`] names a controller of a tree, [`FieldPath`] names a field of a payload.
//! Both escape text from a snapshot in the same way, so that they can be written to a log or a
//! terminal. [`Escaped`] escapes any other text.
//!
//! This room knows nothing of the rest of the crate.

mod escape;
mod field;
mod id;
mod paths;
mod spot;

pub use escape::Escaped;
#[cfg(feature = "json")]
pub(crate) use escape::in_json;
pub use field::{FieldPath, Segment};
pub use id::ControllerId;
pub(crate) use paths::{LastStep, Paths, put_path};
pub(crate) use spot::{Spot, digits_of, put_number};
