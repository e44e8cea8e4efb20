//! Where something is: [`ControllerId`] names a controller of a tree, [`FieldPath`] a field of a
//! payload. Both escape text that comes from a snapshot in one way, so that they can be shown in a
//! log or a terminal as they are. [`Escaped`] does so for any other text.
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
