//! A parsed type: only valid facts, independent of how the attributes were written.

use proc_macro2::Ident;
use syn::{Path, Type};

/// The type that has the derive.
pub(super) struct ProstType {
    /// The type's name.
    pub(super) ident: Ident,
    /// The path of snapshot-core.
    pub(super) krate: Path,
    /// The counterpart of the type in the proto file.
    pub(super) data: Data,
}

/// The counterpart of a Rust type in the proto file.
pub(super) enum Data {
    /// A message, its fields in ascending number.
    Message(Vec<ProstField>),
    /// A oneof, its members in ascending number.
    Oneof(Vec<ProstField>),
    /// An enum, its values in declared order.
    Enum(Vec<Ident>),
}

/// A field of a message or a member of a oneof.
pub(super) struct ProstField {
    /// prost's name: that of the struct's field or the enum's variant.
    pub(super) ident: Ident,
    /// The proto name.
    pub(super) name: String,
    /// The field number; for a oneof, the lowest number of its members.
    pub(super) number: u32,
    /// The kind of the whole field.
    pub(super) shape: FieldKind,
}

/// The kind of a whole field: `kind::FieldKind` of snapshot-core, before it is a type.
pub(super) enum FieldKind {
    Singular(ValueKind),
    Optional(ValueKind),
    Repeated(ValueKind),
    Packed(ValueKind),
    Map(Scalar, ValueKind),
    Oneof(Path),
    Group,
}

/// The kind of one value: `kind::Kind` of snapshot-core, before it is a type.
pub(super) enum ValueKind {
    Scalar(Scalar),
    Enum(Path),
    Message(Type),
}

/// A scalar kind of the proto language.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
}

impl Scalar {
    /// The scalar of a proto name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "double" => Scalar::Double,
            "float" => Scalar::Float,
            "int32" => Scalar::Int32,
            "int64" => Scalar::Int64,
            "uint32" => Scalar::Uint32,
            "uint64" => Scalar::Uint64,
            "sint32" => Scalar::Sint32,
            "sint64" => Scalar::Sint64,
            "fixed32" => Scalar::Fixed32,
            "fixed64" => Scalar::Fixed64,
            "sfixed32" => Scalar::Sfixed32,
            "sfixed64" => Scalar::Sfixed64,
            "bool" => Scalar::Bool,
            "string" => Scalar::String,
            "bytes" => Scalar::Bytes,
            _ => return None,
        })
    }

    /// The name of the type in snapshot-core's `kind`.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Scalar::Double => "Double",
            Scalar::Float => "Float",
            Scalar::Int32 => "Int32",
            Scalar::Int64 => "Int64",
            Scalar::Uint32 => "Uint32",
            Scalar::Uint64 => "Uint64",
            Scalar::Sint32 => "Sint32",
            Scalar::Sint64 => "Sint64",
            Scalar::Fixed32 => "Fixed32",
            Scalar::Fixed64 => "Fixed64",
            Scalar::Sfixed32 => "Sfixed32",
            Scalar::Sfixed64 => "Sfixed64",
            Scalar::Bool => "Bool",
            Scalar::String => "String",
            Scalar::Bytes => "Bytes",
        }
    }

    /// Whether values of it can share one tag.
    pub(super) fn is_packable(self) -> bool {
        !matches!(self, Scalar::String | Scalar::Bytes)
    }

    /// Whether it can be the key of a map.
    pub(super) fn is_key(self) -> bool {
        !matches!(self, Scalar::Double | Scalar::Float | Scalar::Bytes)
    }
}
