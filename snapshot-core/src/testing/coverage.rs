//! Counts the values that each field had: a field with one value was not tested.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, plural};
use crate::schema::ValueKind;

use super::places::{FieldKey, Places, is_default};
use super::report::{Law, Report};
use super::shape::{FieldInfo, FieldValue, Presence};
use super::tree::{TreeMessage, Value};

/// The values that were seen in every field.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    fields: HashMap<FieldKey, SeenValues>,
    /// The places of the messages in the samples.
    places: HashSet<usize>,
}

/// A field that was not seen with two values.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) place: usize,
    path: String,
    text: String,
}

#[derive(Debug, Default)]
struct SeenValues {
    /// At most two different values, as bytes.
    values: Vec<Vec<u8>>,
    /// Whether a sample has a message in it.
    holds_message: bool,
    refused: usize,
    refusal: Option<String>,
}

impl Coverage {
    /// Records the fields of a sample, which all come back.
    pub(super) fn sample(&mut self, message: &TreeMessage) {
        self.places.insert(message.place);
        for info in message.shape.fields() {
            let values = message.values(info.number);
            self.restored(message.place, &info, &values);
            // Only messages in samples are edited in turn, not messages that an edit adds.
            if values.iter().any(|value| matches!(value, Value::Message(_))) {
                self.fields.entry((message.place, info.number)).or_default().holds_message = true;
            }
        }
        for field in &message.fields {
            if let Value::Message(message) = &field.value {
                self.sample(message);
            }
        }
    }

    /// Records that the field came back with these values.
    pub(super) fn restored(&mut self, place: usize, info: &FieldInfo, values: &[Value]) {
        let seen = self.fields.entry((place, info.number)).or_default();
        // Two values are enough.
        if seen.values.len() < 2 {
            let is_absent =
                |value: &Value| info.presence == Presence::Implicit && is_default(value);
            let mut bytes = Vec::new();
            for value in values.iter().filter(|value| !is_absent(value)) {
                bytes.extend(value.bytes());
            }
            // An empty text with presence counts as a value.
            if info.presence != Presence::Implicit {
                bytes.push(values.len().min(255) as u8);
            }
            if !seen.values.contains(&bytes) {
                seen.values.push(bytes);
            }
        }
    }

    /// Whether a sample has a message in the field.
    pub(super) fn has_message(&self, place: usize, number: u32) -> bool {
        self.fields.get(&(place, number)).is_some_and(|seen| seen.holds_message)
    }

    /// Records that the field was refused with another value.
    pub(super) fn refused(&mut self, place: usize, info: &FieldInfo, error: &Error) {
        let seen = self.fields.entry((place, info.number)).or_default();
        seen.refused += 1;
        seen.refusal.get_or_insert_with(|| error.first().to_string());
    }

    /// Reports the fields with fewer than two values, except those in `fixed`, and the paths in `fixed`
    /// and `normalized` that name no field.
    pub(super) fn report(
        &self,
        places: &Places,
        fixed: &[String],
        normalized: &[String],
        report: &mut Report,
    ) {
        let mut named = HashSet::new();
        for (place, shape) in places.shapes() {
            if !self.places.contains(&place) {
                continue;
            }
            for info in shape.fields() {
                let names = places.names(place, info.name);
                for given in fixed.iter().chain(normalized) {
                    if names.iter().any(|name| is_in(name, std::slice::from_ref(given))) {
                        named.insert(given);
                    }
                }
            }
        }
        for missing in self.missing_fields(places, fixed) {
            report.add(Law::Coverage, &missing.path, None, missing.text);
        }
        for given in fixed.iter().chain(normalized).filter(|given| !named.contains(given)) {
            report.add(
                Law::Exemption,
                given,
                None,
                "is not a field that the samples reach".to_owned(),
            );
        }
    }

    /// The fields in the samples with fewer than two values, except those in `fixed`.
    pub(super) fn missing_fields(&self, places: &Places, fixed: &[String]) -> Vec<Missing> {
        let mut missing = Vec::new();
        for (place, shape) in places.shapes() {
            if !self.places.contains(&place) {
                continue;
            }
            for info in shape.fields() {
                let names = places.names(place, info.name);
                let is_fixed = names.iter().any(|name| is_in(name, fixed));
                if is_fixed || places.is_ignored(place, info.number) {
                    continue;
                }
                if let Some(text) = self.missing(place, &info, shape.is_any()) {
                    let [path, _] = names;
                    missing.push(Missing { place, path, text });
                }
            }
        }
        missing
    }

    fn missing(&self, place: usize, info: &FieldInfo, is_any: bool) -> Option<String> {
        let nothing = SeenValues::default();
        let seen = self.fields.get(&(place, info.number)).unwrap_or(&nothing);
        // The payload determines the type URL of its `Any`, and the derive determines the version.
        if is_any && info.number == 1 && self.has_message(place, 2) || is_version(info) {
            return None;
        }
        if info.shape().is_some() || seen.holds_message {
            return (!seen.holds_message).then(|| {
                let refusal = match &seen.refusal {
                    Some(refusal) => format!(" (an empty one is refused: {refusal})"),
                    None => String::new(),
                };
                format!("no sample has it{refusal}: add a sample with it")
            });
        }
        if seen.values.len() > 1 {
            return None;
        }
        let mut text = match seen.values.first() {
            None => "no value of it came back".to_owned(),
            Some(_) => "only one value of it came back".to_owned(),
        };
        if let Some(refusal) = &seen.refusal {
            let (refused, s) = (seen.refused, plural(seen.refused));
            text += &format!("; {refused} other value{s} refused, the first with: {refusal}");
        }
        Some(text)
    }
}

/// The version, which the derive writes and checks.
pub(super) fn is_version(info: &FieldInfo) -> bool {
    info.name == "schema_version" && matches!(info.value, FieldValue::Kind(ValueKind::Uint32))
}

/// Whether a path is one of those given, or below it.
pub(super) fn is_in(path: &str, given: &[String]) -> bool {
    given.iter().any(|given| {
        path.strip_prefix(given.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
