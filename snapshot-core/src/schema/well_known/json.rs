//! JSON as messages: `google/protobuf/struct.proto`.

use prost_types::value::Kind;
use prost_types::{ListValue, NullValue, Struct, Value};

use super::{enums, messages};
use crate::schema::kind::{self, Enum, Map, Message, Oneof, Optional, Repeated};
use crate::schema::{
    EnumDescriptor, EnumSchema, EnumValue, Field, FieldDescriptor, MessageDescriptor,
    OneofDescriptor, OneofSchema, Schema,
};

messages! {
    Struct as "google.protobuf.Struct": StructFields {
        1 fields: Map<kind::String, Message<Value>>
    }
    Value as "google.protobuf.Value": ValueFields {
        1 kind: Oneof<Kind>
    }
    ListValue as "google.protobuf.ListValue": ListValueFields {
        1 values: Repeated<Message<Value>>
    }
}

enums! {
    NullValue as "NullValue": NullValueValues { NullValue }
}

/// The members of the oneof in `google.protobuf.Value`.
#[derive(Clone, Copy)]
#[allow(non_snake_case, reason = "the fields have the names of the variants")]
pub struct KindMembers {
    /// Field 1.
    pub NullValue: Field<Optional<Enum<NullValue>>>,
    /// Field 2.
    pub NumberValue: Field<Optional<kind::Double>>,
    /// Field 3.
    pub StringValue: Field<Optional<kind::String>>,
    /// Field 4.
    pub BoolValue: Field<Optional<kind::Bool>>,
    /// Field 5.
    pub StructValue: Field<Optional<Message<Struct>>>,
    /// Field 6.
    pub ListValue: Field<Optional<Message<ListValue>>>,
}

impl crate::schema::sealed::SealedSchema for Kind {}

impl OneofSchema for Kind {
    type Members = KindMembers;
    const MEMBERS: KindMembers = KindMembers {
        NullValue: Field::new(1, "null_value"),
        NumberValue: Field::new(2, "number_value"),
        StringValue: Field::new(3, "string_value"),
        BoolValue: Field::new(4, "bool_value"),
        StructValue: Field::new(5, "struct_value"),
        ListValue: Field::new(6, "list_value"),
    };
    const DESCRIPTOR: &'static OneofDescriptor = &OneofDescriptor {
        name: "Kind",
        members: &[
            FieldDescriptor::of(&Self::MEMBERS.NullValue),
            FieldDescriptor::of(&Self::MEMBERS.NumberValue),
            FieldDescriptor::of(&Self::MEMBERS.StringValue),
            FieldDescriptor::of(&Self::MEMBERS.BoolValue),
            FieldDescriptor::of(&Self::MEMBERS.StructValue),
            FieldDescriptor::of(&Self::MEMBERS.ListValue),
        ],
    };
}
