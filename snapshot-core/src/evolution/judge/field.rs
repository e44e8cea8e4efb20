//! The judgement of a destination on one field: whether it accepts each value, and the field as a whole.

use std::collections::HashMap;

use super::super::meaning::values_text;
use super::super::value::{Found, default_of};
use crate::codec::is_in_form;
use crate::error::{Error, plural};
use crate::schema::{FieldShape, ValueKind};
use crate::wire::v1::manifest::{Field, Meaning, Values};

/// The judgement of the destination on the values at hand.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// The values that it refuses.
    pub(super) refused: Option<Error>,
    /// The values that it drops on purpose.
    pub(super) dropped: Option<Error>,
}

impl Judgement {
    pub(super) fn add(&mut self, other: Self) {
        self.refused = both(self.refused.take(), other.refused);
        self.dropped = both(self.dropped.take(), other.dropped);
    }

    /// Applies `place` to all errors.
    pub(super) fn placed(self, place: impl Fn(Error) -> Error) -> Self {
        Self { refused: self.refused.map(&place), dropped: self.dropped.map(place) }
    }

    pub(super) fn refuse(&mut self, error: Error) {
        self.refused = both(self.refused.take(), Some(error));
    }
}

pub(super) fn both(a: Option<Error>, b: Option<Error>) -> Option<Error> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.and(b)),
        (a, b) => a.or(b),
    }
}

/// The occurrences of one field of a message.
pub(super) struct Occurrences<'m> {
    pub(super) field: &'m Field,
    pub(super) name: &'static str,
    pub(super) shape: FieldShape,
    /// The number of values, elements or entries.
    pub(super) count: usize,
    /// The integers, and the length of the last text.
    pub(super) numbers: Vec<i128>,
    pub(super) length: usize,
    pub(super) last: Option<Element>,
    /// The error by each meaning of the field.
    pub(super) refused: Vec<Option<Error>>,
    /// The judgement on the content.
    pub(super) inside: Judgement,
}

/// The last element of a list that may be read as a set.
#[derive(PartialEq, PartialOrd)]
pub(super) enum Element {
    Int(i128),
    Bytes(Vec<u8>),
}

impl Occurrences<'_> {
    /// Returns the number by which the field limits others; `None` if the field is absent.
    pub(super) fn measure(&self) -> Option<i128> {
        match self.shape {
            FieldShape::Repeated(_) | FieldShape::Packed(_) | FieldShape::Map(..) => {
                Some(self.count as i128)
            }
            FieldShape::Singular(ValueKind::String | ValueKind::Bytes) => Some(self.length as i128),
            FieldShape::Optional(ValueKind::String | ValueKind::Bytes) => {
                (self.count > 0).then_some(self.length as i128)
            }
            _ => self.numbers.last().copied().or_else(|| self.number_of_default()),
        }
    }

    /// Returns the default of the field if the field is not on the wire, because that is then its
    /// value.
    fn default(&self) -> Option<Found<'static>> {
        match self.shape {
            FieldShape::Singular(kind) if self.count == 0 => default_of(kind),
            _ => None,
        }
    }

    /// Returns the number that the field has when it is not on the wire; `None` if the field may
    /// have no value then.
    fn number_of_default(&self) -> Option<i128> {
        let default = self.default()?;
        let values = self.field.meanings.iter().filter_map(|meaning| meaning.values.as_ref());
        match default {
            Found::Int(number) if values.into_iter().all(|v| is_of_type(v, &default)) => {
                Some(number)
            }
            _ => None,
        }
    }

    /// Judges the field as a whole.
    pub(super) fn end(&mut self, limits: &HashMap<u32, Option<i128>>) {
        let (count, length) = (self.count, self.length);
        let is_collection = matches!(
            self.shape,
            FieldShape::Repeated(_) | FieldShape::Packed(_) | FieldShape::Map(..)
        );
        // A field that is not on the wire has its default, which must be accepted too.
        let default = self.default();
        let numbers: Vec<i128> = match self.numbers.is_empty() {
            true => self.number_of_default().into_iter().collect(),
            false => std::mem::take(&mut self.numbers),
        };
        let is_member = !self.field.oneof.is_empty();
        let field = self.field;
        for (meaning, refused) in field.meanings.iter().zip(&mut self.refused) {
            let mut reasons = Vec::new();
            if meaning.ignored {
                let reason = "has a value, but the destination ignores the field".to_owned();
                reasons.extend((count > 0).then_some(reason));
            } else if meaning.discarded {
                if count > 0 {
                    let reason = "has a value, but the destination drops it on purpose";
                    self.inside.dropped =
                        both(self.inside.dropped.take(), Some(Error::precondition(reason)));
                }
            } else {
                if meaning.required && count == 0 && !is_collection && !is_member {
                    *refused = both(refused.take(), Some(missing()));
                    continue;
                }
                let values = meaning.values.as_ref();
                let default = default.as_ref();
                reasons.extend(
                    values.zip(default).and_then(|(v, found)| refusal_of_default(v, found)),
                );
                reasons.extend(counts(meaning, is_collection, count, length));
                reasons.extend(beyond(meaning, &numbers, limits));
            }
            for reason in reasons {
                *refused = both(refused.take(), Some(Error::precondition(reason)));
            }
        }
    }
}

pub(super) fn missing() -> Error {
    Error::precondition("is missing, but the destination requires it")
}

/// Returns the reason why the number of elements, or the length of text, is refused.
fn counts(meaning: &Meaning, is_collection: bool, count: usize, length: usize) -> Option<String> {
    let (found, unit) = if is_collection { (count, "element") } else { (length, "byte") };
    let (found, s) = (found as u64, plural(found));
    match (meaning.length, meaning.max) {
        (Some(wanted), _) if is_collection && wanted != found => {
            Some(format!("has {found} element{s}, but the destination takes {wanted}"))
        }
        (_, Some(max)) if found > max => {
            Some(format!("has {found} {unit}{s}, but the destination takes at most {max}"))
        }
        _ => None,
    }
}

/// Returns the reason why a number is refused because of the other fields.
fn beyond(
    meaning: &Meaning,
    numbers: &[i128],
    limits: &HashMap<u32, Option<i128>>,
) -> Option<String> {
    meaning.limits.iter().find_map(|limit| {
        let most = limits.get(&limit.field).copied().flatten()?;
        let is_beyond =
            |number: &&i128| if limit.included { **number > most } else { **number >= most };
        let number = numbers.iter().find(is_beyond)?;
        let relation = if limit.included { "at most" } else { "below" };
        Some(format!(
            "is {number}, but the destination takes {relation} {most} beside the other fields"
        ))
    })
}

/// Returns the reason why a value is refused.
pub(super) fn refusal(values: &Values, found: &Found<'_>) -> Option<String> {
    let is_taken = match found {
        Found::Int(number) => {
            let least = values.least.parse::<i128>();
            let most = values.most.parse::<i128>();
            !(values.not_zero && *number == 0)
                && least.map_or(true, |least| *number >= least)
                && most.map_or(true, |most| *number <= most)
        }
        Found::Float(number) => {
            let least = values.least.parse::<f64>();
            let most = values.most.parse::<f64>();
            let is_least = least.map_or(true, |least| *number >= least);
            let is_most = most.map_or(true, |most| match values.most_excluded {
                true => *number < most,
                false => *number <= most,
            });
            is_least && is_most
        }
        Found::Bytes(bytes) => has_form(values, bytes),
        Found::Payload(_) => values.form.is_empty(),
        Found::Message => true,
    };
    (!is_taken).then(|| format!("is {found}, but the destination takes {}", values_text(values)))
}

/// Returns the reason why the default of a field is refused that is neither on the wire nor
/// required.
fn refusal_of_default(values: &Values, default: &Found<'_>) -> Option<String> {
    if is_of_type(values, default) { refusal(values, default) } else { None }
}

/// Returns whether this default is a value of the destination's type. If it is not and the field is
/// not required, the destination has an `Option` of the type, and absence is `None`.
fn is_of_type(values: &Values, default: &Found<'_>) -> bool {
    match default {
        Found::Int(number) => !values.not_zero || *number != 0,
        Found::Bytes(bytes) => has_form(values, bytes),
        Found::Float(_) | Found::Message | Found::Payload(_) => true,
    }
}

/// Returns whether text or bytes have the length and the form that the destination's type accepts.
fn has_form(values: &Values, bytes: &[u8]) -> bool {
    values.bytes.is_none_or(|length| bytes.len() as u64 == length)
        && is_in_form(&values.form, bytes)
}
