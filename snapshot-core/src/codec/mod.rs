//! The codec: writes canonical protobuf and reads strict protobuf, without an intermediate message.
//!
//! Writing is canonical: fields in ascending number, without proto3 defaults, map entries always
//! with key and value, maps sorted (integers by value, strings by bytes). One state has one
//! encoding, the same that protobuf-go writes in deterministic mode.
//!
//! Reading refuses everything that this build could lose or misread, with the field's path and the
//! byte offset: unknown fields, wrong wire types, duplicate singular fields and map keys, unknown
//! enum values, numbers out of range, over-long varints, groups, lengths beyond the end, trailing
//! bytes, values of ignored fields, sets out of order, missing required values, nesting deeper than
//! [`Reader::DEPTH_LIMIT`], and text of a UUID or an address in a form other than the written one.
//! A read takes a limited amount of memory: see
//! [`ReadOptions::memory`](crate::ReadOptions::memory). It accepts everything that the protobuf
//! specification obliges every reader to accept: fields in any order, a default value that is
//! written, map entries without their default key or value, packed and unpacked repeated scalars.
//!
//! Saving refuses values that could not be read back: a number that does not fit its proto kind, a
//! path that is not UTF-8, two keys that are equal on the wire, nesting beyond the limit.
//!
//! # Types and kinds
//!
//! | proto | Rust |
//! |---|---|
//! | `int32` to `sfixed64`, all ten | `u8` to `u64`, `usize`, `i8` to `i64`, `isize`, checked both ways; [`NonZero`](std::num::NonZero) and the atomic of each |
//! | `bool`, `float`, `double` | `bool`, `AtomicBool`, `f32`, `f64` (bit for bit) |
//! | `string` | `String`, `Box<str>`, `Arc<str>`, `Cow<str>`, `PathBuf`, `char`, `Uuid`, `IpAddr`, `Ipv4Addr`, `Ipv6Addr`, `SocketAddr`, [`Json<T>`](Json) |
//! | `uint32` | `char` too, by its code point |
//! | `bytes` | `Vec<u8>`, `Box<[u8]>`, `Arc<[u8]>`, [`Bytes`](::bytes::Bytes), `Cow<[u8]>`, `[u8; N]`, `u128`, `i128`, `PathBuf`, `OsString`, [`Json<T>`](Json) |
//! | `google.protobuf.Duration`, `Timestamp` | [`Duration`](std::time::Duration), [`Countdown`], [`SystemTime`](std::time::SystemTime), prost's own types |
//! | `google.protobuf.UInt64Value` and the other wrappers | a type for the wrapped kind, in an `Option` |
//! | `google.protobuf.Empty`, `FieldMask` | `()`, prost's own type |
//! | `google.protobuf.Any` | [`Child`](crate::Child), a payload, prost's own type unread |
//! | an enum, a message, a oneof | a type that derives `Snapshot` for it |
//! | `optional`, a message | `Option<T>`; a plain `T` is required |
//! | a field without presence | a plain `T`; `Option<T>` if `T` is [`NeverDefault`] |
//! | `repeated` | `Vec<T>`, `VecDeque<T>`, `Box<[T]>`, `[T; N]`; `BTreeSet<T>`, `HashSet<T, S>`, written sorted and read in no other order |
//! | `map` | `BTreeMap<K, V>`, `HashMap<K, V, S>`, written sorted; pairs and triples are `string` keys, `3/eth0` |
//!
//! A value in a `Box` or an `Arc` is saved like the value itself. One `Arc` in two places of a tree
//! is refused, because each place would get a separate value; `#[snapshot(unshared)]` allows it.
//! `Arc<str>` and `Arc<[u8]>`, which cannot change, may be anywhere. For other types there is
//! `#[snapshot(with = module)]`. Ready modules are [`display`], [`lenient_text`], [`json`],
//! [`json_text`], [`seconds`], [`millis`], [`micros`], [`nanos`] and [`unix_seconds`]. The modules
//! that round are [`seconds_rounded`], [`millis_rounded`], [`micros_rounded`],
//! [`unix_seconds_rounded`] and [`remaining_millis`].

mod adapter;
mod address;
mod any;
mod ascii;
mod atomic;
mod bytes;
mod canonical;
mod countdown;
mod cow;
mod field;
#[cfg(test)]
mod field_tests;
mod float;
pub(crate) mod form;
mod framing;
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
mod scope;
pub(crate) mod sealed;
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
mod value;
mod well_known;
mod wide_integer;
mod writer;

pub use adapter::{
    display, lenient_text, micros, micros_rounded, millis, millis_rounded, nanos,
    remaining as remaining_millis, seconds, seconds_rounded, unix_seconds, unix_seconds_rounded,
};
#[cfg(feature = "json")]
pub use adapter::{json, json_text};
pub use any::split_any;
pub(crate) use any::{
    any_ahead, any_size, close_any, close_bare_any, read_bare_any, split_bare_any, take_any_of,
    take_any_with,
};
pub(crate) use canonical::canonical;
pub use countdown::Countdown;
pub use field::WireField;
pub(crate) use framing::expect_wire_type;
use framing::{duplicate, missing, wrong_wire_type};
#[cfg(feature = "json")]
pub use json_document::Json;
pub use length::Length;
pub(crate) use memory::{controller_with, default_budget as default_memory, table_of, tree_entry};
pub use oneof::WireOneof;
use presence::take_once;
pub(crate) use prost_memory::charge_for_prost;
pub use reader::{Reader, Tag};
pub use reference::{Reference, ReferenceValues};
pub(crate) use refusals::{end as end_refusals, refuse};
pub(crate) use scope::{LeftBehind, ReadScope, SaveScope};
pub(crate) use sealed::Sealed;
pub(crate) use size::{delimited as delimited_size, varint as varint_size};
pub(crate) use strict::{check_strictly, wire_type_of};
pub(crate) use text::{Quoted, is_not_canonical};
pub(crate) use text_form::is_in_form;
use value::prefix_of_bytes;
pub use value::{NeverDefault, Single, Wire, WireKey};
pub use writer::Writer;

pub use crate::payload::{from_any_bytes, from_bytes, to_any_bytes, to_bytes};
pub use crate::version::to_bytes_as;
pub use crate::visit::Names;
