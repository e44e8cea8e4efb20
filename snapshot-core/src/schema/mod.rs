//! The typed schema: what `#[derive(Schema)]` says of prost types.
//!
//! prost-build is told once to add the derive to everything that it generates:
//!
//! ```ignore
//! config.enable_type_names().type_attribute(".", "#[derive(::snapshot_core::Schema)]")
//! ```
//!
//! Each message then has one typed constant per field, which `#[derive(Snapshot)]` checks a state
//! struct against, and a [`MessageDescriptor`].
//!
//! ```
//! use snapshot_core::Schema;
//! use snapshot_core::schema::{Field, FieldShape, ValueKind, kind};
//! use snapshot_core::wire::v1::{ControllerSetSnapshot, controller_set_snapshot::Entry};
//!
//! let field: Field<kind::Repeated<kind::Message<Entry>>> = ControllerSetSnapshot::FIELDS.entries;
//! assert_eq!((field.number(), field.name()), (2, "entries"));
//!
//! let message = ControllerSetSnapshot::DESCRIPTOR;
//! assert_eq!((message.full_name)(), "snapshot.v1.ControllerSetSnapshot");
//! assert!(matches!(message.fields[0].shape, FieldShape::Singular(ValueKind::Uint32)));
//! ```

mod compare;
mod compatible;
#[cfg(test)]
mod compatible_tests;
mod descriptor;
mod enum_values;
pub mod kind;
pub mod lock;
mod manifest;
mod notes;
pub(crate) mod probe;
mod version;
pub(crate) mod well_known;

use std::marker::PhantomData;

#[doc(inline)]
pub use crate::__assert_locked as assert_locked;
pub use compare::{Difference, FieldNumbers};
pub use compatible::{Compatibility, PayloadVerdict, Verdict, compatible};
pub use descriptor::{
    EnumDescriptor, EnumValue, FieldDescriptor, FieldShape, MessageDescriptor, OneofDescriptor,
    ValueKind,
};
pub(crate) use manifest::Describer;
pub use manifest::Manifest;
#[doc(hidden)]
pub use notes::{Noted, Notes};

/// The schema of a message. Derived on prost's message structs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no typed schema",
    label = "a prost message that derives `snapshot_core::Schema` is needed here",
    note = "tell prost-build: `config.enable_type_names().type_attribute(\".\", \"#[derive(::snapshot_core::Schema)]\")`",
    note = "a well-known type of another crate, such as a `Timestamp`, is recognised only if it implements `prost::Name` of prost 0.14: see `derive(Schema)`"
)]
pub trait Schema: Sized + 'static {
    /// A struct with one [`Field`] per proto field, by the name of prost's struct field.
    type Fields: 'static;
    /// The typed fields.
    const FIELDS: Self::Fields;
    /// The schema as data.
    const DESCRIPTOR: &'static MessageDescriptor;
    /// The message in words, where what holds it in Rust is no struct with the derive.
    #[doc(hidden)]
    const WORDS: Option<kind::Words> = None;
}

/// The schema of an enum. Derived on prost's C-like enums.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no typed schema",
    label = "a prost enum that derives `snapshot_core::Schema` is needed here",
    note = "tell prost-build: `config.enable_type_names().type_attribute(\".\", \"#[derive(::snapshot_core::Schema)]\")`"
)]
pub trait EnumSchema: Sized + 'static {
    /// A struct with one `i32` per value, by the name of prost's variant.
    type Values: 'static;
    /// The numbers of the values.
    const VALUES: Self::Values;
    /// The schema as data.
    const DESCRIPTOR: &'static EnumDescriptor;
}

/// The schema of a oneof. Derived on prost's data enums.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no typed schema",
    label = "a prost oneof that derives `snapshot_core::Schema` is needed here",
    note = "tell prost-build: `config.enable_type_names().type_attribute(\".\", \"#[derive(::snapshot_core::Schema)]\")`"
)]
pub trait OneofSchema: Sized + 'static {
    /// A struct with one [`Field`] per member, by the name of prost's variant; each is an
    /// [`Optional`](kind::Optional).
    type Members: 'static;
    /// The typed members.
    const MEMBERS: Self::Members;
    /// The schema as data.
    const DESCRIPTOR: &'static OneofDescriptor;
}

/// One field of a message, with its kind in the type.
pub struct Field<F> {
    /// For the derive, which reads it where a call for each field would take the compiler its time.
    #[doc(hidden)]
    pub numbered: Numbered,
    kind: PhantomData<fn() -> F>,
}

/// The number and the proto name of a field.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Numbered {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
}

impl<F> Field<F> {
    /// A field; `number` is 1 to 536,870,911, of a oneof its lowest member's.
    pub const fn new(number: u32, name: &'static str) -> Self {
        Self { numbered: Numbered { number, name }, kind: PhantomData }
    }

    /// The field number.
    pub const fn number(&self) -> u32 {
        self.numbered.number
    }

    /// The proto name.
    pub const fn name(&self) -> &'static str {
        self.numbered.name
    }
}

impl<F> Clone for Field<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Field<F> {}
