//! Older messages without a version, with it elsewhere, without a schema.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

mod old {
    #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
    pub struct Elsewhere {
        #[prost(uint32, tag = "7")]
        pub schema_version: u32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct NoSchema {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
    }
}

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = old::Elsewhere, upgrade = elsewhere))]
struct Elsewhere {}

fn elsewhere(_: old::Elsewhere) -> Result<Elsewhere, String> {
    Ok(Elsewhere {})
}

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = pb::nic_snapshot::PassThrough, upgrade = missing))]
struct Missing {}

fn missing(_: pb::nic_snapshot::PassThrough) -> Result<Missing, String> {
    Ok(Missing {})
}

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = old::NoSchema, upgrade = unknown))]
struct Unknown {}

fn unknown(_: old::NoSchema) -> Result<Unknown, String> {
    Ok(Unknown {})
}

fn main() {}
