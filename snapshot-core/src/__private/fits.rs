//! What the compiler says of a type that does not fit its proto field.
//!
//! A trait that is not implemented would be told in the words of our traits. So the derive asks, in
//! a way that always compiles, and a constant panics in the user's words. The question is a function
//! whose type is the answer. A struct asks once for many of its fields, as a function, a closure or a
//! search for a method each is too much for the compiler; and what it saves the fields by is the same
//! answer, a [`Plan`](super::plan::Plan).

use std::marker::PhantomData;

use super::Span;
use super::oneof::Member;
use super::port::{Adapter, Port, port};
use super::text::Message;
use crate::codec::{Wire, WireField};
use crate::schema::kind::{FieldKind, Kind, Map, Optional, Packed, Repeated, Singular, Words};
use crate::schema::{Field, FieldShape, Notes, ValueKind};

/// Whether a type fits its field, or each of some types.
pub trait Answer {
    const FIT: Fit;

    /// Notes what the attributes of the fields inside say.
    fn annotate(notes: &mut Notes);
}

/// The answer as a value.
#[derive(Clone, Copy)]
pub enum Fit {
    /// Whether no controller and no reference can be inside.
    Fits { is_leaf: bool },
    /// The field's kind in words, and what an `Option` would lose in it, if that is why.
    Misfit(FieldShape, [Words; 2], &'static str),
    /// The answers of some fields.
    Each(&'static [Fit]),
}

impl Fit {
    /// One of the answers.
    const fn of(self, index: usize) -> Self {
        match self {
            Self::Each(fits) => fits[index],
            fit => fit,
        }
    }
}

/// What the types of a struct's fields answered.
pub const fn fit<A: Answer>(_: &impl FnOnce() -> A) -> Fit {
    A::FIT
}

/// Notes what the attributes inside of a struct's fields say.
pub fn annotate<A: Answer>(_: impl FnOnce() -> A, notes: &mut Notes) {
    A::annotate(notes);
}

impl<F: FieldKind, T: WireField<F>> Answer for Port<F, T> {
    const FIT: Fit = Fit::Fits { is_leaf: T::LEAF };

    fn annotate(notes: &mut Notes) {
        T::annotate_field(notes);
    }
}

pub struct Misfit<F, L>(PhantomData<fn() -> (F, L)>);

impl<F: FieldKind, L: Loss> Answer for Misfit<F, L> {
    const FIT: Fit = Fit::Misfit(F::SHAPE, F::WORDS, L::WHAT);

    fn annotate(_: &mut Notes) {}
}

impl<F: FieldKind, T: WireField<F>> Port<F, T> {
    #[inline(always)]
    pub fn fits(self) -> Self {
        self
    }
}

impl<F: FieldKind, W: WireField<F>, T, Take> Adapter<F, W, T, Take> {
    pub fn fits(self) -> Port<F, W> {
        port(self.field)
    }
}

/// What an `Option` would lose in a field that cannot be absent.
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
    const WHAT: &'static str = " and cannot be absent: `Some` of its default would come back as \
                                `None`; declare it `optional`, or do without the `Option`";
}

impl Loss for EmptinessLost {
    const WHAT: &'static str = " and cannot be absent: an empty collection would come back as \
                                `None`; do without the `Option`";
}

/// What an `Option` answers that does not fit. A type that fits has a method of its own, which comes
/// before that of a trait.
pub trait Losing: Sized {
    type Field;
    type Loss;

    fn fits(self) -> Misfit<Self::Field, Self::Loss> {
        Misfit(PhantomData)
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

/// What any other type answers that does not fit: the method of a reference comes last.
pub trait NoFit: Sized {
    type Field;

    fn fits(self) -> Misfit<Self::Field, NoLoss> {
        Misfit(PhantomData)
    }
}

impl<F, T> NoFit for &Port<F, T> {
    type Field = F;
}

impl<F, W, T, Take> NoFit for &Adapter<F, W, T, Take> {
    type Field = F;
}

/// The type `ty` fits its field.
#[track_caller]
pub const fn assert_fits(field: &Span, fit: Fit, index: usize, ty: &str) {
    if let Fit::Misfit(shape, words, loss) = fit.of(index) {
        let message = Message::new().and("`").and(ty).and("` cannot be saved as the proto field `");
        let message = message.and(field.name).and("`, which is ");
        let message = and_proto_type(message, shape, words);
        let message = if loss.is_empty() {
            and_rust_type(message.and(": use "), shape, words)
                .and(", or convert it: #[snapshot(with = module)]")
        } else {
            message.and(loss)
        };
        panic!("{}", message.as_str());
    }
}

/// The same for a type of the standard library, by its name: with nothing inside to be walked to, so
/// that the derive leaves out the walk.
#[track_caller]
pub const fn assert_plain_fits(field: &Span, fit: Fit, index: usize, ty: &str) {
    if let Fit::Fits { is_leaf: false } = fit.of(index) {
        let message =
            Message::new().and("`").and(ty).and("` is or holds a type that is named like ");
        let message =
            message.and("one of the standard library, or `Uuid`, but is another one: name it by ");
        panic!("{}", message.and("its path, like `self::String`").as_str());
    }
    assert_fits(field, fit, index, ty);
}

/// What the module `with` makes of a field fits its proto field.
#[track_caller]
pub const fn assert_adapter_fits(field: &Span, fit: Fit, index: usize, with: &str) {
    if let Fit::Misfit(shape, words, _) = fit.of(index) {
        let message = Message::new().and("what `").and(with);
        let message = message.and("` converts to cannot be saved as the proto field `");
        let message = message.and(field.name).and("`, which is ");
        let message = and_proto_type(message, shape, words).and(": its `to_wire` must make ");
        panic!("{}", and_rust_type(message, shape, words).as_str());
    }
}

/// Whether a type fits a member of a oneof.
pub trait Held {
    const IS_HELD: bool;
}

pub struct Holds;

pub struct HoldsNot;

impl Held for Holds {
    const IS_HELD: bool = true;
}

impl Held for HoldsNot {
    const IS_HELD: bool = false;
}

impl<K: Kind, T: Wire<K>> Member<K, T> {
    pub fn fits(self) -> Holds {
        Holds
    }
}

/// A variant's value of type `ty` fits its member; without a value `ty` is empty.
#[track_caller]
pub const fn assert_member_fits<K: Kind, A: Held>(
    _: &impl FnOnce() -> A,
    member: &Field<Optional<K>>,
    ty: &str,
) {
    if !A::IS_HELD {
        let message = if ty.is_empty() {
            Message::new().and("a variant without a value")
        } else {
            Message::new().and("`").and(ty).and("`")
        };
        let message = message.and(" cannot be saved as the member `").and(member.name());
        let message = message.and("`, which is `").and(K::WORDS.name).and("`: ");
        let message = message.and(if ty.is_empty() { "give it a value, " } else { "use " });
        panic!("{}", and_holder(message, K::WORDS).as_str());
    }
}

/// What a `.proto` file says that the field is.
const fn and_proto_type(message: Message, shape: FieldShape, words: [Words; 2]) -> Message {
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

/// What holds the field in Rust.
const fn and_rust_type(message: Message, shape: FieldShape, words: [Words; 2]) -> Message {
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
        FieldShape::Opaque => message.and("#[snapshot(ignore(...))], nothing can be saved as it"),
    }
}

const fn and_holder(message: Message, words: Words) -> Message {
    let [first, second, third] = words.held_by;
    message.and(first).and(second).and(third)
}
