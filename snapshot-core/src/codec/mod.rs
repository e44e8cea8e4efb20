//! The codec: canonical protobuf out, strict protobuf in, without an intermediate message.
//!
//! Writing is canonical: fields in ascending number, proto3 defaults left out, map entries always
//! with key and value, maps sorted (integers by value, strings by bytes). One state has one
//! encoding, the same that protobuf-go writes in deterministic mode.
//!
//! Reading refuses, with the field's path and the byte offset, whatever this build could lose or
//! misread: unknown fields, wrong wire types, a singular field or a map key twice, unknown enum
//! values, numbers out of range, over-long varints, groups, lengths past the end, trailing bytes,
//! missing required values, nesting past [`Reader::DEPTH_LIMIT`], and text of a UUID or an address in
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
//! | `int32` to `sfixed64`, all ten | `u8` to `u64`, `usize`, `i8` to `i64`, `isize`, checked both ways; [`NonZero`](std::num::NonZero) of each |
//! | `bool`, `float`, `double` | `bool`, `f32`, `f64` (bit for bit) |
//! | `string` | `String`, `Box<str>`, `Arc<str>`, `PathBuf`, `char`, `Uuid`, `IpAddr`, `Ipv4Addr`, `Ipv6Addr`, `SocketAddr`, [`Json<T>`](Json) |
//! | `uint32` | `char` too, by its code point |
//! | `bytes` | `Vec<u8>`, `Box<[u8]>`, `Arc<[u8]>`, [`Bytes`](::bytes::Bytes), `[u8; N]`, [`Json<T>`](Json) |
//! | `google.protobuf.Duration`, `Timestamp` | [`Duration`](std::time::Duration), [`SystemTime`](std::time::SystemTime), prost's own types |
//! | `google.protobuf.UInt64Value` and the other wrappers | what fits the wrapped kind, in an `Option` |
//! | `google.protobuf.Empty`, `FieldMask` | `()`, prost's own type |
//! | `google.protobuf.Any` | [`Child`](crate::Child), a payload, prost's own type unread |
//! | an enum, a message, a oneof | what derives `Snapshot` for it |
//! | `optional`, a message | `Option<T>`; a plain `T` is required |
//! | neither | a plain `T`; `Option<T>` if `T` is [`NeverDefault`] |
//! | `repeated` | `Vec<T>`, `VecDeque<T>`, `Box<[T]>`, `[T; N]`; `BTreeSet<T>`, `HashSet<T, S>`, written sorted |
//! | `map` | `BTreeMap<K, V>`, `HashMap<K, V, S>`, written sorted |
//!
//! Anything in a `Box` or an `Arc` is saved as what it points at. For other types there is
//! `#[snapshot(with = module)]`; ready modules are [`display`], [`lenient_text`], [`json`],
//! [`json_text`], [`seconds`], [`millis`], [`micros`], [`nanos`] and [`unix_seconds`].

mod adapter;
mod address;
mod any;
mod ascii;
mod bytes;
mod canonical;
mod field;
#[cfg(test)]
mod field_tests;
mod float;
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
mod pointer;
mod presence;
mod prost_memory;
mod reader;
mod reference;
mod refusals;
mod scope;
mod set;
mod size;
mod strict;
mod text;
#[cfg(feature = "uuid")]
mod uuid;
#[cfg(feature = "uuid")]
mod uuid_text;
mod value;
mod well_known;
mod writer;

pub use adapter::{display, lenient_text, micros, millis, nanos, seconds, unix_seconds};
#[cfg(feature = "json")]
pub use adapter::{json, json_text};
pub use any::split_any;
pub(crate) use any::{
    any_size, close_any, close_bare_any, put_in_any, read_bare_any, split_bare_any, take_any_of,
    take_any_with,
};
pub(crate) use canonical::canonical;
pub use field::WireField;
pub(crate) use framing::expect_wire_type;
use framing::{duplicate, missing, wrong_wire_type};
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
pub(crate) use scope::{ReadScope, SaveScope};
pub(crate) use size::{delimited as delimited_size, varint as varint_size};
pub(crate) use strict::{check_strictly, wire_type_of};
pub(crate) use text::{Quoted, is_not_canonical};
use value::prefix_of_bytes;
pub use value::{NeverDefault, Single, Wire, WireKey};
pub use writer::Writer;

pub use crate::payload::{from_any_bytes, from_bytes, to_any_bytes, to_bytes};
pub use crate::version::to_bytes_as;
pub use crate::visit::Names;
