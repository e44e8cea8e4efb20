//! `defines` and `refers` on a skipped field, or outside of the fields of a struct.

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as fixture;
use snapshot_proto::lcow::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::PodSnapshot, version = 1, ignore(gcs_pod_id, network, containers))]
struct Pod {
    pod_id: String,
    #[snapshot(skip, defines = "pod")]
    source_id: String,
    #[snapshot(skip, refers = "vm")]
    vm: String,
}

#[derive(Snapshot)]
#[snapshot(transparent)]
struct PodId(#[snapshot(refers = "pod")] String);

#[derive(Snapshot)]
#[snapshot(message = pb::PodSnapshot, version = 1, defines = "pod")]
struct OnTheStruct {}

#[derive(Snapshot)]
#[snapshot(oneof = fixture::signal::Signal)]
enum Signal {
    #[snapshot(defines = "signal")]
    Start,
    Stop(#[snapshot(refers = "signal")] u32),
}

fn main() {}
