//! The messages for which prost uses a plain Rust type: `Empty`, and scalars with presence.

use bytes::Bytes;

use super::messages;
use crate::schema::kind::{self, Singular};
use crate::schema::{Field, FieldDescriptor, MessageDescriptor, Schema};

messages! {
    () as "google.protobuf.Empty", held by "`()`": EmptyFields {}
    f64 as "google.protobuf.DoubleValue", held by "`f64`": DoubleValueFields {
        1 value: Singular<kind::Double>
    }
    f32 as "google.protobuf.FloatValue", held by "`f32`": FloatValueFields {
        1 value: Singular<kind::Float>
    }
    i64 as "google.protobuf.Int64Value", held by "an integer type": Int64ValueFields {
        1 value: Singular<kind::Int64>
    }
    u64 as "google.protobuf.UInt64Value", held by "an integer type": UInt64ValueFields {
        1 value: Singular<kind::Uint64>
    }
    i32 as "google.protobuf.Int32Value", held by "an integer type": Int32ValueFields {
        1 value: Singular<kind::Int32>
    }
    u32 as "google.protobuf.UInt32Value", held by "an integer type": UInt32ValueFields {
        1 value: Singular<kind::Uint32>
    }
    bool as "google.protobuf.BoolValue", held by "`bool`": BoolValueFields {
        1 value: Singular<kind::Bool>
    }
    String as "google.protobuf.StringValue",
        held by "a text type (`String`, `PathBuf`, `Uuid`, ...)": StringValueFields {
        1 value: Singular<kind::String>
    }
    Vec<u8> as "google.protobuf.BytesValue", held by "`Vec<u8>`": BytesValueFields {
        1 value: Singular<kind::Bytes>
    }
    Bytes as "google.protobuf.BytesValue", held by "`Vec<u8>`": SharedBytesValueFields {
        1 value: Singular<kind::Bytes>
    }
}
