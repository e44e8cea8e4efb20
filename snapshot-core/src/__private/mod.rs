//! What the derives' code names. Not an interface: it changes with the derive, without notice.

#![allow(missing_docs, reason = "for the derives only")]

mod bounds;
mod check;
mod fits;
mod oneof;
mod open;
mod plan;
mod port;
mod put;
mod reference;
pub mod shapes;
mod stage;
mod take;
mod text;

use std::any::Any;
use std::fmt::Display;

// The derive's code names even what every module has in scope, since the user's may not.
pub use std::cmp::Ordering;
pub use std::convert::{From, TryFrom};
pub use std::option::Option::{self, None, Some};
pub use std::primitive::{bool, i32, i128, str, u8, u32, u64, usize};
pub use std::result::Result::{self, Err, Ok};
pub use std::string::String;

pub use inventory;
pub use prost;
pub use std;

pub use self::bounds::{Bounded, Bounds, Ranged, max, range};
pub use self::check::{
    Named, NoStage, Owns, Probe, assert_all_mapped, assert_all_members, assert_all_values,
    assert_fits_i32, assert_no_stage, assert_not_transient, assert_older_version_field,
    assert_value, assert_zero, earlier, registration, version_field,
};
pub use self::fits::{
    Answer, Checking, Fit, Losing, NoFit, annotate, are_leaves, assert_member_fits, check,
    dependent, fit,
};
pub use self::oneof::{Member, NoMember, member, unmapped_member};
pub use self::plan::{Options, Plan, put, take};
pub use self::port::{Adapter, Converted, NoPort, NotConverted, Of, Port, adapter, of, port};
pub use self::put::{
    Putting, marks, message_size, put_message, put_message_tagged, put_payload, sum,
};
pub use self::reference::{
    assert_nameable, assert_nameable_values, defines, refer_message, refer_payload, refers,
    values_define, values_refer,
};
pub use self::stage::{
    default_stage, has_no_stage, may_restore, may_save, put_stage, put_stage_tagged, stage_of,
    stage_size, take_stage,
};
pub use self::take::{Taking, lost_error, take_message, take_message_into};
pub use self::text::{after_slash, join, length, text, type_url_parts};
pub use crate::codec::{
    Length, Names, NeverDefault, Reader, Reference, ReferenceValues, Single, Tag, Wire, WireField,
    WireKey, WireOneof, Writer,
};
pub use crate::controller::Walk;
pub use crate::references::References;
pub use crate::registry::{Registration, TypeInfo, TypeRef};
pub use crate::schema::Notes;
pub use crate::schema::probe::{NameOf, NoName, OpaqueShape, ShapeOf};
pub use crate::schema::well_known::by_name as well_known;
pub use crate::schema::{
    EnumDescriptor, EnumSchema, EnumValue, Field, FieldDescriptor, FieldShape, MessageDescriptor,
    Numbered, OneofDescriptor, OneofSchema, Schema, ValueKind, kind,
};
pub use crate::version::{
    Older, OlderVersion, Upgraded, check_upgraded, downgraded, put_older, read_upgraded, upgrade,
    upgraded,
};
pub use crate::{Code, Controller, Error, Payload, Stage, StageRules, StageVariant, State};

use crate::schema::kind::FieldKind;

/// Whether a number is this field's, or that of a member of this oneof.
#[inline(always)]
fn is_member<F: FieldKind>(field: &Field<F>, number: u32) -> bool {
    field.number() == number || F::MEMBERS.iter().any(|member| member.number == number)
}

/// Names the field in an error. A oneof's error names the member already.
#[cold]
#[inline(never)]
fn place<F: FieldKind>(field: &Field<F>, error: Error) -> Error {
    match F::SHAPE {
        FieldShape::Oneof(_) => error,
        _ => error.in_field(field.name()),
    }
}

pub fn put_any<P: Payload>(payload: &P, w: &mut Writer) -> Result<(), Error> {
    crate::codec::put_any(payload, w)
}

#[inline]
pub fn any_size<P: Payload>(payload: &P) -> usize {
    crate::codec::delimited_size(crate::codec::any_size(payload))
}

pub fn take_any<P: Payload>(r: &mut Reader<'_>) -> Result<P, Error> {
    crate::codec::take_any(r)
}

#[inline]
pub fn check_version<P: Payload>(r: &mut Reader<'_>) -> Result<u32, Error> {
    crate::version::check_version::<P>(r)
}

/// The default of a field that is not saved, or not read yet.
#[inline]
pub fn default<T: Default>() -> T {
    T::default()
}

/// The name that a payload gives itself.
pub fn name_of<T: Display>(name: &T) -> String {
    name.to_string()
}

/// The name of what has none.
pub fn unnamed() -> Option<String> {
    None
}

fn with_name(error: Error, name: Option<String>) -> Error {
    match name {
        Some(name) if !name.is_empty() => error.with_name(&name),
        _ => error,
    }
}

/// What `validate` says of a state that was read.
pub fn validate<E: Display + 'static>(
    result: Result<(), E>,
    name: impl FnOnce() -> Option<String>,
) -> Result<(), Error> {
    match result {
        Ok(()) => Ok(()),
        Err(error) => Err(with_name(refusal(error), name())),
    }
}

/// The error of a user's function: as it is if it is one of ours, else its text.
#[cold]
pub(crate) fn refusal<E: Display + 'static>(error: E) -> Error {
    let text = error.to_string();
    match (Box::new(error) as Box<dyn Any>).downcast::<Error>() {
        Ok(error) => *error,
        Err(_) => Error::invalid(text),
    }
}

/// The message of a state that can be saved.
#[track_caller]
pub fn message_of<S: State>(state: &S) -> S::Message {
    match state.to_message() {
        Ok(message) => message,
        Err(error) => panic!("the state cannot be saved: {error}"),
    }
}

/// The impls of a type whose derive failed are never run.
#[cold]
pub fn not_derived() -> Error {
    Error::internal("the derive of this type has failed")
}
