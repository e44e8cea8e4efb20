//! A `Timestamp` of another crate that says nowhere which message it is: it has no `prost::Name`, and
//! its path does not lead through `google::protobuf`.

use std::time::SystemTime;

use snapshot_core::{Schema, Snapshot};

mod times {
    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub struct Timestamp {
        #[prost(int64, tag = "1")]
        pub seconds: i64,
        #[prost(int32, tag = "2")]
        pub nanos: i32,
    }
}

#[derive(Schema, Clone, PartialEq, prost::Message)]
pub struct Task {
    #[prost(message, optional, tag = "1")]
    pub started: Option<crate::times::Timestamp>,
}

#[derive(Snapshot)]
#[snapshot(message = Task)]
struct TaskState {
    started: Option<SystemTime>,
}

fn main() {}
