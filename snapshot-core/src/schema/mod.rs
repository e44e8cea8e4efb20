//! The typed schema: `#[derive(Schema)]` describes prost types.
//!
//! Configure prost-build once to add the derive to every type that it generates:
//!
//! ```ignore
//! config.enable_type_names().type_attribute(".", "#[derive(::snapshot_core::Schema)]")
//! ```
//!
//! Each message then has a [`MessageDescriptor`] and one typed constant per field.
//! `#[derive(Snapshot)]` checks state structs against these constants.
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

mod descriptor;
mod form;
pub mod kind;
mod manifest;
mod meaning;
mod notes;
pub(crate) mod sealed;
pub(crate) mod trait_probe;
mod type_name;

pub(crate) mod well_known;

use std::marker::PhantomData;

pub use descriptor::{
    EnumDescriptor, EnumValue, FieldDescriptor, FieldShape, MessageDescriptor, OneofDescriptor,
    ValueKind,
};
pub(crate) use form::{AdaptedEnd, Collection, Number};
pub use form::{FieldForm, MemberForm, RangeNote, ValueForm};
pub(crate) use manifest::Describer;
pub use manifest::Manifest;
#[doc(hidden)]
pub use meaning::{DefaultNote, FieldMeaning, StateMeanings};
pub(crate) use notes::Notes;
#[doc(hidden)]
pub use notes::{FieldNotes, StateNotes, StatesInside, TypeNotes};
use sealed::SealedSchema;
#[doc(hidden)]
pub(crate) use type_name::short_type_name;

/// The schema of a message. `#[derive(Schema)]` implements it for prost's message structs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no typed schema",
    label = "a prost message that derives `snapshot_core::Schema` is needed here",
    note = "configure prost-build: `config.enable_type_names().type_attribute(\".\", \
            \"#[derive(::snapshot_core::Schema)]\")`",
    note = "a well-known type of another crate, such as a `Timestamp`, is recognised only if it implements `prost::Name` of prost 0.14: see `derive(Schema)`"
)]
pub trait Schema: SealedSchema + Sized + 'static {
    /// A struct with one [`Field`] per proto field, named as prost's struct field.
    type Fields: 'static;
    /// The typed fields.
    const FIELDS: Self::Fields;
    /// The schema as data.
    const DESCRIPTOR: &'static MessageDescriptor;
    /// The words for the message in compile errors, if the Rust type that holds it does not use the
    /// derive.
    #[doc(hidden)]
    const WORDS: Option<kind::Words> = None;
}

/// The schema of an enum. `#[derive(Schema)]` implements it for prost's C-like enums.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no typed schema",
    label = "a prost enum that derives `snapshot_core::Schema` is needed here",
    note = "configure prost-build: `config.enable_type_names().type_attribute(\".\", \
            \"#[derive(::snapshot_core::Schema)]\")`"
)]
pub trait EnumSchema: SealedSchema + Sized + 'static {
    /// A struct with one `i32` per value, named as prost's variant.
    type Values: 'static;
    /// The numbers of the values.
    const VALUES: Self::Values;
    /// The schema as data.
    const DESCRIPTOR: &'static EnumDescriptor;
}

/// The schema of a oneof. `#[derive(Schema)]` implements it for prost's data enums.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no typed schema",
    label = "a prost oneof that derives `snapshot_core::Schema` is needed here",
    note = "configure prost-build: `config.enable_type_names().type_attribute(\".\", \
            \"#[derive(::snapshot_core::Schema)]\")`"
)]
pub trait OneofSchema: SealedSchema + Sized + 'static {
    /// A struct with one [`Field`] per member, named as prost's variant. Each is an
    /// [`Optional`](kind::Optional).
    type Members: 'static;
    /// The typed members.
    const MEMBERS: Self::Members;
    /// The schema as data.
    const DESCRIPTOR: &'static OneofDescriptor;
}

/// One field of a message. Its kind is a type parameter.
pub struct Field<F> {
    /// The number and name. The derive reads this field directly, since a call per field would slow
    /// the compiler down.
    #[doc(hidden)]
    pub numbered: Numbered,
    kind: PhantomData<fn() -> F>,
}

/// The number and the proto name of a field.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Numbered {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
}

impl<F> Field<F> {
    /// Creates a field. `number` is 1 to 536,870,911; the number of a oneof is its lowest member's.
    pub const fn new(number: u32, name: &'static str) -> Self {
        Self { numbered: Numbered { number, name }, kind: PhantomData }
    }

    /// The field number.
    pub const fn number(&self) -> u32 {
        self.numbered.number
    }

    /// The name in the `.proto` file.
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
