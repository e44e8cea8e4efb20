//! Checks that the compiler runs. Their errors are the user's, so they say what to do; they are
//! `track_caller`, so that they stand where the derive put the call.

use std::marker::PhantomData;

use super::Span;
use super::text::Message;
use crate::schema::kind::{Singular, Uint32};
use crate::schema::{EnumDescriptor, Field, MessageDescriptor, OneofDescriptor};
use crate::{Controller, Payload, Stage};

/// Every field of the message is mapped or ignored.
#[track_caller]
pub const fn assert_all_mapped(
    state: &str,
    descriptor: &MessageDescriptor,
    mapped: &[Span],
    ignored: &[u32],
) {
    let fields = descriptor.fields;
    let mut missing = 0;
    let mut has_version = false;
    let mut message = Message::new();
    let mut i = 0;
    while i < fields.len() {
        let number = fields[i].number;
        if !contains_low(mapped, number) && !contains(ignored, number) {
            message = message.and_name(missing == 0, fields[i].name);
            has_version |= equal(fields[i].name, "schema_version");
            missing += 1;
        }
        i += 1;
    }
    if missing > 0 {
        message = Message::new()
            .and("`")
            .and(state)
            .and("` does not map ")
            .and(message.as_str())
            .and(" of `")
            .and(descriptor.name)
            .and(if missing == 1 { "`: map it, " } else { "`: map them, " })
            .and(if missing == 1 { "or list it" } else { "or list them" })
            .and(" in #[snapshot(ignore(...))]");
        if has_version {
            message = message.and("; `version = 1` maps `schema_version`");
        }
        panic!("{}", message.as_str());
    }
}

/// Every member of the oneof is mapped or ignored.
#[track_caller]
pub const fn assert_all_members(state: &str, descriptor: &OneofDescriptor, mapped: &[u32]) {
    let members = descriptor.members;
    let mut missing = 0;
    let mut message = Message::new();
    let mut i = 0;
    while i < members.len() {
        if !contains(mapped, members[i].number) {
            message = message.and_name(missing == 0, members[i].name);
            missing += 1;
        }
        i += 1;
    }
    if missing > 0 {
        let message = Message::new()
            .and("`")
            .and(state)
            .and("` does not map ")
            .and(message.as_str())
            .and(" of the oneof `")
            .and(descriptor.name)
            .and("`: add a variant for each, or list it in #[snapshot(ignore(...))]");
        panic!("{}", message.as_str());
    }
}

/// Every value of the proto enum is a variant.
#[track_caller]
pub const fn assert_all_stages(stage: &str, descriptor: &EnumDescriptor, mapped: &[i32]) {
    let values = descriptor.values;
    let mut missing = 0;
    let mut message = Message::new();
    let mut i = 0;
    while i < values.len() {
        if !contains_number(mapped, values[i].number) {
            message = message.and_name(missing == 0, values[i].variant);
            missing += 1;
        }
        i += 1;
    }
    if missing > 0 {
        let message = Message::new()
            .and("`")
            .and(stage)
            .and("` has no variant for ")
            .and(message.as_str())
            .and(" of `")
            .and(descriptor.name)
            .and("`: add one for each; one that is named differently says `rename = Name`");
        panic!("{}", message.as_str());
    }
}

/// A variant has the number of its proto value.
#[track_caller]
pub const fn assert_same_number(variant: &str, number: i128, value: i32) {
    if number != value as i128 {
        let message = Message::new()
            .and("`")
            .and(variant)
            .and("` is ")
            .and_number(number)
            .and(", its proto value is ")
            .and_number(value as i128)
            .and(": give it `= ")
            .and_number(value as i128)
            .and("`");
        panic!("{}", message.as_str());
    }
}

/// A transient variant has a number that no other can become when it is cast.
#[track_caller]
pub const fn assert_fits_i32(variant: &str, number: i128) {
    if number < i32::MIN as i128 || number > i32::MAX as i128 {
        let message = Message::new()
            .and("the number of `")
            .and(variant)
            .and("` does not fit 32 bits: give it another one");
        panic!("{}", message.as_str());
    }
}

/// The `#[default]` variant is the proto zero value.
#[track_caller]
pub const fn assert_zero(variant: &str, number: i128) {
    if number != 0 {
        let message = Message::new()
            .and("`")
            .and(variant)
            .and("` is the `#[default]`, so its number must be 0, not ")
            .and_number(number)
            .and(": a stage that is at its default is not on the wire");
        panic!("{}", message.as_str());
    }
}

/// The number of the version field, which must be a `uint32`.
pub const fn version_number(field: &Field<Singular<Uint32>>) -> u32 {
    field.number()
}

/// The state that `controller = C` stands on must be the one that `C` names.
pub const fn owns_state<C: Controller<State = S>, S: Payload>() {}

/// Asks whether a type is a [`Stage`], see `crate::schema::probe`.
pub struct Probe<T>(PhantomData<fn() -> T>);

impl<T: Stage> Probe<T> {
    pub const IS_STAGE: bool = true;
}

/// The answer for a type that is none.
pub trait NoStage {
    const IS_STAGE: bool = false;
}

impl<T> NoStage for Probe<T> {}

/// A field that is not saved is no stage, or is marked as one.
#[track_caller]
pub const fn assert_no_stage(is_stage: bool, field: &str) {
    if is_stage {
        let message = Message::new()
            .and("`")
            .and(field)
            .and("` is a stage that is not saved: it would come back as its default, whatever it was. ")
            .and("Save it, or mark it #[snapshot(stage, skip)] and name the one stage that may be ")
            .and("saved in `save_from(...)`");
        panic!("{}", message.as_str());
    }
}

const fn contains(numbers: &[u32], number: u32) -> bool {
    let mut i = 0;
    while i < numbers.len() {
        if numbers[i] == number {
            return true;
        }
        i += 1;
    }
    false
}

const fn contains_number(numbers: &[i32], number: i32) -> bool {
    let mut i = 0;
    while i < numbers.len() {
        if numbers[i] == number {
            return true;
        }
        i += 1;
    }
    false
}

const fn contains_low(spans: &[Span], number: u32) -> bool {
    let mut i = 0;
    while i < spans.len() {
        if spans[i].low == number {
            return true;
        }
        i += 1;
    }
    false
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
