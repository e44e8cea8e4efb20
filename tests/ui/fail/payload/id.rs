//! A controller with two names, or with one that is not text.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::PodSnapshot, version = 1, ignore(network, containers))]
struct Twice {
    #[snapshot(id)]
    pod_id: String,
    #[snapshot(id)]
    gcs_pod_id: String,
}

#[derive(Snapshot)]
#[snapshot(message = pb::PodSnapshot, version = 1, ignore(pod_id, gcs_pod_id, network))]
struct NoText {
    #[snapshot(id)]
    containers: Vec<prost_types::Any>,
}

fn main() {}
