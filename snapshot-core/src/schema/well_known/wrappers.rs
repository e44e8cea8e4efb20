//! The messages for which prost uses a plain Rust type: `Empty`, and scalars with presence.

use bytes::Bytes;

use super::messages;
use crate::schema::kind::{self, Singular};
use crate::schema::{Field, FieldDescriptor, MessageDescriptor, Schema};

messages! {
    () as "google.protobuf.Empty": EmptyFields {}
    f64 as "google.protobuf.DoubleValue": DoubleValueFields { 1 value: Singular<kind::Double> }
    f32 as "google.protobuf.FloatValue": FloatValueFields { 1 value: Singular<kind::Float> }
    i64 as "google.protobuf.Int64Value": Int64ValueFields { 1 value: Singular<kind::Int64> }
    u64 as "google.protobuf.UInt64Value": UInt64ValueFields { 1 value: Singular<kind::Uint64> }
    i32 as "google.protobuf.Int32Value": Int32ValueFields { 1 value: Singular<kind::Int32> }
    u32 as "google.protobuf.UInt32Value": UInt32ValueFields { 1 value: Singular<kind::Uint32> }
    bool as "google.protobuf.BoolValue": BoolValueFields { 1 value: Singular<kind::Bool> }
    String as "google.protobuf.StringValue": StringValueFields { 1 value: Singular<kind::String> }
    Vec<u8> as "google.protobuf.BytesValue": BytesValueFields { 1 value: Singular<kind::Bytes> }
    Bytes as "google.protobuf.BytesValue": SharedBytesValueFields { 1 value: Singular<kind::Bytes> }
}
