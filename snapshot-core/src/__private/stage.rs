//! Stages on the wire, and the rules for them.

use crate::codec::{Reader, Writer};
use crate::error::Code;
use crate::schema::EnumSchema;
use crate::{Error, Stage, StageRules};

/// Puts a stage as its number.
pub fn put_stage<S: Stage>(stage: &S, w: &mut Writer) -> Result<(), Error> {
    w.varint(number_to_save(stage)?);
    Ok(())
}

/// Puts a stage as a field.
#[inline]
pub fn put_stage_tagged<S: Stage>(stage: &S, number: u32, w: &mut Writer) -> Result<(), Error> {
    w.varint_field(number, number_to_save(stage)?);
    Ok(())
}

/// The length of a stage's number.
#[inline]
pub fn stage_size<S: Stage>(stage: &S) -> usize {
    crate::codec::varint_size(i64::from(stage.number()) as u64)
}

#[inline]
fn number_to_save<S: Stage>(stage: &S) -> Result<u64, Error> {
    let number = stage.number();
    match S::VARIANTS.iter().find(|variant| variant.number == number) {
        Some(variant) if variant.transient => Err(transient(variant.name)),
        // A negative enum value takes ten bytes, as if it were 64 bits wide.
        _ => Ok(i64::from(number) as u64),
    }
}

#[cold]
fn transient(name: &str) -> Error {
    Error::precondition(format!("is {name}, a transient stage, which cannot be saved"))
}

/// Takes a stage by its number.
pub fn take_stage<S: Stage>(r: &mut Reader<'_>) -> Result<S, Error> {
    stage_from_wire(r.varint()? as i64)
}

/// The stage whose number is not on the wire.
pub fn default_stage<S: Stage>() -> Result<S, Error> {
    stage_from_wire(0)
}

#[inline]
fn stage_from_wire<S: Stage>(number: i64) -> Result<S, Error> {
    let known = |number| {
        let variant = S::VARIANTS.iter().find(|variant| variant.number == number)?;
        if variant.transient { None } else { S::from_number(number) }
    };
    i32::try_from(number).ok().and_then(known).ok_or_else(|| unknown::<S>(number))
}

#[cold]
fn unknown<S: Stage>(number: i64) -> Error {
    let known = S::VARIANTS.iter().filter(|variant| !variant.transient);
    let known: Vec<String> =
        known.map(|variant| format!("{} ({})", variant.name, variant.number)).collect();
    let proto = S::Proto::DESCRIPTOR.name;
    Error::invalid(format!("{number} is no value of {proto}, it has {}", known.join(", ")))
}

/// Checks that a struct may be saved in the stage that it is in.
#[inline]
pub fn may_save(number: i32, rules: &StageRules, field: &'static str) -> Result<(), Error> {
    // Without `save_from` it is for the stage itself to be no transient one.
    if rules.save_from.is_empty() || rules.may_save(number) {
        return Ok(());
    }
    Err(not_to_save(number, rules, field))
}

#[cold]
fn not_to_save(number: i32, rules: &StageRules, field: &'static str) -> Error {
    let (name, allowed) = (rules.name(number), rules.save_from_names());
    Error::precondition(format!("is {name}, can only be saved in {allowed}")).in_field(field)
}

/// Checks that a struct with these rules can have been saved in the stage that was read.
#[inline]
pub fn may_restore(
    number: Option<i32>,
    rules: &StageRules,
    field: &'static str,
) -> Result<(), Error> {
    match number {
        // Without `save_from` they can be in every stage that can be read.
        Some(number) if !rules.save_from.is_empty() && !rules.may_save(number) => {
            Err(not_to_restore(number, rules, field))
        }
        _ => Ok(()),
    }
}

#[cold]
fn not_to_restore(number: i32, rules: &StageRules, field: &'static str) -> Error {
    let (name, allowed) = (rules.name(number), rules.save_from_names());
    Error::invalid(format!("is {name}, this build saves and restores only in {allowed}"))
        .in_field(field)
}

/// The stage that was looked up by its number.
pub fn stage_of<S>(stage: Option<S>, number: i32) -> Result<S, Error> {
    stage.ok_or_else(|| Error::internal(format!("there is no stage with number {number}")))
}

#[cold]
pub fn has_no_stage(number: i32) -> Error {
    Error::new(Code::Internal, format!("stage {number} was set on a state that has no stage"))
}
