//! The form of a Rust type for a proto field: the values that the type accepts, and their meaning.
//! These are constants of the types; a manifest states them.

/// The values of a kind that a type accepts.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct ValueForm {
    /// The name of the form of text or bytes; empty if every value of the kind is accepted.
    pub(crate) name: &'static str,
    /// The lowest and the highest number.
    pub(crate) range: Option<(i128, i128)>,
    /// Whether 0 is refused.
    pub(crate) not_zero: bool,
    /// The number of bytes.
    pub(crate) bytes: Option<usize>,
    /// The values of an enum that were added later, each with the first version that has it.
    pub(crate) since: &'static [(i32, u32)],
    /// The meaning of a value beyond its kind; empty if the value stands for itself.
    pub(crate) meaning: &'static str,
    /// The type whose name, without paths, is the name of the form.
    pub(crate) type_name: Option<fn() -> &'static str>,
}

impl ValueForm {
    /// Accepts every value of the kind.
    pub const OWN: Self = Self {
        name: "",
        range: None,
        not_zero: false,
        bytes: None,
        since: &[],
        meaning: "",
        type_name: None,
    };

    /// Accepts text or bytes in a form with this name.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { name, ..Self::OWN }
    }

    /// Accepts numbers from `least` to `most`.
    pub(crate) const fn integer(least: i128, most: i128) -> Self {
        Self { range: Some((least, most)), ..Self::OWN }
    }

    /// Accepts the same values without 0.
    pub(crate) const fn but_zero(self) -> Self {
        Self { not_zero: true, ..self }
    }

    /// Accepts exactly this many bytes.
    pub(crate) const fn of_bytes(bytes: usize) -> Self {
        Self { bytes: Some(bytes), ..Self::OWN }
    }

    /// The same values, which mean this.
    pub(crate) const fn meaning(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }

    /// Text in the form that a type is known by.
    pub(crate) const fn of_type<T>() -> Self {
        Self { type_name: Some(std::any::type_name::<T>), ..Self::OWN }
    }

    /// Accepts an enum, some of whose values were added later.
    pub const fn enumeration(since: &'static [(i32, u32)]) -> Self {
        Self { since, ..Self::OWN }
    }
}

/// The form of a type for a whole field.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct FieldForm {
    /// The accepted values; for a collection, those of its elements; for a map, those of its
    /// values.
    pub(crate) value: ValueForm,
    pub(crate) collection: Collection,
    pub(crate) required: Required,
    /// The path of the adapter's `from_wire`.
    pub(crate) adapter: Option<fn() -> &'static str>,
    /// The members of a oneof.
    pub(crate) members: &'static [MemberForm],
}

/// The number of values of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Collection {
    One,
    List,
    Set,
    Array(usize),
    /// A map, with its keys.
    Map(ValueForm),
}

/// Whether a field must be present.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Required {
    No,
    Yes,
    /// Required if the function returns that the type has no default.
    If(fn() -> bool),
}

impl FieldForm {
    /// One value, which may be absent.
    pub(crate) const fn optional(value: ValueForm) -> Self {
        Self {
            value,
            collection: Collection::One,
            required: Required::No,
            adapter: None,
            members: &[],
        }
    }

    /// One value, which must be present.
    pub(crate) const fn required(value: ValueForm) -> Self {
        Self { required: Required::Yes, ..Self::optional(value) }
    }

    /// One value, which must be present if the function returns `true`.
    pub(crate) const fn required_if(value: ValueForm, required: fn() -> bool) -> Self {
        Self { required: Required::If(required), ..Self::optional(value) }
    }

    /// Several values.
    pub(crate) const fn several(value: ValueForm, collection: Collection) -> Self {
        Self { collection, ..Self::optional(value) }
    }

    /// A oneof with these members.
    pub(crate) const fn oneof(members: &'static [MemberForm], is_required: bool) -> Self {
        let required = if is_required { Required::Yes } else { Required::No };
        Self { members, required, ..Self::optional(ValueForm::OWN) }
    }

    /// Returns this form for a field whose values an adapter converts.
    pub(crate) const fn adapted(self, adapter: fn() -> &'static str) -> Self {
        Self { adapter: Some(adapter), ..self }
    }
}

/// The form of an enum's variant for one member of a oneof.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct MemberForm {
    pub(crate) number: u32,
    pub(crate) value: ValueForm,
    /// The version that added it; 0 if every version has it.
    pub(crate) since: u32,
    pub(crate) is_ignored: bool,
}

impl MemberForm {
    /// Creates the form of a mapped member.
    pub(crate) const fn mapped(number: u32, value: ValueForm) -> Self {
        Self { number, value, since: 0, is_ignored: false }
    }

    /// Creates the form of a member that must be absent.
    pub const fn ignored(number: u32) -> Self {
        Self { is_ignored: true, ..Self::mapped(number, ValueForm::OWN) }
    }

    /// Returns the same member, added in this version.
    pub const fn since(self, version: u32) -> Self {
        Self { since: version, ..self }
    }
}

/// A `range` as written in the attribute.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct RangeNote {
    /// The range in the words of the source code.
    pub(crate) text: &'static str,
    pub(crate) least: Option<Number>,
    pub(crate) most: Option<Number>,
    /// Whether a value must be less than `most`.
    pub(crate) most_excluded: bool,
    /// Whether the ends are numbers, so that they describe the whole range.
    pub(crate) is_numeric: bool,
    /// The ends as an adapter makes them, if the field has one.
    pub(crate) adapted: Option<[AdaptedEnd; 2]>,
}

/// The end of a range as an adapter makes it.
#[derive(Clone, Debug)]
pub(crate) enum AdaptedEnd {
    Unbounded,
    /// The field with this value, as it is on the wire, and whether the value is excluded.
    Bytes(Vec<u8>, bool),
    /// The adapter cannot convert it.
    Unknown,
}

impl AdaptedEnd {
    pub(crate) fn of(bytes: Option<Vec<u8>>, is_excluded: bool) -> Self {
        bytes.map_or(Self::Unknown, |bytes| Self::Bytes(bytes, is_excluded))
    }
}

/// The end of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}
