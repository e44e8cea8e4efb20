//! A sandbox as prost messages, for changes. Another encoder writes the bytes that the tests read.

use std::collections::BTreeMap;

use prost::{Message, Name};
use prost_types::{Any, Duration};
use snapshot_proto::hcsshim as pb;
use snapshot_proto::hcsshim::linuxcontainer::{LayerReservation, Layers};
use snapshot_proto::hcsshim::scsi::{DiskState, MountState, Reservation};

pub(crate) const LAYER: &str = "65e58ebf-4aa6-4952-9a28-3ceb3d1f56ed";
pub(crate) const SCRATCH: &str = "93e0845e-7dfb-45a7-b32c-86cbf38dac1a";
pub(crate) const DATA: &str = "c1d7c3a0-0f3b-4bd6-8d0e-5e3a4a7a1f11";
pub(crate) const UNKNOWN: &str = "00000000-0000-0000-0000-00000000000a";

pub(crate) struct Sandbox {
    pub(crate) vm: pb::vm::Payload,
    pub(crate) scsi: Option<pb::scsi::Payload>,
    pub(crate) pods: Vec<Pod>,
}

pub(crate) struct Pod {
    pub(crate) pod: pb::pod::Payload,
    pub(crate) network: Option<pb::network::Payload>,
    pub(crate) containers: Vec<Container>,
}

pub(crate) struct Container {
    pub(crate) container: pb::linuxcontainer::Payload,
    pub(crate) processes: BTreeMap<String, pb::process::Payload>,
}

/// One pod with one container. Its layers and its disk exist, and its process uses numbers that the VM has
/// assigned.
pub(crate) fn sandbox() -> Sandbox {
    Sandbox {
        vm: pb::vm::Payload {
            schema_version: 1,
            vm_id: "sandbox@vm".into(),
            gcs_next_port: 1000,
            bridge_next_id: 50,
            ..Default::default()
        },
        scsi: Some(scsi()),
        pods: vec![pod("web", vec![container("c1")])],
    }
}

pub(crate) fn scsi() -> pb::scsi::Payload {
    let disk = || DiskState {
        mounts: BTreeMap::from([(1, MountState { ref_count: 1, ..Default::default() })]),
        ..Default::default()
    };
    let on = |slot| Reservation { slot, partition: 1 };
    pb::scsi::Payload {
        schema_version: 1,
        num_controllers: 1,
        disks: BTreeMap::from([(1, disk()), (2, disk()), (63, disk())]),
        reservations: BTreeMap::from([
            (LAYER.into(), on(1)),
            (SCRATCH.into(), on(2)),
            (DATA.into(), on(63)),
        ]),
    }
}

pub(crate) fn pod(id: &str, containers: Vec<Container>) -> Pod {
    Pod {
        pod: pb::pod::Payload { schema_version: 1, pod_id: id.into(), ..Default::default() },
        network: Some(pb::network::Payload { schema_version: 1, ..Default::default() }),
        containers,
    }
}

pub(crate) fn container(id: &str) -> Container {
    let layer = |id: &str| LayerReservation { reservation_id: id.into(), ..Default::default() };
    Container {
        container: pb::linuxcontainer::Payload {
            schema_version: 1,
            container_id: id.into(),
            io_retry_timeout: Some(Duration { seconds: 5, nanos: 0 }),
            layers: Some(Layers {
                ro_layers: vec![layer(LAYER)],
                scratch: Some(layer(SCRATCH)),
                ..Default::default()
            }),
            scsi_reservation_ids: vec![DATA.into()],
            ..Default::default()
        },
        processes: BTreeMap::from([(String::new(), process(""))]),
    }
}

pub(crate) fn process(exec_id: &str) -> pb::process::Payload {
    pb::process::Payload {
        schema_version: 1,
        exec_id: exec_id.into(),
        pid: 42,
        io_retry_timeout: Some(Duration::default()),
        stdout_port: 999,
        wait_call_id: 49,
        ..Default::default()
    }
}

/// A payload in its `Any`.
pub(crate) fn any<M: Message + Name>(payload: &M) -> Any {
    Any { type_url: M::type_url(), value: payload.encode_to_vec() }
}

impl Container {
    pub(crate) fn payload(&self) -> pb::linuxcontainer::Payload {
        let processes = self.processes.iter().map(|(key, process)| (key.clone(), any(process)));
        pb::linuxcontainer::Payload { processes: processes.collect(), ..self.container.clone() }
    }
}

impl Pod {
    pub(crate) fn payload(&self) -> pb::pod::Payload {
        pb::pod::Payload {
            network: self.network.as_ref().map(any),
            containers: self.containers.iter().map(|c| any(&c.payload())).collect(),
            ..self.pod.clone()
        }
    }
}

impl Sandbox {
    pub(crate) fn payload(&self) -> pb::migration::Payload {
        pb::migration::Payload {
            schema_version: 1,
            vm: Some(any(&pb::vm::Payload {
                scsi: self.scsi.as_ref().map(any),
                ..self.vm.clone()
            })),
            pods: self.pods.iter().map(|pod| any(&pod.payload())).collect(),
        }
    }

    /// The bytes that a peer would send.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        any(&self.payload()).encode_to_vec()
    }
}
