//! Checks at compile time. Their errors are for users, so they say what to do. They are
//! `track_caller`, so that an error is at the place of the derive's call.

use std::marker::PhantomData;

use super::Numbered;
use super::text::ErrorText;
use crate::payload::{Stage, StageVariant};
use crate::schema::kind::{Singular, Uint32};
use crate::schema::{
    EnumDescriptor, Field, FieldShape, MessageDescriptor, OneofDescriptor, ValueKind,
};

/// Checks that every field of the message is mapped or ignored, or is the field of the version.
#[track_caller]
pub const fn assert_all_mapped(
    state: &str,
    descriptor: &MessageDescriptor,
    version: u32,
    mapped: &[Numbered],
    ignored: &[u32],
) {
    let fields = descriptor.fields;
    let mut next = 0;
    let mut i = 0;
    while i < fields.len() {
        // In most structs the fields have the order of the message.
        if next < mapped.len() && mapped[next].number == fields[i].number {
            next += 1;
        } else if fields[i].number != version && !is_used(fields[i].number, mapped, ignored) {
            not_mapped(state, descriptor, version, mapped, ignored);
        }
        i += 1;
    }
}

#[track_caller]
const fn not_mapped(
    state: &str,
    descriptor: &MessageDescriptor,
    version: u32,
    mapped: &[Numbered],
    ignored: &[u32],
) -> ! {
    let fields = descriptor.fields;
    let mut missing = 0;
    let mut has_version = false;
    let mut message = ErrorText::new();
    let mut i = 0;
    while i < fields.len() {
        if fields[i].number != version && !is_used(fields[i].number, mapped, ignored) {
            message = message.and_name(missing == 0, fields[i].name);
            has_version |= equal(fields[i].name, "schema_version");
            missing += 1;
        }
        i += 1;
    }
    message = ErrorText::new()
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

/// Checks that every member of the oneof is mapped or ignored.
#[track_caller]
pub const fn assert_all_members(state: &str, descriptor: &OneofDescriptor, mapped: &[u32]) {
    let members = descriptor.members;
    let mut missing = 0;
    let mut message = ErrorText::new();
    let mut i = 0;
    while i < members.len() {
        if !contains(mapped, members[i].number) {
            message = message.and(if missing == 0 { "`" } else { ", `" });
            message = message.and_camel_case(members[i].name).and("`");
            missing += 1;
        }
        i += 1;
    }
    if missing > 0 {
        let message = ErrorText::new()
            .and("`")
            .and(state)
            .and("` has no variant for ")
            .and(message.as_str())
            .and(" of the oneof `")
            .and(descriptor.name)
            .and(if missing == 1 { "`: add it, or list it" } else { "`: add them, or list them" })
            .and(" in #[snapshot(ignore(...))]");
        panic!("{}", message.as_str());
    }
}

/// Checks that a variant stands for a value of the proto enum, and has its number. `value` is its
/// name there, which may come from a `rename`.
#[track_caller]
pub const fn assert_value(
    variant: &str,
    number: i128,
    descriptor: &EnumDescriptor,
    value: &str,
    is_renamed: bool,
    is_stage: bool,
) {
    let Some(proto) = value_number(descriptor, value) else {
        let mut names = ErrorText::new();
        let mut i = 0;
        while i < descriptor.values.len() {
            names = names.and_name(i == 0, descriptor.values[i].variant);
            i += 1;
        }
        let message = ErrorText::new().and("`").and(value).and("` is not a value of `");
        let message = message.and(descriptor.name).and("`, which has ").and(names.as_str());
        let message = message.and(if is_renamed {
            ": these are the names for `rename`"
        } else if is_stage {
            ": name its value with #[snapshot(rename = Name)], or mark it #[snapshot(transient)] \
             if it is never saved"
        } else {
            ": name its value with #[snapshot(rename = Name)], or add it to the proto enum"
        });
        panic!("{}", message.as_str());
    };
    let proto = proto as i128;
    if number != proto {
        let message = ErrorText::new().and("`").and(variant).and("` is ").and_number(number);
        let message = message.and(", its proto value is ").and_number(proto).and(": give it `= ");
        panic!("{}", message.and_number(proto).and("`").as_str());
    }
}

/// Checks that every value of the proto enum has a variant.
#[track_caller]
pub const fn assert_all_values(name: &str, descriptor: &EnumDescriptor, names: &[&str]) {
    let mut i = 0;
    while i < names.len() {
        if value_number(descriptor, names[i]).is_none() {
            // The variant is already reported, and may be the one that seems to be missing here.
            return;
        }
        i += 1;
    }
    let values = descriptor.values;
    let mut missing = 0;
    let mut list = ErrorText::new();
    let mut i = 0;
    while i < values.len() {
        if !contains_name(names, values[i].variant) {
            list = list.and_name(missing == 0, values[i].variant);
            missing += 1;
        }
        i += 1;
    }
    if missing > 0 {
        let message = ErrorText::new().and("`").and(name).and("` has no variant for ");
        let message = message.and(list.as_str()).and(" of `").and(descriptor.name).and("`: add ");
        let message = message.and(if missing == 1 { "it" } else { "them" });
        let message =
            message.and(", or mark the variant that stands for it with #[snapshot(rename = Name)]");
        panic!("{}", message.as_str());
    }
}

/// Checks that a variant of a later version is not the proto zero value, which every payload
/// without the field has.
#[track_caller]
pub const fn assert_not_zero(variant: &str, number: i128) {
    if number == 0 {
        let message = ErrorText::new()
            .and("`")
            .and(variant)
            .and(
                "` is the proto zero value, which is the value of every older payload that omits \
                  the field: ",
            )
            .and("remove `since`");
        panic!("{}", message.as_str());
    }
}

/// Checks that the number of a transient variant cannot become equal to another one in a cast.
#[track_caller]
pub const fn assert_fits_i32(variant: &str, number: i128) {
    if number < i32::MIN as i128 || number > i32::MAX as i128 {
        let message = ErrorText::new()
            .and("the number of `")
            .and(variant)
            .and("` does not fit in 32 bits: choose another one");
        panic!("{}", message.as_str());
    }
}

/// Checks that the `#[default]` variant is the proto zero value.
#[track_caller]
pub const fn assert_zero(variant: &str, number: i128) {
    if number != 0 {
        let message = ErrorText::new()
            .and("`")
            .and(variant)
            .and("` is the `#[default]`, so its number must be 0, not ")
            .and_number(number)
            .and(": a value that is at its default is not on the wire");
        panic!("{}", message.as_str());
    }
}

/// A message with a name from prost.
#[diagnostic::on_unimplemented(
    message = "the proto name of `{Self}` is not known",
    label = "a payload's message needs its name",
    note = "configure prost-build: `config.enable_type_names()`",
    note = "if build.rs does that already, another version of prost may have generated the message: \
            snapshot-core needs prost 0.14, and `cargo tree --duplicates` lists the versions"
)]
pub trait Named {
    const PACKAGE: &'static str;
    const NAME: &'static str;
}

#[diagnostic::do_not_recommend]
impl<M: prost::Name> Named for M {
    const PACKAGE: &'static str = M::PACKAGE;
    const NAME: &'static str = M::NAME;
}

/// Tests whether a type is a [`Stage`], see `crate::schema::trait_probe`.
pub struct Probe<T>(PhantomData<fn() -> T>);

impl<T: Stage> Probe<T> {
    pub const IS_STAGE: bool = true;
}

/// The answer for a type that is not a stage.
pub trait NoStage {
    const IS_STAGE: bool = false;
}

impl<T> NoStage for Probe<T> {}

/// Checks that a field that is not saved is not a stage, or is marked as one.
#[track_caller]
pub const fn assert_no_stage(is_stage: bool, field: &str) {
    if is_stage {
        let message = ErrorText::new()
            .and("`")
            .and(field)
            .and("` is a stage that is not saved, so it would always be restored as its default. ")
            .and("Save it, or mark it #[snapshot(stage, skip)] and name the one stage that may be ")
            .and("saved in `save_from(...)`");
        panic!("{}", message.as_str());
    }
}

/// Checks that a stage that may be saved is on the wire.
#[track_caller]
pub const fn assert_not_transient(stage: &str, variants: &[StageVariant], number: i32) {
    let mut i = 0;
    while i < variants.len() {
        if variants[i].number == number && variants[i].transient {
            let message = ErrorText::new().and("`").and(stage);
            let message = message.and("` is transient and is never saved: remove it from ");
            let message = message.and("`save_from`; a frozen controller is saved in the stage ");
            panic!("{}", message.and("that it had before").as_str());
        }
        i += 1;
    }
}

/// Returns the field of the schema version.
#[track_caller]
pub const fn version_field(descriptor: &MessageDescriptor) -> Field<Singular<Uint32>> {
    const NAME: &str = "schema_version";
    let mut i = 0;
    while i < descriptor.fields.len() {
        let field = &descriptor.fields[i];
        if equal(field.name, NAME) {
            if let FieldShape::Singular(ValueKind::Uint32) = field.shape {
                return Field::new(field.number, NAME);
            }
            let message = ErrorText::new().and("`schema_version` of `").and(descriptor.name);
            panic!("{}", message.and("` is not a `uint32`: declare it as one").as_str());
        }
        i += 1;
    }
    let message = ErrorText::new().and("`").and(descriptor.name).and("` has no field for the ");
    let message = message.and("version: add `uint32 schema_version = 1;` to it, or remove ");
    panic!("{}", message.and("`version`").as_str())
}

/// Checks that the message of an older version has the version in the same field as the current
/// one.
#[track_caller]
pub const fn assert_older_version_field(
    older: &MessageDescriptor,
    current: &Field<Singular<Uint32>>,
) {
    let mut i = 0;
    while i < older.fields.len() {
        let field = &older.fields[i];
        if equal(field.name, current.name())
            && field.number == current.number()
            && matches!(field.shape, FieldShape::Singular(ValueKind::Uint32))
        {
            return;
        }
        i += 1;
    }
    let message =
        ErrorText::new().and("`").and(older.name).and("` has no `uint32 schema_version = ");
    let message =
        message.and_number(current.number() as i128).and("`: every version must have it there, ");
    let message = message.and("because it is read before the message of a payload is known");
    panic!("{}", message.as_str());
}

/// Returns the version that is written if `asked` is requested.
#[inline]
pub fn earlier(asked: u32, current: u32) -> u32 {
    asked.min(current)
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

const fn contains_name(names: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < names.len() {
        if equal(names[i], name) {
            return true;
        }
        i += 1;
    }
    false
}

const fn value_number(descriptor: &EnumDescriptor, name: &str) -> Option<i32> {
    let mut i = 0;
    while i < descriptor.values.len() {
        if equal(descriptor.values[i].variant, name) {
            return Some(descriptor.values[i].number);
        }
        i += 1;
    }
    None
}

/// Returns whether the field with this number is mapped or ignored.
const fn is_used(number: u32, mapped: &[Numbered], ignored: &[u32]) -> bool {
    let mut i = 0;
    while i < mapped.len() {
        if mapped[i].number == number {
            return true;
        }
        i += 1;
    }
    contains(ignored, number)
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
