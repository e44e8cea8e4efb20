//! The compiler's error for a type that does not fit its proto field.
//!
//! The error of a missing trait would be in the words of our traits. So the derive asks in a way
//! that always compiles, and a constant panics in the user's words. The question is a function
//! whose return type is the answer. A struct asks once for many of its fields, because a function,
//! a closure or a method search for each takes the compiler too long. The same answer, a
//! [`Plan`](super::plan::Plan), saves the fields.

use std::marker::PhantomData;

use super::Numbered;
use super::adapter::Adapter;
use super::answer::{Answer, Fit};
use super::field_port::Port;
use super::never::Never;
use super::text::ErrorText;
use crate::codec::WireField;
use crate::schema::kind::{FieldKind, Map, Packed, Repeated, Singular, Words};
use crate::schema::{Field, FieldShape, StatesInside, TypeNotes, ValueKind};

/// Returns the answers of the types of a struct's fields.
pub const fn fit<A: Answer>(_: &impl FnOnce() -> A) -> &'static Fit {
    A::FIT
}

/// Returns whether the types with these answers can contain no controllers.
pub const fn are_leaves(answers: &[&Fit]) -> bool {
    let mut i = 0;
    while i < answers.len() {
        let is_leaf = match answers[i] {
            Fit::Fits { is_leaf, .. } => *is_leaf,
            Fit::Each(fits) => are_leaves(fits),
            // It is reported elsewhere.
            Fit::Misfit(..) => true,
        };
        if !is_leaf {
            return false;
        }
        i += 1;
    }
    true
}

/// Returns the notes on the types of a struct's fields.
pub const fn types<A: Answer>(_: &impl FnOnce() -> A) -> &'static TypeNotes {
    A::NOTES
}

/// Returns the number of marks that [`Putting`](super::Putting) needs for fields declared in this
/// order, after that of the version, which is 0 if there is none. `fits` has the answers of all
/// fields, or of some at a time.
pub const fn marks(version: u32, fields: &[Numbered], fits: &[&'static Fit]) -> usize {
    let mut last = version;
    let mut field = 0;
    let mut i = 0;
    while i < fits.len() {
        let mut j = 0;
        while j < fits[i].count() {
            let Numbered { number, .. } = fields[field];
            if number <= last {
                return fields.len() + 1;
            }
            // A oneof takes the numbers of its members.
            let highest = fits[i].of(j).highest();
            last = if highest > number { highest } else { number };
            field += 1;
            j += 1;
        }
        i += 1;
    }
    0
}

/// The stand-in for the answer of a type that can be named only inside of the impls.
pub const fn dependent<F: FieldKind>(_: &Field<F>) -> &'static Fit {
    const { &Fit::Fits { is_leaf: false, highest: highest::<F>() } }
}

/// Returns the highest number of a oneof.
const fn highest<F: FieldKind>() -> u32 {
    match F::MEMBERS.last() {
        Some(member) => member.number,
        None => 0,
    }
}

/// Returns the states inside of an adapter's result. It refuses an adapter whose result does not
/// fit the field, for a type that can be named only inside of the impls.
pub const fn inside_adapter<F, W: WireField<F>, T, E>(
    _: &Field<F>,
    _: &impl FnOnce(W) -> Result<T, E>,
) -> StatesInside {
    W::INSIDE
}

impl<F: FieldKind, T: WireField<F>> Answer for Port<F, T> {
    const FIT: &'static Fit = &Fit::Fits { is_leaf: T::LEAF, highest: highest::<F>() };
    const NOTES: &'static TypeNotes = &TypeNotes::One(T::FORM, T::INSIDE);
}

/// The reason of a [`Never`]: a type does not fit the field `F`; `L` is the value that an `Option` would
/// lose, if that is the cause.
pub struct Misfit<F, L>(PhantomData<fn() -> (F, L)>);

impl<F: FieldKind, L: Loss> Answer for Never<Misfit<F, L>> {
    const FIT: &'static Fit = &Fit::Misfit(F::SHAPE, F::WORDS, L::WHAT);
    const NOTES: &'static TypeNotes = &TypeNotes::Dependent(StatesInside::Nothing);
}

impl<F: FieldKind, T: WireField<F>> Port<F, T> {
    #[inline(always)]
    pub fn fits(self) -> Self {
        self
    }
}

impl<F: FieldKind, W: WireField<F>, T, Take> Answer for Adapter<F, W, T, Take> {
    const FIT: &'static Fit = <Port<F, W> as Answer>::FIT;
    // The function is known by its path.
    const NOTES: &'static TypeNotes =
        &TypeNotes::One(W::FORM.adapted(std::any::type_name::<Take>), W::INSIDE);
}

impl<F: FieldKind, W: WireField<F>, T, Take> Adapter<F, W, T, Take> {
    #[inline(always)]
    pub fn fits(self) -> Self {
        self
    }
}

/// The value that an `Option` would lose in a field that cannot be absent.
pub trait Loss {
    const WHAT: &'static str;
}

pub struct NoLoss;

pub struct DefaultLost;

pub struct EmptinessLost;

impl Loss for NoLoss {
    const WHAT: &'static str = "";
}

impl Loss for DefaultLost {
    const WHAT: &'static str = " and cannot be absent: `Some` of its default would be restored as \
                                `None`; declare it `optional`, or remove the `Option`";
}

impl Loss for EmptinessLost {
    const WHAT: &'static str = " and cannot be absent: an empty collection would be restored as \
                                `None`; remove the `Option`, unless `since` says that older \
                                payloads do not have the field";
}

/// The answer of an `Option` that does not fit. A type that fits has a method of its own, which
/// takes precedence over that of a trait.
pub trait Losing: Sized {
    type Field;
    type Loss;

    fn fits(self) -> Never<Misfit<Self::Field, Self::Loss>> {
        Never::new()
    }

    /// The same for a field with `since`.
    fn fits_since(self) -> Never<Misfit<Self::Field, Self::Loss>> {
        Never::new()
    }
}

impl<K, T> Losing for Port<Singular<K>, Option<T>> {
    type Field = Singular<K>;
    type Loss = DefaultLost;
}

impl<K, T> Losing for Port<Repeated<K>, Option<T>> {
    type Field = Repeated<K>;
    type Loss = EmptinessLost;
}

impl<K, T> Losing for Port<Packed<K>, Option<T>> {
    type Field = Packed<K>;
    type Loss = EmptinessLost;
}

impl<K, V, T> Losing for Port<Map<K, V>, Option<T>> {
    type Field = Map<K, V>;
    type Loss = EmptinessLost;
}

/// The answer of any other type that does not fit: the method of a reference comes last.
pub trait NoFit: Sized {
    type Field;

    fn fits(self) -> Never<Misfit<Self::Field, NoLoss>> {
        Never::new()
    }

    /// The same for a field with `since`.
    fn fits_since(self) -> Never<Misfit<Self::Field, NoLoss>> {
        Never::new()
    }
}

impl<F, T> NoFit for &Port<F, T> {
    type Field = F;
}

impl<F, W, T, Take> NoFit for &Adapter<F, W, T, Take> {
    type Field = F;
}

/// The check of some fields, one after the other. It is a value with methods, because calls of
/// functions by their path take the compiler three times as long.
#[derive(Clone, Copy)]
pub struct Checking {
    fields: &'static [Numbered],
    fit: &'static Fit,
    next: usize,
}

/// Begins the check of some fields of a struct. `fields` are all fields, and these begin at
/// `first`.
pub const fn check<A: Answer>(
    fields: &'static [Numbered],
    first: usize,
    _: &impl FnOnce() -> A,
) -> Checking {
    Checking { fields: fields.split_at(first).1, fit: A::FIT, next: 0 }
}

impl Checking {
    const fn field(self) -> &'static Fit {
        self.fit.of(self.next)
    }

    const fn after(mut self) -> Self {
        self.next += 1;
        self
    }

    /// Checks that the type `ty` fits its field.
    #[must_use]
    #[track_caller]
    pub const fn fits(self, ty: &'static str) -> Self {
        if let Fit::Misfit(shape, words, loss) = self.field() {
            let message = ErrorText::new().and("`").and(ty).and("` cannot be saved as ");
            let message = self.and_field(message, *shape, *words);
            let message = and_advice(message, *shape, *words, loss);
            let conversion = ", or convert it: #[snapshot(with = module)]";
            self.refuse(if loss.is_empty() { message.and(conversion) } else { message });
        }
        self.after()
    }

    /// Does the same for a type of the standard library, by its name. It has nothing inside to
    /// visit, so the derive omits the visit.
    #[must_use]
    #[track_caller]
    pub const fn plain(self, ty: &'static str) -> Self {
        match self.field() {
            Fit::Fits { is_leaf: true, .. } => self.after(),
            Fit::Fits { .. } => {
                let message = ErrorText::new().and("`").and(ty);
                let message = message.and("` is or contains a type with the name of ");
                let message =
                    message.and("one of the standard library, or of `Uuid`, but another ");
                let message = message.and("one: write its path, like `self::String`");
                panic!("{}", message.as_str());
            }
            _ => self.fits(ty),
        }
    }

    /// Checks that the result of the module `with` for a field fits its proto field.
    #[must_use]
    #[track_caller]
    pub const fn adapter(self, with: &'static str) -> Self {
        if let Fit::Misfit(shape, words, _) = self.field() {
            let message = ErrorText::new().and("the result of `").and(with).and("` cannot be ");
            let message = self.and_field(message.and("saved as "), *shape, *words);
            let message = message.and(": its `to_wire` must return ");
            self.refuse(and_rust_type(message, *shape, *words));
        }
        self.after()
    }

    const fn and_field(
        self,
        message: ErrorText,
        shape: FieldShape,
        words: [Words; 2],
    ) -> ErrorText {
        let message = message.and("the proto field `").and(self.fields[self.next].name);
        and_proto_type(message.and("`, which is "), shape, words)
    }

    /// Ends the check. The fields after this one are not checked, so their misfits are reported
    /// here.
    #[track_caller]
    const fn refuse(self, mut message: ErrorText) -> ! {
        let mut i = self.next + 1;
        while i < self.fit.count() {
            if let Fit::Misfit(shape, words, loss) = self.fit.of(i) {
                message = message.and("\nnor can the type of `").and(self.fields[i].name);
                message = and_proto_type(message.and("`, which is "), *shape, *words);
                message = and_advice(message, *shape, *words, loss);
            }
            i += 1;
        }
        panic!("{}", message.as_str());
    }
}

/// Adds the type of the field in the `.proto` file.
const fn and_proto_type(message: ErrorText, shape: FieldShape, words: [Words; 2]) -> ErrorText {
    let [value, second] = words;
    match shape {
        FieldShape::Singular(_) | FieldShape::Optional(ValueKind::Message(_)) => {
            message.and("`").and(value.name).and("`")
        }
        FieldShape::Optional(_) => message.and("`optional ").and(value.name).and("`"),
        FieldShape::Repeated(_) | FieldShape::Packed(_) => {
            message.and("`repeated ").and(value.name).and("`")
        }
        FieldShape::Map(..) => {
            message.and("`map<").and(value.name).and(", ").and(second.name).and(">`")
        }
        FieldShape::Oneof(_) => message.and("a oneof"),
        FieldShape::Opaque => message.and("a group"),
    }
}

/// Adds the advice for a type that does not fit.
const fn and_advice(
    message: ErrorText,
    shape: FieldShape,
    words: [Words; 2],
    loss: &'static str,
) -> ErrorText {
    if loss.is_empty() {
        return and_rust_type(message.and(": use "), shape, words);
    }
    message.and(loss)
}

/// Adds the Rust type for the field.
const fn and_rust_type(message: ErrorText, shape: FieldShape, words: [Words; 2]) -> ErrorText {
    let [value, second] = words;
    match shape {
        FieldShape::Singular(_) => and_holder(message, value),
        FieldShape::Optional(_) => and_holder(message, value).and(", or an `Option` of that"),
        FieldShape::Repeated(_) | FieldShape::Packed(_) => {
            and_holder(message.and("a list or a set whose element is "), value)
        }
        FieldShape::Map(..) => {
            let message = message.and("a `HashMap` or a `BTreeMap` whose key is ");
            and_holder(and_holder(message, value).and(" and whose value is "), second)
        }
        FieldShape::Oneof(_) => message
            .and("an enum that derives `Snapshot` with `oneof = ...::")
            .and(value.name)
            .and("`, or an `Option` of that"),
        FieldShape::Opaque => message.and("#[snapshot(ignore(...))]: no type can be saved as it"),
    }
}

pub(super) const fn and_holder(message: ErrorText, words: Words) -> ErrorText {
    let [first, second, third] = words.held_by;
    message.and(first).and(second).and(third)
}
