//! Schemas as constant data, for errors, manifests and tools.

/// The kind of one value.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is the proto scalar of that name")]
pub enum ValueKind {
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
    /// An enum. It is a function because schemas may be recursive and constants may not.
    Enum(fn() -> &'static EnumDescriptor),
    /// A message; a function for the same reason.
    Message(fn() -> &'static MessageDescriptor),
}

/// The shape of a whole field.
#[derive(Clone, Copy, Debug)]
pub enum FieldShape {
    /// Implicit presence: the default value is not written.
    Singular(ValueKind),
    /// Explicit presence: an absent field differs from the default value.
    Optional(ValueKind),
    /// A repeated field with a tag for each value.
    Repeated(ValueKind),
    /// A repeated field with one tag for all values.
    Packed(ValueKind),
    /// A map, with the kinds of its keys and values.
    Map(ValueKind, ValueKind),
    /// A oneof; the descriptor lists its members.
    Oneof(fn() -> &'static OneofDescriptor),
    /// A field that cannot be saved or described: a proto2 group, or a message, enum or oneof whose
    /// Rust type has no schema because another crate generated it.
    Opaque,
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub struct FieldDescriptor {
    /// The field number, 1 to 536,870,911. The number of a oneof is its lowest member's.
    pub number: u32,
    /// The proto name, as far as prost-build preserves it: it turns `camelCase` into `camel_case`, and
    /// the oneof name `ipv4_2nd` into `ipv42nd`.
    pub name: &'static str,
    /// The shape of the field.
    pub shape: FieldShape,
}

impl FieldDescriptor {
    /// Returns the shape of the field with this number, if it is this field or a member of this oneof.
    pub(crate) fn shape_of(&self, number: u32) -> Option<FieldShape> {
        match self.shape {
            FieldShape::Oneof(oneof) => {
                oneof().members.iter().find(|member| member.number == number).map(|m| m.shape)
            }
            shape => (self.number == number).then_some(shape),
        }
    }
}

/// The descriptor of a message: its name and its fields.
#[derive(Clone, Copy, Debug)]
pub struct MessageDescriptor {
    /// The message's own name, without package or enclosing messages.
    pub name: &'static str,
    /// The full proto name, `lcow.v1.ScsiSnapshot.DiskState`; [`MessageDescriptor::name`] alone if
    /// the prost type has no `prost::Name` (prost-build: `enable_type_names`).
    pub full_name: fn() -> String,
    /// The fields in ascending number. A oneof is one field, at the place of its lowest number.
    pub fields: &'static [FieldDescriptor],
}

impl MessageDescriptor {
    /// Returns the proto name of the field, or member of a oneof, with this number.
    pub fn field_name(&self, number: u32) -> Option<&'static str> {
        self.fields.iter().find_map(|field| match field.shape {
            FieldShape::Oneof(oneof) => {
                oneof().members.iter().find(|member| member.number == number).map(|m| m.name)
            }
            _ => (field.number == number).then_some(field.name),
        })
    }
}

/// The descriptor of a oneof.
#[derive(Clone, Copy, Debug)]
pub struct OneofDescriptor {
    /// The name of the prost enum.
    pub name: &'static str,
    /// The members in ascending number; each has the shape [`FieldShape::Optional`].
    pub members: &'static [FieldDescriptor],
}

impl OneofDescriptor {
    /// Returns whether a member has this field number.
    pub const fn contains(&self, number: u32) -> bool {
        let mut i = 0;
        while i < self.members.len() {
            if self.members[i].number == number {
                return true;
            }
            i += 1;
        }
        false
    }
}

/// The descriptor of an enum.
#[derive(Clone, Copy, Debug)]
pub struct EnumDescriptor {
    /// The name of the prost enum, without package or enclosing messages.
    pub name: &'static str,
    /// The values, in the order of their declaration.
    pub values: &'static [EnumValue],
}

/// One value of an enum.
#[derive(Clone, Copy, Debug)]
pub struct EnumValue {
    /// The name of the prost variant: the proto name without the enum's prefix, in camel case.
    pub variant: &'static str,
    /// The proto name, such as `DISK_STAGE_ATTACHED`. It is a function because prost's is not `const`.
    pub proto_name: fn() -> &'static str,
    /// The number on the wire.
    pub number: i32,
}

impl EnumDescriptor {
    /// Returns the value with this number.
    pub fn value(&self, number: i32) -> Option<&'static EnumValue> {
        self.values.iter().find(|value| value.number == number)
    }
}
