//! The kinds of protobuf values and fields as types, so that a mismatch is a compile error.
//!
//! A *value kind* (`Uint32`, `String`, `Message<M>`, ...) is the kind of one value on the wire. A
//! *field kind* (`Singular<K>`, `Repeated<K>`, `Map<K, V>`, ...) is the kind of a whole field.

use std::marker::PhantomData;

use super::descriptor::{
    EnumDescriptor, FieldDescriptor, FieldShape, MessageDescriptor, OneofDescriptor, ValueKind,
};
use super::{EnumSchema, Field, OneofSchema, Schema};

/// The wire type of a value: the lowest three bits of its tag.
/// Source: <https://protobuf.dev/programming-guides/encoding/#structure>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WireType {
    /// A base-128 varint.
    Varint = 0,
    /// Eight bytes, little-endian.
    Fixed64 = 1,
    /// A length as a varint, followed by that number of bytes.
    Len = 2,
    /// Four bytes, little-endian.
    Fixed32 = 5,
}

impl WireType {
    /// Returns the wire type in the lowest three bits of a tag, or `None` for groups and unassigned
    /// numbers.
    #[inline(always)]
    pub(crate) fn of_tag(tag: u8) -> Option<Self> {
        // A table, since a `match` compiles to jumps.
        static TYPES: [Option<WireType>; 8] = {
            let mut types = [None; 8];
            types[0] = Some(WireType::Varint);
            types[1] = Some(WireType::Fixed64);
            types[2] = Some(WireType::Len);
            types[5] = Some(WireType::Fixed32);
            types
        };
        TYPES[usize::from(tag & 7)]
    }

    /// The name used in errors.
    pub const fn as_str(self) -> &'static str {
        match self {
            WireType::Varint => "varint",
            WireType::Fixed64 => "64-bit",
            WireType::Len => "length-delimited",
            WireType::Fixed32 => "32-bit",
        }
    }
}

/// A value kind: the kind of one value on the wire.
pub trait Kind: 'static {
    /// The wire type of a value of this kind.
    const WIRE_TYPE: WireType;
    /// The kind as data, for manifests and tools.
    const VALUE: ValueKind;
    /// The words for the kind, for compile errors about a type that does not fit.
    #[doc(hidden)]
    const WORDS: Words;
}

/// The words for a value kind in compile errors.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct Words {
    /// Its name in a `.proto` file.
    pub name: &'static str,
    /// The Rust type to use for it, in three parts, since a constant cannot join strings.
    pub held_by: [&'static str; 3],
}

/// A field kind: the kind of a whole field.
pub trait FieldKind: 'static {
    /// The kind as data, for manifests and tools.
    const SHAPE: FieldShape;
    /// The members of a oneof in ascending number; empty for any other field.
    #[doc(hidden)]
    const MEMBERS: &'static [FieldDescriptor] = &[];
    /// The wire type of the field in canonical encoding, and whether the field can occur several
    /// times; `None` if that depends on the value.
    #[doc(hidden)]
    const FRAME: Option<Frame> = None;
    /// The words for its value kind; for the key and the value of a map. A oneof and a group have
    /// only a name.
    #[doc(hidden)]
    const WORDS: [Words; 2];
}

impl FieldDescriptor {
    /// Creates the descriptor of a typed field constant.
    pub const fn of<F: FieldKind>(field: &Field<F>) -> Self {
        Self { number: field.number(), name: field.name(), shape: F::SHAPE }
    }
}

/// The wire type of a field in canonical encoding, and whether the field can occur several times.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct Frame {
    pub(crate) wire_type: WireType,
    pub(crate) repeats: bool,
}

impl Frame {
    const fn once(wire_type: WireType) -> Option<Self> {
        Some(Self { wire_type, repeats: false })
    }

    const fn often(wire_type: WireType) -> Option<Self> {
        Some(Self { wire_type, repeats: true })
    }
}

/// Fills the second place of a field kind that has only one value kind.
const NO_WORDS: Words = Words { name: "", held_by: [""; 3] };

macro_rules! scalar_kinds {
    ($($(#[$doc:meta])* $name:ident $wire:ident, $proto:literal in $held_by:literal)*) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Kind for $name {
            const WIRE_TYPE: WireType = WireType::$wire;
            const VALUE: ValueKind = ValueKind::$name;
            const WORDS: Words = Words { name: $proto, held_by: [$held_by, "", ""] };
        }
    )*};
}

scalar_kinds! {
    /// proto `double`.
    Double Fixed64, "double" in "`f64`"
    /// proto `float`.
    Float Fixed32, "float" in "`f32`"
    /// proto `int32`.
    Int32 Varint, "int32" in "an integer type"
    /// proto `int64`.
    Int64 Varint, "int64" in "an integer type"
    /// proto `uint32`.
    Uint32 Varint, "uint32" in "an integer type"
    /// proto `uint64`.
    Uint64 Varint, "uint64" in "an integer type"
    /// proto `sint32`.
    Sint32 Varint, "sint32" in "an integer type"
    /// proto `sint64`.
    Sint64 Varint, "sint64" in "an integer type"
    /// proto `fixed32`.
    Fixed32 Fixed32, "fixed32" in "an integer type"
    /// proto `fixed64`.
    Fixed64 Fixed64, "fixed64" in "an integer type"
    /// proto `sfixed32`.
    Sfixed32 Fixed32, "sfixed32" in "an integer type"
    /// proto `sfixed64`.
    Sfixed64 Fixed64, "sfixed64" in "an integer type"
    /// proto `bool`.
    Bool Varint, "bool" in "`bool`"
    /// proto `string`.
    String Len, "string" in "a text type (`String`, `PathBuf`, `Uuid`, `IpAddr`, ...)"
    /// proto `bytes`.
    Bytes Len, "bytes" in "`Vec<u8>`, `[u8; N]` or `Json<T>` (where serde reads and writes `T`)"
}

/// A proto enum, by its prost type.
pub struct Enum<E>(PhantomData<fn() -> E>);
/// A proto message, by its prost type.
pub struct Message<M>(PhantomData<fn() -> M>);
/// `google.protobuf.Any`.
pub type Any = Message<prost_types::Any>;

impl<E: EnumSchema> Kind for Enum<E> {
    const WIRE_TYPE: WireType = WireType::Varint;
    const VALUE: ValueKind = ValueKind::Enum(enum_of::<E>);
    const WORDS: Words = Words {
        name: E::DESCRIPTOR.name,
        held_by: ["an enum that derives `Snapshot` with `stage = ...::", E::DESCRIPTOR.name, "`"],
    };
}

impl<M: Schema> Kind for Message<M> {
    const WIRE_TYPE: WireType = WireType::Len;
    const VALUE: ValueKind = ValueKind::Message(message_of::<M>);
    const WORDS: Words = match M::WORDS {
        Some(words) => words,
        None => Words {
            name: M::DESCRIPTOR.name,
            held_by: [
                "a struct that derives `Snapshot` with `message = ...::",
                M::DESCRIPTOR.name,
                "`",
            ],
        },
    };
}

/// A singular proto3 scalar or enum field: its default value is not written.
pub struct Singular<K>(PhantomData<fn() -> K>);
/// A field that can be absent: `optional` scalars and every singular message.
pub struct Optional<K>(PhantomData<fn() -> K>);
/// A `repeated` field whose values each have a tag.
pub struct Repeated<K>(PhantomData<fn() -> K>);
/// A `repeated` field whose values share one tag and length.
pub struct Packed<K>(PhantomData<fn() -> K>);
/// A `map<K, V>` field.
pub struct Map<K, V>(PhantomData<fn() -> (K, V)>);
/// A `oneof`, by its prost enum.
pub struct Oneof<O>(PhantomData<fn() -> O>);
/// A proto2 group. No Rust type can be saved as a group, but a message that has one can be used.
pub struct Group;

impl<K: Kind> FieldKind for Singular<K> {
    const SHAPE: FieldShape = FieldShape::Singular(K::VALUE);
    const FRAME: Option<Frame> = Frame::once(K::WIRE_TYPE);
    const WORDS: [Words; 2] = [K::WORDS, NO_WORDS];
}
impl<K: Kind> FieldKind for Optional<K> {
    const SHAPE: FieldShape = FieldShape::Optional(K::VALUE);
    const FRAME: Option<Frame> = Frame::once(K::WIRE_TYPE);
    const WORDS: [Words; 2] = [K::WORDS, NO_WORDS];
}
impl<K: Kind> FieldKind for Repeated<K> {
    const SHAPE: FieldShape = FieldShape::Repeated(K::VALUE);
    const FRAME: Option<Frame> = Frame::often(K::WIRE_TYPE);
    const WORDS: [Words; 2] = [K::WORDS, NO_WORDS];
}
impl<K: Kind> FieldKind for Packed<K> {
    const SHAPE: FieldShape = FieldShape::Packed(K::VALUE);
    const FRAME: Option<Frame> = Frame::once(WireType::Len);
    const WORDS: [Words; 2] = [K::WORDS, NO_WORDS];
}
impl<K: Kind, V: Kind> FieldKind for Map<K, V> {
    const SHAPE: FieldShape = FieldShape::Map(K::VALUE, V::VALUE);
    const FRAME: Option<Frame> = Frame::often(WireType::Len);
    const WORDS: [Words; 2] = [K::WORDS, V::WORDS];
}
impl<O: OneofSchema> FieldKind for Oneof<O> {
    const SHAPE: FieldShape = FieldShape::Oneof(oneof_of::<O>);
    const MEMBERS: &'static [FieldDescriptor] = O::DESCRIPTOR.members;
    const WORDS: [Words; 2] = [Words { name: O::DESCRIPTOR.name, ..NO_WORDS }, NO_WORDS];
}
impl FieldKind for Group {
    const SHAPE: FieldShape = FieldShape::Opaque;
    const WORDS: [Words; 2] = [Words { name: "group", ..NO_WORDS }, NO_WORDS];
}

// Descriptors hold these functions instead of references: schemas may be recursive, constants may not.

fn enum_of<E: EnumSchema>() -> &'static EnumDescriptor {
    E::DESCRIPTOR
}

fn message_of<M: Schema>() -> &'static MessageDescriptor {
    M::DESCRIPTOR
}

fn oneof_of<O: OneofSchema>() -> &'static OneofDescriptor {
    O::DESCRIPTOR
}
