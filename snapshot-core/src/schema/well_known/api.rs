//! Types and services as messages: `google/protobuf/{type,api,source_context}.proto`.

use prost_types::field::{Cardinality, Kind};
use prost_types::{Any, Api, Enum, Method, Mixin, SourceContext, Syntax, Type};

use super::{enums, messages};
use crate::schema::kind::{self, Message, Optional, Repeated, Singular};
use crate::schema::{
    EnumDescriptor, EnumSchema, EnumValue, Field, FieldDescriptor, MessageDescriptor, Schema,
};

messages! {
    SourceContext as "google.protobuf.SourceContext": SourceContextFields {
        1 file_name: Singular<kind::String>
    }
    Type as "google.protobuf.Type": TypeFields {
        1 name: Singular<kind::String>,
        2 fields: Repeated<Message<prost_types::Field>>,
        3 oneofs: Repeated<kind::String>,
        4 options: Repeated<Message<prost_types::Option>>,
        5 source_context: Optional<Message<SourceContext>>,
        6 syntax: Singular<kind::Enum<Syntax>>
    }
    prost_types::Field as "google.protobuf.Field": FieldFields {
        1 kind: Singular<kind::Enum<Kind>>,
        2 cardinality: Singular<kind::Enum<Cardinality>>,
        3 number: Singular<kind::Int32>,
        4 name: Singular<kind::String>,
        6 type_url: Singular<kind::String>,
        7 oneof_index: Singular<kind::Int32>,
        8 packed: Singular<kind::Bool>,
        9 options: Repeated<Message<prost_types::Option>>,
        10 json_name: Singular<kind::String>,
        11 default_value: Singular<kind::String>
    }
    Enum as "google.protobuf.Enum": EnumFields {
        1 name: Singular<kind::String>,
        2 enumvalue: Repeated<Message<prost_types::EnumValue>>,
        3 options: Repeated<Message<prost_types::Option>>,
        4 source_context: Optional<Message<SourceContext>>,
        5 syntax: Singular<kind::Enum<Syntax>>
    }
    prost_types::EnumValue as "google.protobuf.EnumValue": EnumValueFields {
        1 name: Singular<kind::String>,
        2 number: Singular<kind::Int32>,
        3 options: Repeated<Message<prost_types::Option>>
    }
    prost_types::Option as "google.protobuf.Option": OptionFields {
        1 name: Singular<kind::String>, 2 value: Optional<Message<Any>>
    }
    Api as "google.protobuf.Api": ApiFields {
        1 name: Singular<kind::String>,
        2 methods: Repeated<Message<Method>>,
        3 options: Repeated<Message<prost_types::Option>>,
        4 version: Singular<kind::String>,
        5 source_context: Optional<Message<SourceContext>>,
        6 mixins: Repeated<Message<Mixin>>,
        7 syntax: Singular<kind::Enum<Syntax>>
    }
    Method as "google.protobuf.Method": MethodFields {
        1 name: Singular<kind::String>,
        2 request_type_url: Singular<kind::String>,
        3 request_streaming: Singular<kind::Bool>,
        4 response_type_url: Singular<kind::String>,
        5 response_streaming: Singular<kind::Bool>,
        6 options: Repeated<Message<prost_types::Option>>,
        7 syntax: Singular<kind::Enum<Syntax>>
    }
    Mixin as "google.protobuf.Mixin": MixinFields {
        1 name: Singular<kind::String>, 2 root: Singular<kind::String>
    }
}

enums! {
    Syntax as "Syntax": SyntaxValues { Proto2, Proto3 }
    Cardinality as "Cardinality": CardinalityValues { Unknown, Optional, Required, Repeated }
    Kind as "Kind": KindValues {
        TypeUnknown, TypeDouble, TypeFloat, TypeInt64, TypeUint64, TypeInt32, TypeFixed64,
        TypeFixed32, TypeBool, TypeString, TypeGroup, TypeMessage, TypeBytes, TypeUint32, TypeEnum,
        TypeSfixed32, TypeSfixed64, TypeSint32, TypeSint64
    }
}
