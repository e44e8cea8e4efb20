//! What has a message type of its own in `prost_types`.

use super::messages;
use crate::schema::kind::{self, Repeated, Singular};
use crate::schema::{Field, FieldDescriptor, MessageDescriptor, Schema};

messages! {
    prost_types::Any as "google.protobuf.Any": AnyFields {
        1 type_url: Singular<kind::String>, 2 value: Singular<kind::Bytes>
    }
    prost_types::Duration as "google.protobuf.Duration": DurationFields {
        1 seconds: Singular<kind::Int64>, 2 nanos: Singular<kind::Int32>
    }
    prost_types::Timestamp as "google.protobuf.Timestamp": TimestampFields {
        1 seconds: Singular<kind::Int64>, 2 nanos: Singular<kind::Int32>
    }
    prost_types::FieldMask as "google.protobuf.FieldMask": FieldMaskFields {
        1 paths: Repeated<kind::String>
    }
}
