//! What the compiler says of a type that does not fit its proto field.
//!
//! A trait that is not implemented would be told in the words of our traits. So the derive asks, in
//! a way that always compiles, and a constant panics in the user's words. The question is a closure
//! that is never called: what it would return is the answer.

use super::oneof::Member;
use super::port::{Adapter, Port};
use super::text::Message;
use crate::codec::{Wire, WireField};
use crate::schema::kind::{FieldKind, Kind, Map, Optional, Packed, Repeated, Singular, Words};
use crate::schema::{Field, FieldShape, ValueKind};

/// Whether a type fits.
pub trait Answer {
    const FITS: bool;
}

pub struct Fits;

pub struct Misfit;

impl Answer for Fits {
    const FITS: bool = true;
}

impl Answer for Misfit {
    const FITS: bool = false;
}

impl<F: FieldKind, T: WireField<F>> Port<F, T> {
    pub fn fits(self) -> Fits {
        Fits
    }
}

impl<F: FieldKind, W: WireField<F>, T, Take> Adapter<F, W, T, Take> {
    pub fn fits(self) -> Fits {
        Fits
    }
}

impl<K: Kind, T: Wire<K>> Member<K, T> {
    pub fn fits(self) -> Fits {
        Fits
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

impl<K, T> Port<Singular<K>, Option<T>> {
    pub fn loses(self) -> DefaultLost {
        DefaultLost
    }
}

impl<K, T> Port<Repeated<K>, Option<T>> {
    pub fn loses(self) -> EmptinessLost {
        EmptinessLost
    }
}

impl<K, T> Port<Packed<K>, Option<T>> {
    pub fn loses(self) -> EmptinessLost {
        EmptinessLost
    }
}

impl<K, V, T> Port<Map<K, V>, Option<T>> {
    pub fn loses(self) -> EmptinessLost {
        EmptinessLost
    }
}

/// The type `ty` fits its field.
#[track_caller]
pub const fn assert_fits<F: FieldKind, A: Answer, L: Loss>(
    _: &impl FnOnce() -> A,
    _: &impl FnOnce() -> L,
    field: &Field<F>,
    ty: &str,
) {
    if !A::FITS {
        let message = Message::new().and("`").and(ty).and("` cannot be saved as the proto field `");
        let message = message.and(field.name()).and("`, which is ");
        let message = and_proto_type::<F>(message);
        let message = if L::WHAT.is_empty() {
            and_rust_type::<F>(message.and(": use "))
                .and(", or convert it: #[snapshot(with = module)]")
        } else {
            message.and(L::WHAT)
        };
        panic!("{}", message.as_str());
    }
}

/// What the module `with` makes of a field fits its proto field.
#[track_caller]
pub const fn assert_adapter_fits<F: FieldKind, A: Answer>(
    _: &impl FnOnce() -> A,
    field: &Field<F>,
    with: &str,
) {
    if !A::FITS {
        let message = Message::new().and("what `").and(with);
        let message = message.and("` converts to cannot be saved as the proto field `");
        let message = message.and(field.name()).and("`, which is ");
        let message = and_proto_type::<F>(message).and(": its `to_wire` must make ");
        panic!("{}", and_rust_type::<F>(message).as_str());
    }
}

/// A variant's value of type `ty` fits its member; without a value `ty` is empty.
#[track_caller]
pub const fn assert_member_fits<K: Kind, A: Answer>(
    _: &impl FnOnce() -> A,
    member: &Field<Optional<K>>,
    ty: &str,
) {
    if !A::FITS {
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
const fn and_proto_type<F: FieldKind>(message: Message) -> Message {
    let [value, second] = F::WORDS;
    match F::SHAPE {
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
const fn and_rust_type<F: FieldKind>(message: Message) -> Message {
    let [value, second] = F::WORDS;
    match F::SHAPE {
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
