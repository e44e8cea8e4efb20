//! The refusals of a read, for each row of the list in the codec's documentation, at the top level and
//! inside every field that can hold a message. Each test asserts the whole text of the error:
//! path, reason, byte.

#[path = "refusals/allocation.rs"]
mod allocation;
#[path = "refusals/budget.rs"]
mod budget;
#[path = "refusals/completeness.rs"]
mod completeness;
#[path = "refusals/nesting.rs"]
mod nesting;
#[path = "refusals/payloads.rs"]
mod payloads;
#[path = "refusals/rows.rs"]
mod rows;
#[path = "refusals/states.rs"]
mod states;
#[path = "refusals/values.rs"]
mod values;
