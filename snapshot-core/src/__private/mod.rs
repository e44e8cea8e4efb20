//! The only names that generated code uses. This is not an interface: it changes with the derives,
//! without notice. This file re-exports and defines nothing; generated code calls the modules
//! inside.

#![allow(missing_docs, reason = "for the derives only")]

mod adapter;
mod answer;
mod bounds;
mod check;
mod enumeration;
mod field;
mod field_port;
mod limits;
mod meaning;
mod never;
mod newer;
mod oneof;
mod plan;
mod proof_of_fit;
mod put;
mod reference;
pub mod scalar_shapes;
mod stage;
mod stay_behind;
mod take;
mod text;
pub(crate) mod validation;

// Generated code also names the items of the prelude through this module, because the user's module
// may not have them.
pub use std::cmp::Ordering;
pub use std::convert::{From, TryFrom};
pub use std::marker::PhantomData;
pub use std::mem::swap;
pub use std::option::Option::{self, None, Some};
pub use std::primitive::{bool, i32, i128, str, u8, u32, u64, usize};
pub use std::result::Result::{self, Err, Ok};
pub use std::string::String;

pub use inventory;
pub use prost;
pub use std;

pub use self::adapter::{Adapter, Converted, NotCompared, NotConverted, Twins, adapter};
pub use self::answer::{Answer, Fit};
pub use self::bounds::{Bounded, Bounds, CheckRange, Ranged, max, range};
pub use self::check::{
    Named, NoStage, Probe, assert_all_mapped, assert_all_members, assert_all_values,
    assert_fits_i32, assert_no_stage, assert_not_transient, assert_not_zero,
    assert_older_version_field, assert_value, assert_zero, earlier, version_field,
};
pub use self::enumeration::{
    Enumeration, default_enumeration, enumeration_size, put_enumeration, put_enumeration_tagged,
    take_enumeration,
};
pub use self::field::{default, field};
pub use self::field_port::{Of, Planned, Port, of, port};
pub use self::limits::{Limited, Limiting, limit};
pub use self::meaning::{NoteRange, default_note, note_adapted_range};
pub use self::never::Never;
pub use self::oneof::{
    Member, assert_member_fits, inside_member, member, member_form, put_since, take_since,
    unknown_member, unmapped_member,
};
pub use self::plan::{Options, Plan, put_planned, take_planned};
pub use self::proof_of_fit::{
    Checking, Losing, NoFit, are_leaves, check, dependent, fit, inside_adapter, marks, types,
};
pub(crate) use self::put::{FieldBytes, bytes_of};
pub use self::put::{Putting, message_size, put_message, put_message_tagged, put_payload, sum};
pub use self::reference::{
    assert_nameable, assert_nameable_values, defines, refers, values_define, values_refer,
    visit_message, visit_payload,
};
pub use self::stage::{has_no_stage, may_restore, may_save, stage_of};
pub use self::stay_behind::assert_can_stay_behind;
pub use self::take::{Taking, take_message, take_message_into};
pub use self::text::{after_slash, join, length, text, type_url_parts};
pub use self::validation::{message_of, name_of, not_derived, unnamed, validate};
pub use crate::codec::sealed::Sealed;
pub use crate::codec::{
    Length, Names, NeverDefault, Reader, Reference, ReferenceValues, Single, Tag, Wire, WireField,
    WireKey, WireOneof, Writer,
};
pub use crate::controller::{Owns, Registration, registration};
pub use crate::payload::{
    Keep, Keeps, KeepsNothing, Later, OlderVersion, TypeInfo, TypeRef, any_field_size as any_size,
    lost_error, notes_on, put_any, take_any, version_read,
};
pub use crate::schema::sealed::SealedSchema;
pub use crate::schema::trait_probe::{NameOf, NoName, OpaqueShape, ShapeOf};
pub use crate::schema::well_known::by_name as well_known;
pub use crate::schema::{
    EnumDescriptor, EnumSchema, EnumValue, Field, FieldDescriptor, FieldForm, FieldMeaning,
    FieldNotes, FieldShape, MemberForm, MessageDescriptor, Numbered, OneofDescriptor, OneofSchema,
    RangeNote, Schema, StateMeanings, StateNotes, StatesInside, TypeNotes, ValueForm, ValueKind,
    kind,
};
pub use crate::version::{
    Older, Upgraded, check_upgraded, check_version, downgraded, put_older, read_upgraded, upgrade,
    upgraded,
};
pub use crate::visit::Visit;
pub use crate::{Code, Controller, Error, Payload, Stage, StageRules, StageVariant, State};
