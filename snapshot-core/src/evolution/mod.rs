//! Schema evolution: compares the schemas of two builds and records every released version.
//!
//! [`compatible`] compares the manifests of two builds and reports whether one of them restores the
//! snapshots of the other. A [`lock::Lock`] records every released schema, and [`assert_locked!`]
//! fails a test when a schema changes without a new version.

mod compare;
mod compatible;
mod effect;
mod enum_values;
mod judge;
pub mod lock;
mod meaning;
mod value;
mod version_schema;

#[doc(inline)]
pub use crate::__assert_locked as assert_locked;
pub use compare::{Difference, FieldNumbers};
pub use compatible::{Compatibility, PayloadVerdict, Verdict, compatible};
pub use judge::judge;
