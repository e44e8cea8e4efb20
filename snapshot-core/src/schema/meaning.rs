//! Creates the meanings that a manifest states, from the forms of Rust types and the attributes of
//! fields.

use super::form::{AdaptedEnd, Collection, FieldForm, Number, RangeNote, Required, ValueForm};
use super::{Field, FieldShape, MessageDescriptor, Numbered, ValueKind, short_type_name};
use crate::wire::v1::manifest::{Limit, Meaning, Values};

/// The meanings that one state struct gives to the fields of its message. The derive writes it as a
/// constant.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct StateMeanings {
    /// The fields that the struct maps, in the order of the struct.
    pub mapped: &'static [Numbered],
    /// The notes from attributes. Fields without such attributes are omitted.
    pub notes: &'static [FieldMeaning],
    /// The fields that must be absent.
    pub ignored: &'static [u32],
    /// The fields whose values are dropped.
    pub discarded: &'static [u32],
}

impl StateMeanings {
    /// No meanings.
    pub const NONE: Self = Self { mapped: &[], notes: &[], ignored: &[], discarded: &[] };

    /// Calls `take` with the meaning of each field of the message, by its number, and with the
    /// versions in its form. `forms` are those of the mapped fields, in their order; `None` for a
    /// type that only the code of a generic state knows.
    pub(super) fn each(
        &self,
        message: &MessageDescriptor,
        forms: &[Option<&FieldForm>],
        take: &mut dyn FnMut(u32, Meaning, Versions),
    ) {
        let shape_of = |number: u32| {
            let field = message.fields.iter().find(|field| field.number == number);
            field.map_or(FieldShape::Opaque, |field| field.shape)
        };
        for (Numbered { number, .. }, form) in self.mapped.iter().zip(forms) {
            let found = self.notes.iter().find(|notes| notes.number == *number);
            let notes = found.map_or(MeaningNotes::NONE, |found| found.notes);
            let shape = shape_of(*number);
            if let (FieldShape::Oneof(oneof), Some(form)) = (shape, form) {
                let is_required = matches!(form.required, Required::Yes);
                for descriptor in oneof().members {
                    let known = form.members.iter().find(|m| m.number == descriptor.number);
                    let Some(known) = known else { continue };
                    let mut meaning = member(known.value, descriptor.shape, is_required);
                    if known.is_ignored {
                        meaning = Meaning { ignored: true, ..Meaning::default() };
                    }
                    meaning.secret = notes.is_secret;
                    meaning.may_stay_behind = notes.may_stay_behind;
                    let versions = Versions { since: known.since, values: known.value.since };
                    take(descriptor.number, meaning, versions);
                }
                continue;
            }
            let values = form.map_or(&[][..], |form| form.value.since);
            take(*number, mapped_meaning(*form, &notes, shape), Versions { since: 0, values });
        }
        for (numbers, is_ignored) in [(self.ignored, true), (self.discarded, false)] {
            for number in numbers {
                let meaning =
                    Meaning { ignored: is_ignored, discarded: !is_ignored, ..Meaning::default() };
                let versions = Versions { since: 0, values: &[] };
                match shape_of(*number) {
                    FieldShape::Oneof(oneof) => {
                        for member in oneof().members {
                            take(member.number, meaning.clone(), versions);
                        }
                    }
                    _ => take(*number, meaning, versions),
                }
            }
        }
    }
}

/// The versions in the form of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Versions {
    /// The version that added a member of a oneof; 0 if every version has it.
    pub(super) since: u32,
    /// The values of an enum that were added later.
    pub(super) values: &'static [(i32, u32)],
}

/// The notes on the meaning of one field, from its attributes.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct FieldMeaning {
    number: u32,
    notes: MeaningNotes,
}

impl FieldMeaning {
    /// Creates empty notes on a field.
    pub const fn of<F>(field: &Field<F>) -> Self {
        Self { number: field.number(), notes: MeaningNotes::NONE }
    }

    /// Names the form of the field.
    pub const fn form(mut self, form: &'static str) -> Self {
        self.notes.form = Some(form);
        self
    }

    /// Notes the maximum length.
    pub const fn max(mut self, max: fn() -> usize) -> Self {
        self.notes.max = Some(max);
        self
    }

    /// Notes the range.
    pub const fn range(mut self, range: fn() -> RangeNote) -> Self {
        self.notes.range = Some(range);
        self
    }

    /// Notes the value in older payloads.
    pub const fn default(mut self, default: fn() -> DefaultNote) -> Self {
        self.notes.default = Some(default);
        self
    }

    /// Notes the numbers of the fields that limit this one, and whether each limit is included.
    pub const fn limits(mut self, limits: &'static [(u32, bool)]) -> Self {
        self.notes.limits = limits;
        self
    }

    /// Notes that the value is a secret.
    pub const fn secret(mut self) -> Self {
        self.notes.is_secret = true;
        self
    }

    /// Notes that the value may stay behind.
    pub const fn may_stay_behind(mut self) -> Self {
        self.notes.may_stay_behind = true;
        self
    }
}

/// The notes on the meaning of a field, without its number.
#[derive(Clone, Copy, Debug)]
struct MeaningNotes {
    form: Option<&'static str>,
    max: Option<fn() -> usize>,
    range: Option<fn() -> RangeNote>,
    default: Option<fn() -> DefaultNote>,
    /// The numbers of the fields that limit this one, and whether the limit is included.
    limits: &'static [(u32, bool)],
    is_secret: bool,
    may_stay_behind: bool,
}

impl MeaningNotes {
    const NONE: Self = Self {
        form: None,
        max: None,
        range: None,
        default: None,
        limits: &[],
        is_secret: false,
        may_stay_behind: false,
    };
}

/// The value that a field has in payloads from before it was added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum DefaultNote {
    /// The value with these bytes.
    Bytes(Vec<u8>),
    /// No value, as opposed to every value of the field.
    NoValue,
    /// A value that contains a controller, or cannot be saved.
    Unstated,
}

/// The meaning of a field that a state maps.
fn mapped_meaning(form: Option<&FieldForm>, notes: &MeaningNotes, shape: FieldShape) -> Meaning {
    let mut meaning = Meaning { secret: notes.is_secret, ..Meaning::default() };
    let adapter = form.and_then(|form| form.adapter).map(|path| form_of_adapter(path()));
    meaning.form = match (notes.form, &adapter) {
        (Some(form), _) => form.to_owned(),
        (None, Some(form)) => form.clone(),
        (None, None) => form.map_or("", |form| form.value.meaning).to_owned(),
    };
    if let Some(form) = form {
        let kinds = kinds_of(shape);
        meaning.values = kinds.map(|(_, value)| values_of(form.value, value)).and_then(some);
        meaning.required = match form.required {
            Required::No => false,
            Required::Yes => true,
            Required::If(is_required) => is_required(),
        };
        match form.collection {
            Collection::One | Collection::List => {}
            Collection::Set => meaning.set = true,
            Collection::Array(length) => meaning.length = Some(length as u64),
            Collection::Map(keys) => {
                let key = kinds.and_then(|(key, _)| key);
                meaning.keys = key.map(|key| values_of(keys, key)).and_then(some);
            }
        }
    }
    // With an adapter, the bounds are those of the Rust value, and nothing on the wire shows them.
    match (notes.max.map(|max| max() as u64), &adapter) {
        (max, None) => meaning.max = max,
        (Some(max), Some(_)) => meaning.range = format!("max {max}"),
        (None, Some(_)) => {}
    }
    if let Some(range) = notes.range.map(|range| range()) {
        // The range is that of the Rust value, which an adapter converts to something else.
        let on_wire = match form.and_then(|form| form.adapter) {
            None => Some(range.clone()).filter(|range| range.is_numeric),
            Some(path) if is_exact(path()) => on_wire(&range, shape),
            Some(_) => None,
        };
        match (on_wire, shape) {
            (Some(range), FieldShape::Singular(_) | FieldShape::Optional(_)) => {
                narrow(&mut meaning, &range, shape);
            }
            _ => meaning.range = range.text.to_owned(),
        }
    }
    meaning.may_stay_behind = notes.may_stay_behind;
    match notes.default.map(|default| default()) {
        Some(DefaultNote::Bytes(bytes)) => meaning.default_bytes = Some(bytes),
        Some(DefaultNote::NoValue) => meaning.default_none = true,
        Some(DefaultNote::Unstated) | None => {}
    }
    meaning.limits =
        notes.limits.iter().map(|&(field, included)| Limit { field, included }).collect();
    meaning
}

/// The meaning of a member of a oneof.
fn member(value: ValueForm, shape: FieldShape, is_required: bool) -> Meaning {
    let kinds = kinds_of(shape);
    Meaning {
        form: value.meaning.to_owned(),
        values: kinds.map(|(_, kind)| values_of(value, kind)).and_then(some),
        required: is_required,
        ..Meaning::default()
    }
}

/// Returns the kind of the keys and that of the values.
fn kinds_of(shape: FieldShape) -> Option<(Option<ValueKind>, ValueKind)> {
    match shape {
        FieldShape::Singular(kind)
        | FieldShape::Optional(kind)
        | FieldShape::Repeated(kind)
        | FieldShape::Packed(kind) => Some((None, kind)),
        FieldShape::Map(key, value) => Some((Some(key), value)),
        FieldShape::Oneof(_) | FieldShape::Opaque => None,
    }
}

/// Returns the values of a kind that a type accepts. Limits that the kind itself has are omitted.
fn values_of(form: ValueForm, kind: ValueKind) -> Values {
    let mut values = Values {
        form: form.type_name.map_or_else(|| form.name.to_owned(), |name| short_type_name(name())),
        not_zero: form.not_zero,
        bytes: form.bytes.map(|bytes| bytes as u64),
        ..Values::default()
    };
    if let Some((least, most)) = form.range {
        let (kind_least, kind_most) = range_of(kind).unwrap_or((i128::MIN, i128::MAX));
        if least > kind_least {
            values.least = least.to_string();
        }
        if most < kind_most {
            values.most = most.to_string();
        }
    }
    values
}

/// Narrows the values of a meaning to a `range`.
fn narrow(meaning: &mut Meaning, range: &RangeNote, shape: FieldShape) {
    let mut values = meaning.values.take().unwrap_or_default();
    let kind = kinds_of(shape).and_then(|(_, kind)| range_of(kind));
    let (kind_least, kind_most) = kind.unwrap_or((i128::MIN, i128::MAX));
    match range.least {
        Some(Number::Int(least)) => {
            let known = values.least.parse().unwrap_or(kind_least);
            if least > known {
                values.least = least.to_string();
            }
        }
        Some(Number::Float(least)) => values.least = format!("{least:?}"),
        None => {}
    }
    match range.most {
        Some(Number::Int(most)) => {
            let known = values.most.parse().unwrap_or(kind_most);
            if most < known {
                values.most = most.to_string();
            }
        }
        Some(Number::Float(most)) => {
            values.most = format!("{most:?}");
            values.most_excluded = range.most_excluded;
        }
        None => {}
    }
    meaning.values = some(values);
}

/// Returns `None` if every value is accepted.
fn some(values: Values) -> Option<Values> {
    (values != Values::default()).then_some(values)
}

/// Returns the lowest and the highest integer of a kind.
fn range_of(kind: ValueKind) -> Option<(i128, i128)> {
    use ValueKind::*;
    match kind {
        Int32 | Sint32 | Sfixed32 => Some((i32::MIN.into(), i32::MAX.into())),
        Int64 | Sint64 | Sfixed64 => Some((i64::MIN.into(), i64::MAX.into())),
        Uint32 | Fixed32 => Some((0, u32::MAX.into())),
        Uint64 | Fixed64 => Some((0, u64::MAX.into())),
        Message(descriptor) => match descriptor().name {
            "Int32Value" => Some((i32::MIN.into(), i32::MAX.into())),
            "Int64Value" => Some((i64::MIN.into(), i64::MAX.into())),
            "UInt32Value" => Some((0, u32::MAX.into())),
            "UInt64Value" => Some((0, u64::MAX.into())),
            _ => None,
        },
        Bool | Double | Float | String | Bytes | Enum(_) => None,
    }
}

/// The shipped adapters that mean the same as another one, or that save a type as its own text,
/// each with the name of its form.
const SHIPPED: &[(&str, &str)] = &[
    ("time::seconds", "seconds"),
    ("time::seconds_rounded", "seconds"),
    ("time::millis", "milliseconds"),
    ("time::millis_rounded", "milliseconds"),
    ("remaining", "milliseconds that remain"),
    ("time::micros", "microseconds"),
    ("time::micros_rounded", "microseconds"),
    ("time::nanos", "nanoseconds"),
    ("time::unix_seconds", "seconds since 1970"),
    ("time::unix_seconds_rounded", "seconds since 1970"),
    ("json", "json"),
    ("json_text", "json"),
    // The text of the type itself. For a type that the codec knows, this is no form of its own.
    ("display", ""),
    ("lenient_text", ""),
];

/// The shipped adapters that refuse what they would round, and that keep the order of values.
const EXACT: &[&str] = &["seconds", "millis", "micros", "nanos", "unix_seconds"];

/// Whether the ends of a range on the wire are those of the values, by the path of the adapter.
fn is_exact(path: &str) -> bool {
    let path = path.split('<').next().unwrap_or(path);
    let time = path.strip_prefix("snapshot_core::codec::adapter::time::");
    let name = time.and_then(|path| path.strip_suffix("::from_wire"));
    name.is_some_and(|name| EXACT.contains(&name))
}

/// The range of the numbers on the wire; `None` if an end is no number there.
fn on_wire(range: &RangeNote, shape: FieldShape) -> Option<RangeNote> {
    let (FieldShape::Singular(kind) | FieldShape::Optional(kind)) = shape else { return None };
    let [least, most] = range.adapted.as_ref()?;
    let end = |end: &AdaptedEnd, step: i128| match end {
        AdaptedEnd::Unbounded => Some(None),
        AdaptedEnd::Unknown => None,
        AdaptedEnd::Bytes(bytes, is_excluded) => {
            let number = integer_of(bytes, kind)?;
            Some(Some(Number::Int(number + if *is_excluded { step } else { 0 })))
        }
    };
    let (least, most) = (end(least, 1)?, end(most, -1)?);
    Some(RangeNote { least, most, most_excluded: false, is_numeric: true, ..range.clone() })
}

/// The number in a field's bytes; the default of a field that is not there.
fn integer_of(bytes: &[u8], kind: ValueKind) -> Option<i128> {
    use prost::encoding::{WireType, decode_key, decode_varint};
    let mut bytes = bytes;
    if bytes.is_empty() {
        return Some(0);
    }
    let (_, WireType::Varint) = decode_key(&mut bytes).ok()? else { return None };
    let number = decode_varint(&mut bytes).ok()?;
    Some(match kind {
        ValueKind::Uint32 | ValueKind::Uint64 => number.into(),
        ValueKind::Int32 | ValueKind::Int64 => (number as i64).into(),
        ValueKind::Sint32 | ValueKind::Sint64 => {
            ((number >> 1) as i64 ^ -((number & 1) as i64)).into()
        }
        _ => return None,
    })
}

/// Returns the name of an adapter's form, from the path of its `from_wire`.
fn form_of_adapter(path: &str) -> String {
    let path = path.split('<').next().unwrap_or(path);
    let path = path.strip_suffix("::from_wire").unwrap_or(path);
    match path.strip_prefix("snapshot_core::codec::adapter::") {
        Some(shipped) => {
            let known = SHIPPED.iter().find(|(module, _)| *module == shipped);
            known.map_or(shipped, |(_, form)| form).to_owned()
        }
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_is_known_by_what_it_means_or_by_its_path() {
        for (path, form) in [
            (
                "snapshot_core::codec::adapter::time::millis::from_wire<core::time::Duration>",
                "milliseconds",
            ),
            ("snapshot_core::codec::adapter::time::millis_rounded::from_wire", "milliseconds"),
            ("snapshot_core::codec::adapter::display::from_wire<u8>", ""),
            ("shim::mac::from_wire", "shim::mac"),
            ("shim::text::from_wire<shim::Mac>", "shim::text"),
        ] {
            assert_eq!(form_of_adapter(path), form);
        }
    }

    #[test]
    fn every_shipped_adapter_has_a_form() {
        use crate::codec;
        let paths = [
            std::any::type_name_of_val(&codec::seconds::from_wire::<std::time::Duration>),
            std::any::type_name_of_val(&codec::micros_rounded::from_wire::<std::time::Duration>),
            std::any::type_name_of_val(&codec::unix_seconds::from_wire::<std::time::SystemTime>),
            std::any::type_name_of_val(&codec::remaining_millis::from_wire::<codec::Countdown>),
            std::any::type_name_of_val(&codec::lenient_text::from_wire::<u8>),
        ];
        for path in paths {
            let form = form_of_adapter(path);
            assert!(!form.contains("::"), "{path}");
        }
    }

    #[test]
    fn what_the_kind_does_not_have_is_not_said() {
        let u8s = values_of(ValueForm::integer(0, 255), ValueKind::Uint32);
        assert_eq!((u8s.least.as_str(), u8s.most.as_str()), ("", "255"));
        let i64s =
            values_of(ValueForm::integer(i64::MIN.into(), i64::MAX.into()), ValueKind::Uint32);
        assert_eq!(some(i64s), None);
        let u64s = values_of(ValueForm::integer(0, u64::MAX.into()), ValueKind::Sint64);
        assert_eq!((u64s.least.as_str(), u64s.most.as_str()), ("0", ""));
    }
}
