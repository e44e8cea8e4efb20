//! Schemas as constant data, for errors, manifests and tools.

/// What one value is.
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
    /// An enum. Behind a function, because schemas may be recursive and constants may not.
    Enum(fn() -> &'static EnumDescriptor),
    /// A message, behind a function for the same reason.
    Message(fn() -> &'static MessageDescriptor),
}

/// What a whole field is.
#[derive(Clone, Copy, Debug)]
pub enum FieldShape {
    /// Implicit presence: the default value is left out.
    Singular(ValueKind),
    /// Explicit presence: absent and default differ.
    Optional(ValueKind),
    /// A tag for each value.
    Repeated(ValueKind),
    /// One tag for all values.
    Packed(ValueKind),
    /// A map: key, value.
    Map(ValueKind, ValueKind),
    /// A oneof; its members are in the descriptor.
    Oneof(fn() -> &'static OneofDescriptor),
    /// What cannot be saved and has no description: a proto2 group, or a message, enum or oneof
    /// whose Rust type has no schema because another crate generated it.
    Opaque,
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub struct FieldDescriptor {
    /// The field number, 1 to 536,870,911; of a oneof, its lowest member's.
    pub number: u32,
    /// The proto name, as far as prost-build keeps it: `camelCase` has become `camel_case`, and a
    /// oneof's `ipv4_2nd` has become `ipv42nd`.
    pub name: &'static str,
    /// What the field is.
    pub shape: FieldShape,
}

/// A message: its name and its fields in ascending number.
#[derive(Clone, Copy, Debug)]
pub struct MessageDescriptor {
    /// The message's own name, without package or enclosing messages.
    pub name: &'static str,
    /// The full proto name, `lcow.v1.ScsiSnapshot.DiskState`; [`MessageDescriptor::name`] alone if
    /// the prost type has no `prost::Name` (prost-build: `enable_type_names`).
    pub full_name: fn() -> String,
    /// The fields in ascending number, a oneof as one field at its lowest number.
    pub fields: &'static [FieldDescriptor],
}

impl MessageDescriptor {
    /// The proto name of the field with this number, members of oneofs included.
    pub fn field_name(&self, number: u32) -> Option<&'static str> {
        self.fields.iter().find_map(|field| match field.shape {
            FieldShape::Oneof(oneof) => {
                oneof().members.iter().find(|member| member.number == number).map(|m| m.name)
            }
            _ => (field.number == number).then_some(field.name),
        })
    }
}

/// A oneof: its members in ascending number.
#[derive(Clone, Copy, Debug)]
pub struct OneofDescriptor {
    /// The name of the prost enum.
    pub name: &'static str,
    /// The members in ascending number; each has the shape [`FieldShape::Optional`].
    pub members: &'static [FieldDescriptor],
}

impl OneofDescriptor {
    /// Whether a field number is one of the members'.
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

/// An enum: its values in declared order.
#[derive(Clone, Copy, Debug)]
pub struct EnumDescriptor {
    /// The name of the prost enum, without package or enclosing messages.
    pub name: &'static str,
    /// The values.
    pub values: &'static [EnumValue],
}

/// One value of an enum.
#[derive(Clone, Copy, Debug)]
pub struct EnumValue {
    /// The name of the prost variant: the proto name with the enum's prefix stripped, in camel case.
    pub variant: &'static str,
    /// The proto name, `DISK_STAGE_ATTACHED`. A function, because prost's is not `const`.
    pub proto_name: fn() -> &'static str,
    /// The number on the wire.
    pub number: i32,
}

impl EnumDescriptor {
    /// The value with this number.
    pub fn value(&self, number: i32) -> Option<&'static EnumValue> {
        self.values.iter().find(|value| value.number == number)
    }
}
