//! The codec: canonical protobuf out, strict protobuf in, without an intermediate message.
//!
//! Writing is canonical: fields in ascending number, proto3 defaults left out, map entries always
//! with key and value, maps sorted (integers by value, strings by bytes). One state has one
//! encoding, the same that protobuf-go writes in deterministic mode.
//!
//! Reading refuses, with the field's path and the byte offset, whatever this build could lose or
//! misread: unknown fields, wrong wire types, a singular field or a map key twice, unknown enum
//! values, numbers out of range, over-long varints, groups, lengths past the end, trailing bytes,
//! values of ignored fields, sets out of order, missing required values, nesting past [`Reader::DEPTH_LIMIT`], and text of a UUID or an address in
//! another form than the one that is written. A read takes a limited amount of memory: see
//! [`ReadOptions::memory`](crate::ReadOptions::memory). What the protobuf specification obliges every
//! reader to accept is accepted: fields in any order, a default value written out, map entries
//! without their default key or value, packed and unpacked repeated scalars.
//!
//! Saving refuses what could not be read back: a number that its proto kind does not hold, a path
//! that is not UTF-8, two keys that are one on the wire, nesting past the limit.
//!
//! # What fits what
//!
//! | proto | Rust |
//! |---|---|
//! | `int32` to `sfixed64`, all ten | `u8` to `u64`, `usize`, `i8` to `i64`, `isize`, checked both ways; [`NonZero`](std::num::NonZero) and the atomic of each |
//! | `bool`, `float`, `double` | `bool`, `AtomicBool`, `f32`, `f64` (bit for bit) |
//! | `string` | `String`, `Box<str>`, `Arc<str>`, `Cow<str>`, `PathBuf`, `char`, `Uuid`, `IpAddr`, `Ipv4Addr`, `Ipv6Addr`, `SocketAddr`, [`Json<T>`](Json) |
//! | `uint32` | `char` too, by its code point |
//! | `bytes` | `Vec<u8>`, `Box<[u8]>`, `Arc<[u8]>`, [`Bytes`](::bytes::Bytes), `Cow<[u8]>`, `[u8; N]`, `u128`, `i128`, `PathBuf`, `OsString`, [`Json<T>`](Json) |
//! | `google.protobuf.Duration`, `Timestamp` | [`Duration`](std::time::Duration), [`Countdown`], [`SystemTime`](std::time::SystemTime), prost's own types |
//! | `google.protobuf.UInt64Value` and the other wrappers | what fits the wrapped kind, in an `Option` |
//! | `google.protobuf.Empty`, `FieldMask` | `()`, prost's own type |
//! | `google.protobuf.Any` | [`Child`](crate::Child), a payload, prost's own type unread |
//! | an enum, a message, a oneof | what derives `Snapshot` for it |
//! | `optional`, a message | `Option<T>`; a plain `T` is required |
//! | neither | a plain `T`; `Option<T>` if `T` is [`NeverDefault`] |
//! | `repeated` | `Vec<T>`, `VecDeque<T>`, `Box<[T]>`, `[T; N]`; `BTreeSet<T>`, `HashSet<T, S>`, written sorted and read in no other order |
//! | `map` | `BTreeMap<K, V>`, `HashMap<K, V, S>`, written sorted; pairs and triples are `string` keys, `3/eth0` |
//!
//! Anything in a `Box` or an `Arc` is saved as what it points at. One `Arc` in two places of a tree is refused,
//! since each place would come back with a value of its own; `#[snapshot(unshared)]` allows it. `Arc<str>` and
//! `Arc<[u8]>`, which cannot change, may be anywhere. For other types there is
//! `#[snapshot(with = module)]`; ready modules are [`display`], [`lenient_text`], [`json`],
//! [`json_text`], [`seconds`], [`millis`], [`micros`], [`nanos`] and [`unix_seconds`], and where rounding is
//! meant [`seconds_rounded`], [`millis_rounded`], [`micros_rounded`], [`unix_seconds_rounded`] and
//! [`remaining_millis`].

mod adapter;
mod address;
mod any;
mod ascii;
mod atomic;
mod bytes;
mod canonical;
mod countdown;
mod cow;
#[cfg(test)]
mod field_tests;
mod float;
mod integer;
#[cfg(feature = "json")]
mod json_document;
mod length;
mod list;
mod map;
mod memory;
mod oneof;
mod order;
mod os_bytes;
mod pointer;
mod presence;
mod prost_memory;
mod reader;
mod reference;
mod refusals;
mod set;
mod shared;
mod size;
mod strict;
mod text;
mod text_form;
mod tuple_key;
#[cfg(feature = "uuid")]
mod uuid;
#[cfg(feature = "uuid")]
mod uuid_text;
mod well_known;
mod wide_integer;
mod writer;

pub use adapter::{
    display, lenient_text, micros, micros_rounded, millis, millis_rounded, nanos,
    remaining as remaining_millis, seconds, seconds_rounded, unix_seconds, unix_seconds_rounded,
};
#[cfg(feature = "json")]
pub use adapter::{json, json_text};
pub(crate) use any::{
    any_size, close_any, close_bare_any, put_any, read_bare_any, split_bare_any, take_any,
    take_any_with, take_versioned_any, wrong_type,
};
pub use any::{from_any_bytes, split_any, to_any_bytes};
pub(crate) use canonical::canonical;
pub use countdown::Countdown;
#[cfg(feature = "json")]
pub use json_document::Json;
pub use length::Length;
pub(crate) use memory::{controller_with, default_budget as default_memory, tree_entry};
pub use oneof::WireOneof;
use presence::take_once;
pub(crate) use prost_memory::charge_for_prost;
pub use reader::{Reader, Tag};
pub use reference::{Reference, ReferenceValues};
pub(crate) use refusals::{end as end_refusals, refuse};
pub(crate) use size::{delimited as delimited_size, varint as varint_size};
pub(crate) use strict::{check_strictly, wire_type_of};
pub(crate) use text::{Quoted, is_not_canonical};
pub(crate) use text_form::{form, is_in_form};
pub(crate) use writer::Versions;
pub use writer::Writer;

use crate::schema::StatesInside;
use crate::schema::kind::Kind;
use crate::schema::{FieldForm, ValueForm};
pub use crate::visit::Names;
use crate::visit::Visit;
use crate::{Error, Payload, State};

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
    /// Whether no controller and no reference can be inside, so that a walk over a large collection
    /// passes it by.
    const LEAF: bool = false;

    /// The values of the kind that the type takes.
    #[doc(hidden)]
    const FORM: ValueForm = ValueForm::OWN;
    /// The states inside, whose fields may have notes.
    #[doc(hidden)]
    const INSIDE: StatesInside = StatesInside::Nothing;

    /// Puts the value; of a length-delimited kind, with its length.
    fn put(&self, w: &mut Writer) -> Result<(), Error>;

    /// Puts the value with its tag: the same bytes as both one after the other, with less work.
    #[doc(hidden)]
    #[inline]
    fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
        self.put(w)?;
        w.tag(number, K::WIRE_TYPE);
        Ok(())
    }

    /// Leaves the value out, since it is the default of a field without presence.
    #[doc(hidden)]
    #[inline]
    fn leave_out(&self, w: &mut Writer) -> Result<(), Error> {
        let _ = w;
        Ok(())
    }

    /// How many bytes `put` will put; 0 if that takes more than a look.
    #[doc(hidden)]
    #[inline]
    fn size(&self) -> usize {
        0
    }

    /// Takes the value; the tag was taken and its wire type is right.
    fn take(r: &mut Reader<'_>) -> Result<Self, Error>;

    /// Takes the value to where it is collected, which has none yet. The same as `take`, for types
    /// that are slow to move as a `Result`.
    #[doc(hidden)]
    #[inline]
    fn take_into(slot: &mut Option<Self>, r: &mut Reader<'_>) -> Result<(), Error> {
        match Self::take(r) {
            Ok(value) => {
                // There is nothing to drop, which an assignment would look for.
                std::mem::forget(slot.replace(value));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the value is the proto3 default, which a field with implicit presence leaves out.
    fn is_default(&self) -> bool;

    /// The value of a field that is not on the wire, where the kind has a default.
    fn of_default() -> Result<Self, Error> {
        Self::take(&mut Reader::of_default())
    }

    /// Shows the controllers and the names inside to `visit`.
    #[doc(hidden)]
    #[inline]
    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        let _ = visit;
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
    /// A number that says what it can of the order: of two keys whose prefixes differ, the one with
    /// the lesser comes first. Spares a sort most looks at the keys themselves.
    fn wire_prefix(&self) -> u64 {
        0
    }
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
    /// Whether no controller and no reference can be inside.
    const LEAF: bool = false;

    /// What the type makes of the field.
    #[doc(hidden)]
    const FORM: FieldForm = FieldForm::optional(ValueForm::OWN);
    /// The states inside, whose fields may have notes.
    #[doc(hidden)]
    const INSIDE: StatesInside = StatesInside::Nothing;

    /// What collects the field's occurrences while a message is read.
    type Slot: Default;

    /// Puts the field with its tag, or nothing if it is at its default. Returns the number that was
    /// put, which for a oneof is the member's.
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error>;

    /// How many bytes `put_field` will put; 0 if that takes more than a look.
    #[doc(hidden)]
    #[inline]
    fn field_size(&self, number: u32) -> usize {
        let _ = number;
        0
    }

    /// Makes room for the occurrences that follow one another, before the first of them is taken.
    #[inline]
    fn make_room(slot: &mut Self::Slot, number: u32, r: &mut Reader<'_>) {
        let _ = (slot, number, r);
    }

    /// Takes one occurrence of the field.
    fn take_field(slot: &mut Self::Slot, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error>;

    /// The value, when the message has ended; `None` after an error, which is left in `error`. Not
    /// a `Result`: most values would be moved once more, into it.
    fn finish_field(slot: Self::Slot, error: &mut Option<Error>) -> Option<Self>;

    /// Shows the controllers and the names inside to `visit`.
    #[doc(hidden)]
    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error>;
}

/// The [`WireKey::wire_prefix`] of keys that are ordered by these bytes.
#[inline]
fn prefix_of_bytes(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => bytes.iter().rev().fold(0, |prefix, &byte| prefix >> 8 | u64::from(byte) << 56),
    }
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

/// Encodes a state struct as its message: canonical, so that equal states give equal bytes.
///
/// # Errors
///
/// A value that its message cannot hold: a transient stage, a number outside its `range`, a path
/// that is not UTF-8, what an adapter refuses.
pub fn to_bytes<S: State>(state: &S) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::with_capacity(state.fields_size());
    state.put_fields(&mut writer)?;
    Ok(writer.into_vec())
}

/// Encodes the state of a payload as a build would read it that knows no version later than
/// `version`. Payloads inside of it are encoded in their current versions.
///
/// # Errors
///
/// A version that this build does not save; a field that `version` does not have and that is not at
/// its default; what a `downgrade` function refuses; and as [`to_bytes`].
pub fn to_bytes_as<P: Payload>(state: &P, version: u32) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::default();
    crate::version::check_saves::<P>(version)?;
    writer.in_version(version, |w| state.put_fields(w))?;
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
