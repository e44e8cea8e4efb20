//! What a Rust type makes of the kind of a proto field: which values it takes, and in which form. The
//! constants of the types; a manifest states them.

/// The values of a kind that a type takes.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct ValueForm {
    /// The name of the form of text or bytes; empty if every value of the kind is taken.
    pub(crate) name: &'static str,
    /// The least and the greatest number.
    pub(crate) range: Option<(i128, i128)>,
    /// Whether 0 is refused.
    pub(crate) not_zero: bool,
    /// The number of bytes.
    pub(crate) bytes: Option<usize>,
    /// The values of an enum that were added later, each with the version that has it first.
    pub(crate) since: &'static [(i32, u32)],
    /// What a value means beyond its kind; empty if it stands for itself.
    pub(crate) meaning: &'static str,
    /// The type whose name, without paths, is the name of the form.
    pub(crate) type_name: Option<fn() -> &'static str>,
}

impl ValueForm {
    /// Every value of the kind.
    pub const OWN: Self = Self {
        name: "",
        range: None,
        not_zero: false,
        bytes: None,
        since: &[],
        meaning: "",
        type_name: None,
    };

    /// Text or bytes in a form with this name.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { name, ..Self::OWN }
    }

    /// Numbers from `least` to `most`.
    pub(crate) const fn integer(least: i128, most: i128) -> Self {
        Self { range: Some((least, most)), ..Self::OWN }
    }

    /// The same values without 0.
    pub(crate) const fn but_zero(self) -> Self {
        Self { not_zero: true, ..self }
    }

    /// Exactly this many bytes.
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

    /// An enum, some of whose values were added later.
    pub const fn enumeration(since: &'static [(i32, u32)]) -> Self {
        Self { since, ..Self::OWN }
    }
}

/// What a type makes of a whole field.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct FieldForm {
    /// The values; of a collection its elements, of a map its values.
    pub(crate) value: ValueForm,
    pub(crate) collection: Collection,
    pub(crate) required: Required,
    /// The path of the adapter's `from_wire`.
    pub(crate) adapter: Option<fn() -> &'static str>,
    /// The members of a oneof.
    pub(crate) members: &'static [MemberForm],
}

/// How many values a field has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Collection {
    One,
    List,
    Set,
    Array(usize),
    /// A map, with its keys.
    Map(ValueForm),
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Required {
    No,
    Yes,
    /// If the function says that the type has no default.
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

    /// One value, which must be there.
    pub(crate) const fn required(value: ValueForm) -> Self {
        Self { required: Required::Yes, ..Self::optional(value) }
    }

    /// One value, which must be there if the function says so.
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

    /// The same form of what an adapter makes of the field.
    pub(crate) const fn adapted(self, adapter: fn() -> &'static str) -> Self {
        Self { adapter: Some(adapter), ..self }
    }
}

/// What an enum makes of one member of a oneof.
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
    /// A member that is mapped.
    pub(crate) const fn mapped(number: u32, value: ValueForm) -> Self {
        Self { number, value, since: 0, is_ignored: false }
    }

    /// A member that must be absent.
    pub const fn ignored(number: u32) -> Self {
        Self { is_ignored: true, ..Self::mapped(number, ValueForm::OWN) }
    }

    /// The same member, added in this version.
    pub const fn since(self, version: u32) -> Self {
        Self { since: version, ..self }
    }
}

/// The forms of several fields.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
#[expect(clippy::large_enum_variant, reason = "the values are constants, and never moved")]
pub enum Forms {
    /// That of one field.
    One(FieldForm),
    /// Those of some fields, in their order.
    Each(&'static [Forms]),
    /// That of a field whose type is known only to the code of a generic state.
    Unknown,
}

impl Forms {
    /// Calls `take` with each form, in the order of the fields.
    pub(crate) fn each(&self, take: &mut dyn FnMut(Option<&FieldForm>)) {
        match self {
            Forms::One(form) => take(Some(form)),
            Forms::Each(all) => all.iter().for_each(|forms| forms.each(take)),
            Forms::Unknown => take(None),
        }
    }
}

/// A `range`, as the attribute gives it.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct RangeNote {
    /// The range in the words of the source code.
    pub(crate) text: &'static str,
    pub(crate) least: Option<Number>,
    pub(crate) most: Option<Number>,
    /// Whether a value must be less than `most`.
    pub(crate) most_excluded: bool,
    /// Whether the ends are numbers, so that they say all that the range says.
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
