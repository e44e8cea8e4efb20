//! The codec: canonical protobuf out, strict protobuf in, without an intermediate message.
//!
//! Writing is canonical: fields in ascending number, proto3 defaults left out, map entries always
//! with key and value, maps sorted (integers by value, strings by bytes). One state has one
//! encoding, the same that protobuf-go writes in deterministic mode.
//!
//! Reading refuses, with the field's path and the byte offset, whatever this build could lose or
//! misread: unknown fields, wrong wire types, a singular field or a map key twice, unknown enum
//! values, numbers out of range, over-long varints, groups, lengths past the end, trailing bytes,
//! missing required values, nesting past [`Reader::DEPTH_LIMIT`]. What the protobuf specification
//! obliges every reader to accept is accepted: fields in any order, a default value written out,
//! map entries without their default key or value, packed and unpacked repeated scalars.

mod adapter;
mod any;
mod bytes;
#[cfg(test)]
mod field_tests;
mod float;
mod integer;
#[cfg(feature = "json")]
mod json_document;
mod length;
mod list;
mod map;
mod oneof;
mod pointer;
mod reader;
mod set;
mod text;
mod well_known;
mod writer;

pub use adapter::{display, micros, millis, nanos, seconds, unix_seconds};
#[cfg(feature = "json")]
pub use adapter::{json, json_text};
pub(crate) use any::{close_any, put_any, take_any, take_any_with};
#[cfg(feature = "json")]
pub use json_document::Json;
pub use length::Length;
pub use oneof::WireOneof;
pub use reader::{Reader, Tag};
use text::Quoted;
pub use writer::Writer;

use crate::controller::Walk;
use crate::schema::kind::{Kind, Optional, Singular};
use crate::{Error, State};

/// A Rust type that can be one value of the proto kind `K`.
///
/// Derived for structs, enums and newtypes; for other types `#[snapshot(with = module)]` is the
/// way. Only this crate and the derive implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved as the proto kind `{K}`",
    label = "does not fit the kind of the proto field",
    note = "choose a Rust type that fits the kind, or convert it: `#[snapshot(with = module)]`"
)]
pub trait Wire<K: Kind>: Sized {
    /// Whether no controller can be inside, so that a walk over a large collection passes it by.
    const LEAF: bool = false;

    /// Puts the value; of a length-delimited kind, with its length.
    fn put(&self, w: &mut Writer) -> Result<(), Error>;

    /// Takes the value; the tag was taken and its wire type is right.
    fn take(r: &mut Reader<'_>) -> Result<Self, Error>;

    /// Whether the value is the proto3 default, which a field with implicit presence leaves out.
    fn is_default(&self) -> bool;

    /// The value of a field that is not on the wire, where the kind has a default.
    fn of_default() -> Result<Self, Error> {
        Self::take(&mut Reader::of_default())
    }

    /// Shows the controllers inside to `walk`.
    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        let _ = walk;
        Ok(())
    }
}

/// A type that is one value on the wire, neither absent nor many. Sets the values apart from
/// `Option` and the collections, which are made of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a snapshot",
    label = "neither a value that can be saved nor a collection of such values",
    note = "derive `Snapshot` for it, or convert it: `#[snapshot(with = module)]`"
)]
pub trait Single {}

/// A value whose encoding is never the proto3 default, so that `Option` of it can be told from
/// absence even where the proto field has no presence of its own: `NonZero`, `Uuid`, `IpAddr`, JSON.
#[diagnostic::on_unimplemented(
    message = "`Option<{Self}>` cannot be told from its default on the wire",
    label = "the proto field has no presence: `Some` of the default would come back as `None`",
    note = "declare the proto field `optional`, or save a plain `{Self}`"
)]
pub trait NeverDefault {}

/// A type that can be the key of a proto map of key kind `K`, or an element of a set.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a map key or set element of the proto kind `{K}`",
    label = "needs an order on the wire: integers by value, strings by bytes"
)]
pub trait WireKey<K: Kind>: Wire<K> {
    /// The order of two keys on the wire: integers by value, strings by bytes.
    fn wire_cmp(&self, other: &Self) -> std::cmp::Ordering;
    /// The key as text, for paths and controller ids.
    fn key_text(&self) -> String;
}

/// A Rust type that can be a whole field of the field kind `F`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved as a proto field of kind `{F}`",
    label = "does not fit the kind of the proto field",
    note = "choose a Rust type that fits the field, or convert it: `#[snapshot(with = module)]`",
    note = "an `Option` needs a proto field with presence, `optional` or a message, or a type that \
            is never the default: `NonZero`, `Uuid`, `IpAddr`"
)]
pub trait WireField<F>: Sized {
    /// Whether no controller can be inside.
    const LEAF: bool = false;

    /// What collects the field's occurrences while a message is read.
    type Slot: Default;

    /// Puts the field with its tag, or nothing if it is at its default. Returns the number that was
    /// put, which for a oneof is the member's.
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error>;

    /// Takes one occurrence of the field.
    fn take_field(slot: &mut Self::Slot, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error>;

    /// The value, when the message has ended.
    fn finish_field(slot: Self::Slot) -> Result<Self, Error>;

    /// Shows the controllers inside to `walk`.
    fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error>;
}

#[cold]
#[inline(never)]
fn wrong_wire_type(tag: Tag, expected: &'static str) -> Error {
    Error::invalid(format!("has wire type {}, expected {expected}", tag.wire_type.as_str()))
}

#[cold]
#[inline(never)]
fn duplicate() -> Error {
    Error::invalid("is there twice")
}

#[cold]
#[inline(never)]
fn missing() -> Error {
    Error::invalid("is missing")
}

/// Refuses a value that is framed differently from what its kind says.
#[inline]
pub(crate) fn expect_wire_type<K: Kind>(tag: Tag) -> Result<(), Error> {
    if tag.wire_type == K::WIRE_TYPE {
        Ok(())
    } else {
        Err(wrong_wire_type(tag, K::WIRE_TYPE.as_str()))
    }
}

/// Takes one value of a field that may be there once.
#[inline]
fn take_once<K: Kind, T: Wire<K>>(
    slot: &mut Option<T>,
    tag: Tag,
    r: &mut Reader<'_>,
) -> Result<(), Error> {
    expect_wire_type::<K>(tag)?;
    if slot.is_some() {
        return Err(duplicate());
    }
    *slot = Some(T::take(r)?);
    Ok(())
}

impl<K: Kind, T: Single + Wire<K>> WireField<Singular<K>> for T {
    type Slot = Option<T>;

    #[inline]
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        if !self.is_default() {
            self.put(w)?;
            w.tag(number, K::WIRE_TYPE);
        }
        Ok(number)
    }

    #[inline]
    fn take_field(slot: &mut Option<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        take_once(slot, tag, r)
    }

    #[inline]
    fn finish_field(slot: Option<T>) -> Result<Self, Error> {
        match slot {
            Some(value) => Ok(value),
            // A type that cannot hold the default is a required one.
            None => T::of_default().or(Err(missing())),
        }
    }

    #[inline]
    fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        self.walk(walk)
    }
}

/// A field with presence, held by a type without: it must be there.
impl<K: Kind, T: Single + Wire<K>> WireField<Optional<K>> for T {
    type Slot = Option<T>;

    #[inline]
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        self.put(w)?;
        w.tag(number, K::WIRE_TYPE);
        Ok(number)
    }

    #[inline]
    fn take_field(slot: &mut Option<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        take_once(slot, tag, r)
    }

    #[inline]
    fn finish_field(slot: Option<T>) -> Result<Self, Error> {
        match slot {
            Some(value) => Ok(value),
            None => Err(missing()),
        }
    }

    #[inline]
    fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        self.walk(walk)
    }
}

impl<K: Kind, T: Wire<K>> WireField<Optional<K>> for Option<T> {
    type Slot = Option<T>;

    #[inline]
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        if let Some(value) = self {
            value.put(w)?;
            w.tag(number, K::WIRE_TYPE);
        }
        Ok(number)
    }

    #[inline]
    fn take_field(slot: &mut Option<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        take_once(slot, tag, r)
    }

    #[inline]
    fn finish_field(slot: Option<T>) -> Result<Self, Error> {
        Ok(slot)
    }

    fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        match self {
            Some(value) => value.walk(walk),
            None => Ok(()),
        }
    }
}

/// Implicit presence is enough for a type whose encoding is never the default.
impl<K: Kind, T: NeverDefault + Wire<K>> WireField<Singular<K>> for Option<T> {
    type Slot = Option<T>;

    #[inline]
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        if let Some(value) = self {
            value.put(w)?;
            w.tag(number, K::WIRE_TYPE);
        }
        Ok(number)
    }

    #[inline]
    fn take_field(slot: &mut Option<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        take_once(slot, tag, r)
    }

    #[inline]
    fn finish_field(slot: Option<T>) -> Result<Self, Error> {
        Ok(slot)
    }

    fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        match self {
            Some(value) => value.walk(walk),
            None => Ok(()),
        }
    }
}

/// Encodes a state struct as its message: canonical, so that equal states give equal bytes.
///
/// # Errors
///
/// A value that its message cannot hold: a transient stage, a number outside its `range`, a path
/// that is not UTF-8, what an adapter refuses.
pub fn to_bytes<S: State>(state: &S) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::default();
    state.put_fields(&mut writer)?;
    Ok(writer.into_vec())
}

/// Decodes a state struct from the bytes of its message, strictly.
///
/// # Errors
///
/// Everything that is wrong with the bytes, each with its path and offset.
pub fn from_bytes<S: State>(bytes: &[u8]) -> Result<S, Error> {
    S::take_fields(&mut Reader::new(bytes)).map_err(Error::at_root)
}
