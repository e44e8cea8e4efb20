//! Compares the meanings of one field in two builds: the accepted values, and what they stand for.

use std::collections::BTreeSet;
use std::fmt;

use super::effect::{Effect, SideNames};
use super::value::shown;
use crate::error::plural;
use crate::wire::v1::manifest::{Field, Limit, Meaning, Values};

/// A difference between two meanings: its effect, its text, and whether a preflight decides by the
/// values at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) effect: Effect,
    pub(super) reason: String,
    /// Whether the destination refuses some values and accepts the others with their meaning.
    pub(super) by_value: bool,
}

/// Compares the meanings of a field on two sides. A side without meanings was built before they
/// were recorded, and is equal to all. If the states of one side differ, each is compared with the
/// most similar state of the other side.
pub(super) fn compare_meanings(sides: SideNames, from: &Field, to: &Field) -> Vec<Change> {
    let mut found: Vec<Change> = Vec::new();
    if to.meanings.is_empty() {
        return found;
    }
    for source in from.meanings.iter().filter(|meaning| !to.meanings.contains(meaning)) {
        let changes = to.meanings.iter().map(|destination| {
            let mut comparison = MeaningComparison { sides, changes: Vec::new() };
            comparison.meanings((from, source), (to, destination));
            comparison.changes
        });
        let nearest = changes.min_by_key(|changes| {
            let worst = changes.iter().map(|change| change.effect).max();
            (worst, changes.len())
        });
        for change in nearest.unwrap_or_default() {
            if !found.contains(&change) {
                found.push(change);
            }
        }
    }
    found
}

/// Compares the values that a field gets in payloads from before it was added. `None` if they are
/// the same, or if a side does not state its own.
pub(super) fn compare_defaults(sides: SideNames, from: &Field, to: &Field) -> Option<String> {
    let defaults = |field: &Field| {
        let defaults = field.meanings.iter().map(OlderValue::of);
        defaults.collect::<Option<BTreeSet<OlderValue>>>().filter(|all| !all.is_empty())
    };
    let (source, destination) = (defaults(from)?, defaults(to)?);
    if source == destination {
        return None;
    }
    let text = |field: &Field, defaults: BTreeSet<OlderValue>| {
        let texts = defaults.iter().map(|default| default_text(field, Some(default)));
        texts.collect::<Vec<_>>().join(" or ")
    };
    let [at_source, at_destination] = sides.at;
    Some(format!(
        "is then {} {at_source} and {} {at_destination}",
        text(from, source),
        text(to, destination)
    ))
}

struct MeaningComparison {
    sides: SideNames,
    changes: Vec<Change>,
}

impl MeaningComparison {
    fn add(&mut self, effect: Effect, by_value: bool, what: &str, [from, to]: [String; 2]) {
        let [at_source, at_destination] = self.sides.at;
        let difference = format!("{what}{from} {at_source} and {to} {at_destination}");
        self.changes.push(Change { effect, reason: difference, by_value });
    }

    /// Adds the difference of two properties, if they differ and one direction may fail.
    fn differs<T: PartialEq>(
        &mut self,
        effect: Effect,
        by_value: bool,
        what: &str,
        [from, to]: [&T; 2],
        words: impl Fn(&T) -> String,
    ) {
        if from != to {
            self.add(effect, by_value, what, [words(from), words(to)]);
        }
    }

    fn meanings(
        &mut self,
        (from_field, from): (&Field, &Meaning),
        (to_field, to): (&Field, &Meaning),
    ) {
        let both = [use_of(from), use_of(to)];
        if from.ignored || from.discarded || to.ignored || to.discarded {
            if both[0] != both[1] {
                // A source that does not map the field saves no value of it.
                let is_lost = !from.ignored && !from.discarded && to.ignored;
                let effect = if is_lost { Effect::Breaking } else { Effect::Tolerable };
                self.add(effect, true, "is ", both.map(str::to_owned));
            }
            return;
        }
        self.differs(Effect::Breaking, false, "means ", [&from.form, &to.form], |form| match form
            .as_str()
        {
            "" => "the value itself".to_owned(),
            form => form.to_owned(),
        });
        self.differs(Effect::Tolerable, true, "is ", [&from.set, &to.set], |set| {
            (if *set { "a set" } else { "a list" }).to_owned()
        });
        let lengths = [&from.length, &to.length];
        let never = matches!(lengths, [Some(from), Some(to)] if from != to);
        let effect = if never { Effect::Breaking } else { Effect::Tolerable };
        self.differs(effect, !never, "has ", lengths, |length| match length {
            Some(length) => format!("{length} element{}", plural(*length)),
            None => "any number of elements".to_owned(),
        });
        let unit = if is_counted(from_field) { "element" } else { "byte" };
        self.differs(Effect::Tolerable, true, "has ", [&from.max, &to.max], |max| match max {
            Some(max) => format!("at most {max} {unit}{}", plural(*max)),
            None => format!("any number of {unit}s"),
        });
        self.values("holds ", [&from.values, &to.values]);
        self.values("has keys of ", [&from.keys, &to.keys]);
        self.differs(Effect::Tolerable, true, "is ", [&from.required, &to.required], |required| {
            (if *required { "required" } else { "optional" }).to_owned()
        });
        self.differs(Effect::Tolerable, true, "is in ", [&from.range, &to.range], |range| {
            match range.as_str() {
                "" => "any range".to_owned(),
                range => range.to_owned(),
            }
        });
        if from_field.since != 0 && to_field.since != 0 {
            let defaults = [from, to].map(OlderValue::of);
            let what = "is read from older payloads as ";
            self.differs(Effect::Tolerable, false, what, defaults.each_ref(), |default| {
                default_text(to_field, default.as_ref())
            });
        }
        self.differs(Effect::Tolerable, true, "must be ", [&from.limits, &to.limits], |limits| {
            let limits: Vec<String> = limits.iter().map(limit_text).collect();
            match limits.is_empty() {
                true => "below nothing".to_owned(),
                false => limits.join(" and "),
            }
        });
        self.differs(Effect::Renamed, false, "is ", [&from.secret, &to.secret], |secret| {
            (if *secret { "a secret" } else { "no secret" }).to_owned()
        });
        let both = [&from.may_stay_behind, &to.may_stay_behind];
        self.differs(Effect::Renamed, false, "", both, |may_stay_behind| {
            (if *may_stay_behind { "may stay behind" } else { "never stays behind" }).to_owned()
        });
    }

    fn values(&mut self, what: &str, both: [&Option<Values>; 2]) {
        let [from, to] = both.map(|values| values.clone().unwrap_or_default());
        let never = matches!((from.bytes, to.bytes), (Some(from), Some(to)) if from != to);
        let effect = if never { Effect::Breaking } else { Effect::Tolerable };
        self.differs(effect, !never, what, [&from, &to], values_text);
    }
}

/// Returns whether the length of a field is counted in elements.
fn is_counted(field: &Field) -> bool {
    field.kind.starts_with("repeated ") || field.kind.starts_with("map<")
}

fn use_of(meaning: &Meaning) -> &'static str {
    match meaning {
        Meaning { ignored: true, .. } => "ignored",
        Meaning { discarded: true, .. } => "discarded",
        _ => "mapped",
    }
}

impl fmt::Display for Meaning {
    /// Writes the meaning of the field in parts: `form milliseconds; 1 to 8; required`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec![use_of(self).to_owned()];
        if !self.form.is_empty() {
            parts.push(format!("form {}", self.form));
        }
        let values = |values: &Option<Values>, what: &str| {
            values.as_ref().map(|values| format!("{what}{}", values_text(values)))
        };
        parts.extend(values(&self.keys, "keys "));
        parts.extend(values(&self.values, ""));
        parts.extend((!self.range.is_empty()).then(|| format!("range {}", self.range)));
        parts.extend(self.set.then(|| "a set".to_owned()));
        parts.extend(self.length.map(|length| format!("{length} element{}", plural(length))));
        parts.extend(self.max.map(|max| format!("max {max}")));
        parts.extend(self.limits.iter().map(limit_text));
        parts.extend(self.required.then(|| "required".to_owned()));
        parts.extend(self.default_bytes.as_ref().map(|default| match default.is_empty() {
            true => "default absent".to_owned(),
            false => format!("default {}", Hex(default)),
        }));
        parts.extend(self.default_none.then(|| "default none".to_owned()));
        parts.extend(self.secret.then(|| "secret".to_owned()));
        parts.extend(self.may_stay_behind.then(|| "may stay behind".to_owned()));
        if let [_, _, ..] = &*parts
            && !self.ignored
            && !self.discarded
        {
            parts.remove(0);
        }
        f.write_str(&parts.join("; "))
    }
}

fn limit_text(limit: &Limit) -> String {
    let relation = if limit.included { "at most" } else { "below" };
    format!("{relation} field {}", limit.field)
}

/// Returns the text for the values that a build accepts.
pub(super) fn values_text(values: &Values) -> String {
    let mut parts = Vec::new();
    match (values.form.as_str(), values.bytes) {
        ("", None) => {}
        ("", Some(bytes)) => parts.push(format!("{bytes} byte{}", plural(bytes))),
        (form, _) => parts.push(form.to_owned()),
    }
    let relation = if values.most_excluded { "below" } else { "at most" };
    match (values.least.as_str(), values.most.as_str()) {
        ("", "") => {}
        (least, "") => parts.push(format!("at least {least}")),
        ("", most) => parts.push(format!("{relation} {most}")),
        (least, most) if !values.most_excluded => parts.push(format!("{least} to {most}")),
        (least, most) => parts.push(format!("{least} to below {most}")),
    }
    if values.not_zero {
        parts.push("not 0".to_owned());
    }
    match parts.is_empty() {
        true => "any value".to_owned(),
        false => parts.join(", "),
    }
}

/// What a field is read as from payloads from before it was added.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum OlderValue {
    /// No value, as opposed to every value of the field.
    None,
    /// The value with these bytes.
    Bytes(Vec<u8>),
}

impl OlderValue {
    /// `None` if the meaning does not state it.
    fn of(meaning: &Meaning) -> Option<Self> {
        match meaning.default_none {
            true => Some(Self::None),
            false => meaning.default_bytes.clone().map(Self::Bytes),
        }
    }
}

/// Returns the text for a default: its number or text if it is one, otherwise its bytes.
fn default_text(field: &Field, default: Option<&OlderValue>) -> String {
    match default {
        None => "a value that cannot be stated".to_owned(),
        Some(OlderValue::None) => "no value".to_owned(),
        Some(OlderValue::Bytes(bytes)) if bytes.is_empty() => "absent".to_owned(),
        Some(OlderValue::Bytes(bytes)) => {
            shown(field, bytes).unwrap_or_else(|| format!("bytes {}", Hex(bytes)))
        }
    }
}

/// Bytes in hexadecimal.
pub(super) struct Hex<'b>(pub(super) &'b [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
