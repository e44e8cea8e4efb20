//! The kinds of protobuf values and fields, as types, so that a mismatch is a compile error.
//!
//! A *value kind* (`Uint32`, `String`, `Message<M>`, ...) is what one value on the wire can be; a
//! *field kind* (`Singular<K>`, `Repeated<K>`, `Map<K, V>`, ...) is what a whole field can be.

use std::marker::PhantomData;

use super::descriptor::{
    EnumDescriptor, FieldDescriptor, FieldShape, MessageDescriptor, OneofDescriptor, ValueKind,
};
use super::{EnumSchema, Field, OneofSchema, Schema};

/// The wire type of a tag: the lowest three bits.
/// Source: <https://protobuf.dev/programming-guides/encoding/#structure>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WireType {
    /// A base-128 varint.
    Varint = 0,
    /// Eight bytes, little-endian.
    Fixed64 = 1,
    /// A varint length and as many bytes.
    Len = 2,
    /// Four bytes, little-endian.
    Fixed32 = 5,
}

impl WireType {
    /// The wire type in the lowest three bits of a tag; `None` for groups and for what is none.
    #[inline(always)]
    pub(crate) fn of_tag(tag: u8) -> Option<Self> {
        // A table, since a `match` becomes jumps.
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

/// A value kind: what one value on the wire can be.
pub trait Kind: 'static {
    /// How a value of this kind is framed.
    const WIRE_TYPE: WireType;
    /// The kind as data, for manifests and tools.
    const VALUE: ValueKind;
    /// The kind in words, for what the compiler says of a type that does not fit.
    #[doc(hidden)]
    const WORDS: Words;
}

/// A value kind in words.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct Words {
    /// What a `.proto` file calls it.
    pub name: &'static str,
    /// What holds it in Rust, in three parts: a constant cannot join them.
    pub held_by: [&'static str; 3],
}

/// A field kind: what a whole field can be.
pub trait FieldKind: 'static {
    /// The kind as data, for manifests and tools.
    const SHAPE: FieldShape;
    /// Of a oneof, its members in ascending number; of any other field, nothing.
    #[doc(hidden)]
    const MEMBERS: &'static [FieldDescriptor] = &[];
    /// How canonical encoding frames the field, and whether it can be there several times; `None`
    /// where that depends on the value.
    #[doc(hidden)]
    const FRAME: Option<Frame> = None;
    /// Its value kind, of a map key and value, of a oneof or group nothing but the name.
    #[doc(hidden)]
    const WORDS: [Words; 2];
}

impl FieldDescriptor {
    /// The descriptor of a typed field constant.
    pub const fn of<F: FieldKind>(field: &Field<F>) -> Self {
        Self { number: field.number(), name: field.name(), shape: F::SHAPE }
    }
}

/// How canonical encoding frames a field.
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

/// Instead of the second value kind, where there is one only.
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
/// A proto2 group. No Rust type can be saved as one, but a message that has one can be used.
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
