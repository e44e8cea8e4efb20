//! `defines` and `refers` in forms that they do not have, and namespaces that are no names.

use std::collections::HashMap;

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::Plan9Snapshot, version = 1, ignore(no_writable_file_shares, name_counter, shares))]
struct Plan9 {
    #[snapshot(defines = "", refers(values = "plan9/share"))]
    reservations: HashMap<String, String>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::Plan9Snapshot, version = 1, ignore(no_writable_file_shares, name_counter, shares))]
struct Written {
    #[snapshot(defines(keys = "a", keys = "b"), refers(value = "c"))]
    reservations: HashMap<String, String>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::ContainerSnapshot, version = 1)]
#[snapshot(ignore(state, io_retry_timeout, layers, processes))]
struct Container {
    #[snapshot(defines = "Container")]
    container_id: String,
    #[snapshot(defines)]
    gcs_container_id: String,
    #[snapshot(refers = scsi.reservation)]
    scsi_reservation_ids: Vec<String>,
    #[snapshot(refers())]
    plan9_reservation_ids: Vec<String>,
    #[snapshot(refer = "vpci.device")]
    vpci_vmbus_guids: Vec<String>,
}

fn main() {}
