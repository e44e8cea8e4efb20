//! What has a message type of its own in `prost_types`.

use super::messages;
use crate::schema::kind::{self, Repeated, Singular};
use crate::schema::{Field, FieldDescriptor, MessageDescriptor, Schema};

messages! {
    prost_types::Any as "google.protobuf.Any",
        held by "a `Child` of the controller, or a struct that derives `Snapshot` with a `version`": AnyFields {
        1 type_url: Singular<kind::String>, 2 value: Singular<kind::Bytes>
    }
    prost_types::Duration as "google.protobuf.Duration",
        held by "`std::time::Duration`": DurationFields {
        1 seconds: Singular<kind::Int64>, 2 nanos: Singular<kind::Int32>
    }
    prost_types::Timestamp as "google.protobuf.Timestamp",
        held by "`std::time::SystemTime`": TimestampFields {
        1 seconds: Singular<kind::Int64>, 2 nanos: Singular<kind::Int32>
    }
    prost_types::FieldMask as "google.protobuf.FieldMask",
        held by "`prost_types::FieldMask`": FieldMaskFields {
        1 paths: Repeated<kind::String>
    }
}
