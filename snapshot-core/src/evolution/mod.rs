//! Schema evolution: compares the schemas of two builds, and keeps a record of every released version.
//!
//! [`compatible`] tells from two manifests whether one build restores what the other saves. A
//! [`lock::Lock`] is the record of what was released, and [`assert_locked!`] is the one line in a
//! test that keeps it true.

mod compare;
mod compatible;
mod enum_values;
pub mod lock;
mod version_schema;

#[doc(inline)]
pub use crate::__assert_locked as assert_locked;
pub use compare::{Difference, FieldNumbers};
pub use compatible::{Compatibility, PayloadVerdict, Verdict, compatible};
