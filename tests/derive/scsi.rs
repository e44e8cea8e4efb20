//! A complete payload of the sandbox: nested messages, maps, stages.

use std::collections::{BTreeMap, HashMap};

use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::testing::contract;
use snapshot_core::{Payload, Snapshot, State};
use snapshot_proto::lcow::v1 as pb;
use uuid::Uuid;

#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = pb::ScsiSnapshot, version = 1)]
struct ScsiState {
    num_controllers: u8,
    disks: BTreeMap<u32, Disk>,
    reservations: HashMap<Uuid, Reservation>,
    #[snapshot(skip)]
    host: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::scsi_snapshot::DiskState)]
struct Disk {
    config: DiskConfig,
    #[snapshot(stage)]
    state: DiskStage,
    mounts: BTreeMap<u64, Mount>,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::scsi_snapshot::DiskConfig)]
struct DiskConfig {
    host_path: String,
    read_only: bool,
    r#type: String,
    evd_type: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]
#[snapshot(stage = pb::scsi_snapshot::DiskStage)]
enum DiskStage {
    #[default]
    Reserved,
    Attached,
    Ejected,
    Detached,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::scsi_snapshot::MountState)]
struct Mount {
    config: Option<MountConfig>,
    state: MountStage,
    ref_count: u16,
    guest_path: String,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::scsi_snapshot::MountConfig)]
struct MountConfig {
    read_only: bool,
    encrypted: bool,
    options: Vec<String>,
    ensure_filesystem: bool,
    filesystem: String,
    block_dev: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]
#[snapshot(stage = pb::scsi_snapshot::MountStage)]
enum MountStage {
    #[default]
    Reserved,
    Mounted,
    Unmounted,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::scsi_snapshot::Reservation)]
struct Reservation {
    slot: u32,
    partition: u64,
}

fn scsi() -> ScsiState {
    let mount = Mount {
        config: Some(MountConfig {
            read_only: true,
            encrypted: false,
            options: vec!["ro".into(), String::new()],
            ensure_filesystem: true,
            filesystem: "ext4".into(),
            block_dev: false,
        }),
        state: MountStage::Mounted,
        ref_count: 3,
        guest_path: "/run/mounts/scsi/m0".into(),
    };
    let disk = Disk {
        config: DiskConfig {
            host_path: r"C:\layers\a.vhdx".into(),
            read_only: true,
            r#type: "VirtualDisk".into(),
            evd_type: String::new(),
        },
        state: DiskStage::Attached,
        mounts: BTreeMap::from([(0, mount.clone()), (7, Mount { config: None, ..mount })]),
    };
    ScsiState {
        num_controllers: 4,
        disks: BTreeMap::from([
            (3, disk.clone()),
            (1, Disk { state: DiskStage::Reserved, ..disk }),
        ]),
        reservations: HashMap::from([
            (Uuid::from_u128(2), Reservation { slot: 1, partition: 0 }),
            (Uuid::from_u128(1), Reservation { slot: 3, partition: 7 }),
        ]),
        host: None,
    }
}

#[test]
fn a_state_is_restored_and_prost_reads_it_equally() {
    let state = scsi();
    let bytes = to_bytes(&state).unwrap();
    assert_eq!(from_bytes::<ScsiState>(&bytes).unwrap(), state);
    let message = pb::ScsiSnapshot::from(&state);
    assert_eq!(message.schema_version, 1);
    assert_eq!(message.disks[&3].state(), pb::scsi_snapshot::DiskStage::Attached);
    assert_eq!(ScsiState::try_from(message).unwrap(), state);
    contract([state]);
}

#[test]
fn a_payload_has_the_name_of_its_prost_message() {
    assert_eq!(ScsiState::TYPE_URL, <pb::ScsiSnapshot as prost::Name>::type_url());
    assert_eq!(ScsiState::MESSAGE_NAME, "lcow.v1.ScsiSnapshot");
    assert_eq!((ScsiState::VERSION, ScsiState::VERSION_FIELD), (1, 1));
    assert!(ScsiState::STAGE_RULES.is_none());
    assert!(scsi().to_message().is_ok());
}
