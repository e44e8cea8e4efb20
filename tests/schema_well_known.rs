//! Fields with the well-known types of another crate, as prost-build writes them with `extern_path`.

#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    reason = "as prost-build writes them"
)]

use std::time::{Duration, SystemTime};

use prost::{Message, Name};
use snapshot_core::codec::{from_bytes, to_any_bytes, to_bytes};
use snapshot_core::schema::kind::{self, Optional, Repeated};
use snapshot_core::schema::{Field, FieldShape, Schema, ValueKind};
use snapshot_core::{Snapshot, testing};

/// Types of another crate, without `derive(Schema)`.
mod foreign {
    /// Types with other names and with `prost::Name`, as in prost-wkt-types.
    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub struct Moment {
        #[prost(int64, tag = "1")]
        pub seconds: i64,
        #[prost(int32, tag = "2")]
        pub nanos: i32,
    }

    impl prost::Name for Moment {
        const NAME: &'static str = "Timestamp";
        const PACKAGE: &'static str = "google.protobuf";
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Any {
        #[prost(string, tag = "1")]
        pub type_url: String,
        #[prost(bytes = "bytes", tag = "2")]
        pub value: bytes::Bytes,
    }

    impl prost::Name for Any {
        const NAME: &'static str = "Any";
        const PACKAGE: &'static str = "google.protobuf";
    }

    /// Types without `prost::Name`, as in pbjson-types: the path contains the proto name.
    pub mod google {
        pub mod protobuf {
            #[derive(Clone, Copy, PartialEq, prost::Message)]
            pub struct Duration {
                #[prost(int64, tag = "1")]
                pub seconds: i64,
                #[prost(int32, tag = "2")]
                pub nanos: i32,
            }

            /// In prost-types this is a plain `u32`.
            #[derive(Clone, Copy, PartialEq, prost::Message)]
            pub struct UInt32Value {
                #[prost(uint32, tag = "1")]
                pub value: u32,
            }
        }
    }

    /// A message that only shares its name with a well-known one.
    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub struct Timestamp {
        #[prost(fixed64, tag = "1")]
        pub ticks: u64,
    }

    impl prost::Name for Timestamp {
        const NAME: &'static str = "Timestamp";
        const PACKAGE: &'static str = "clock.v1";
    }
}

#[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
pub struct TaskSnapshot {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    #[prost(message, optional, tag = "2")]
    pub started: Option<crate::foreign::Moment>,
    #[prost(message, optional, tag = "3")]
    pub limit: Option<foreign::google::protobuf::Duration>,
    #[prost(message, repeated, tag = "4")]
    pub pauses: Vec<foreign::google::protobuf::Duration>,
    #[prost(message, optional, tag = "5")]
    pub exit_code: Option<foreign::google::protobuf::UInt32Value>,
    #[prost(message, optional, tag = "6")]
    pub detail: Option<crate::foreign::Any>,
    #[prost(map = "string, message", tag = "7")]
    pub marks: std::collections::HashMap<String, crate::foreign::Moment>,
    #[prost(oneof = "Ending", tags = "8, 9")]
    pub ending: Option<Ending>,
    #[prost(message, optional, tag = "10")]
    pub ticks: Option<crate::foreign::Timestamp>,
}

impl Name for TaskSnapshot {
    const NAME: &'static str = "TaskSnapshot";
    const PACKAGE: &'static str = "test.known.v1";
}

#[derive(snapshot_core::Schema, Clone, PartialEq, prost::Oneof)]
pub enum Ending {
    #[prost(message, tag = "8")]
    At(crate::foreign::Moment),
    #[prost(message, tag = "9")]
    After(foreign::google::protobuf::Duration),
}

#[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
pub struct DetailSnapshot {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
    #[prost(uint64, tag = "2")]
    pub size: u64,
}

impl Name for DetailSnapshot {
    const NAME: &'static str = "DetailSnapshot";
    const PACKAGE: &'static str = "test.known.v1";
}

#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(message = TaskSnapshot, version = 1, ignore(ticks))]
struct Task {
    started: SystemTime,
    limit: Option<Duration>,
    pauses: Vec<Duration>,
    exit_code: Option<u8>,
    detail: Option<Detail>,
    marks: std::collections::BTreeMap<String, SystemTime>,
    ending: Option<End>,
}

#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(message = DetailSnapshot, version = 1)]
struct Detail {
    size: u64,
}

#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(oneof = Ending)]
enum End {
    At(SystemTime),
    After(Duration),
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn task() -> Task {
    Task {
        started: at(1_700_000_000),
        limit: Some(Duration::from_millis(1500)),
        pauses: vec![Duration::from_secs(1), Duration::from_secs(2)],
        exit_code: Some(3),
        detail: Some(Detail { size: 7 }),
        marks: [("boot".to_owned(), at(5))].into(),
        ending: Some(End::After(Duration::from_secs(9))),
    }
}

#[test]
fn a_well_known_type_of_another_crate_has_the_kind_of_ours() {
    let _: Field<Optional<kind::Message<prost_types::Timestamp>>> = TaskSnapshot::FIELDS.started;
    let _: Field<Optional<kind::Message<prost_types::Duration>>> = TaskSnapshot::FIELDS.limit;
    let _: Field<Repeated<kind::Message<prost_types::Duration>>> = TaskSnapshot::FIELDS.pauses;
    let _: Field<Optional<kind::Message<u32>>> = TaskSnapshot::FIELDS.exit_code;
    let _: Field<Optional<kind::Any>> = TaskSnapshot::FIELDS.detail;
    let names: Vec<String> = TaskSnapshot::DESCRIPTOR
        .fields
        .iter()
        .filter_map(|field| match field.shape {
            FieldShape::Optional(ValueKind::Message(message)) => Some((message().full_name)()),
            _ => None,
        })
        .collect();
    assert_eq!(
        names,
        [
            "google.protobuf.Timestamp",
            "google.protobuf.Duration",
            "google.protobuf.UInt32Value",
            "google.protobuf.Any"
        ]
    );
}

#[test]
fn it_is_saved_and_restored_and_the_other_crate_reads_it() {
    let bytes = to_bytes(&task()).unwrap();
    assert_eq!(from_bytes::<Task>(&bytes).unwrap(), task());

    let message = TaskSnapshot::decode(bytes.as_slice()).unwrap();
    assert_eq!(message.started.unwrap().seconds, 1_700_000_000);
    assert_eq!(message.limit.unwrap().nanos, 500_000_000);
    assert_eq!(message.exit_code.unwrap().value, 3);
    let detail = message.detail.as_ref().unwrap();
    let ours = prost_types::Any::decode(to_any_bytes(&Detail { size: 7 }).unwrap().as_slice());
    assert_eq!(detail.type_url, ours.unwrap().type_url);
    assert_eq!(Task::try_from(message).unwrap(), task());
}

#[test]
fn a_message_that_only_shares_the_name_keeps_its_kind() {
    let field = TaskSnapshot::DESCRIPTOR.fields.iter().find(|field| field.name == "ticks");
    assert!(matches!(field.unwrap().shape, FieldShape::Opaque));
}

#[test]
fn a_state_with_well_known_types_of_another_crate_keeps_the_contract() {
    let other = Task { exit_code: None, ending: Some(End::At(at(3))), ..task() };
    testing::contract([task(), other]);
}
