//! The stage rules of a struct, where the codec itself enforces them.

use crate::error::{Code, Error};
use crate::payload::StageRules;

/// Checks that a struct may be saved in its current stage.
#[inline]
pub fn may_save(number: i32, rules: &StageRules, field: &'static str) -> Result<(), Error> {
    // Without `save_from`, the stage itself refuses transient variants.
    if rules.save_from.is_empty() || rules.may_save(number) {
        return Ok(());
    }
    Err(not_to_save(number, rules, field))
}

#[cold]
fn not_to_save(number: i32, rules: &StageRules, field: &'static str) -> Error {
    let (name, allowed) = (rules.name(number), rules.save_from_names());
    Error::precondition(format!("is {name}, but can be saved only in {allowed}")).in_field(field)
}

/// Checks that a struct with these rules can have been saved in the stage that was read.
#[inline]
pub fn may_restore(
    number: Option<i32>,
    rules: &StageRules,
    field: &'static str,
) -> Result<(), Error> {
    match number {
        // Without `save_from`, every stage that can be read is right.
        Some(number) if !rules.save_from.is_empty() && !rules.may_save(number) => {
            Err(not_to_restore(number, rules, field))
        }
        _ => Ok(()),
    }
}

#[cold]
fn not_to_restore(number: i32, rules: &StageRules, field: &'static str) -> Error {
    let (name, allowed) = (rules.name(number), rules.save_from_names());
    Error::invalid(format!("is {name}, but this build saves and restores only {allowed}"))
        .in_field(field)
}

/// Returns the stage that was looked up by its number.
pub fn stage_of<S>(stage: Option<S>, number: i32) -> Result<S, Error> {
    stage.ok_or_else(|| Error::internal(format!("there is no stage with number {number}")))
}

#[cold]
pub fn has_no_stage(number: i32) -> Error {
    Error::new(Code::Internal, format!("stage {number} was set on a state that has no stage"))
}
