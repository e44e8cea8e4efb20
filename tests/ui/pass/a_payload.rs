//! Every attribute of a struct and its fields, on the payloads of controllers.

use std::collections::{BTreeMap, HashMap};
use std::ops::DerefMut;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use snapshot_core::{Child, Controller, Error, Payload, Snapshot, codec, registry};
use snapshot_proto::example::v1::{self as pb, disk_snapshot, machine_snapshot};
use snapshot_proto::lcow::v1 as lcow;

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = machine_snapshot::Stage)]
enum MachineStage {
    #[default]
    Created,
    #[snapshot(rename = Running)]
    Active,
    Stopped,
    #[snapshot(transient)]
    Leaving,
    #[snapshot(transient)]
    Arriving,
}

// `freeze_to`, `import_as` and `abort_to` may be any stage; only `save_from` must be on the wire.
#[derive(Snapshot)]
#[snapshot(message = pb::MachineSnapshot, version = 3, controller = Machine, after(Disk))]
#[snapshot(save_from(Active, Stopped), freeze_to = Leaving, import_as = Created, abort_to = Stopped)]
#[snapshot(ignore(nic), validate = has_few_disks, type_url = "type.googleapis.com/example.v1.MachineSnapshot")]
struct MachineState {
    #[snapshot(id, max = 64)]
    name: String,
    #[snapshot(stage, field = stage)]
    lifecycle: MachineStage,
    #[snapshot(max = 64)]
    disks: BTreeMap<u8, Child<Disk>>,
    #[snapshot(skip)]
    guests: Option<u64>,
    #[snapshot(skip = Duration::from_secs(3))]
    patience: Duration,
}

fn has_few_disks(machine: &MachineState) -> Result<(), String> {
    if machine.disks.len() < 9 { Ok(()) } else { Err("too many disks".to_owned()) }
}

struct Machine(Mutex<MachineState>);

impl Controller for Machine {
    type State = MachineState;

    fn state(&self) -> impl DerefMut<Target = MachineState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: MachineState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum DiskStage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

/// Not on the wire: it is attached if it comes back at all.
#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk, ignore(stage))]
#[snapshot(save_from(Attached), live = Attached)]
struct DiskState {
    image: PathBuf,
    #[snapshot(stage, skip)]
    stage: DiskStage,
    #[snapshot(range = 1..=1 << 40)]
    size: u64,
}

struct Disk(Mutex<DiskState>);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

/// `with`, and a struct whose fields are not in the order of their numbers.
#[derive(Snapshot)]
#[snapshot(message = lcow::ProcessSnapshot, version = 1)]
#[snapshot(ignore(
    state,
    oci_process_spec_json,
    exited_at,
    stdin_port,
    stdout_port,
    stderr_port,
    io_retry_timeout,
    bundle
))]
struct Process {
    #[snapshot(with = codec::millis, field = wait_call_id)]
    waited: Duration,
    #[snapshot(with = codec::display)]
    exec_id: std::net::IpAddr,
    #[snapshot(with = exit_code)]
    exit_code: Option<u8>,
    pid: i32,
}

mod exit_code {
    /// 0 is for none, as in the programs before this one.
    pub fn to_wire(code: &Option<u8>) -> Result<u32, std::convert::Infallible> {
        Ok(code.map_or(0, |code| u32::from(code) + 1))
    }

    pub fn from_wire(code: u32) -> Result<Option<u8>, String> {
        match code {
            0 => Ok(None),
            code => u8::try_from(code - 1).map(Some).map_err(|error| error.to_string()),
        }
    }
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(announced,), validate = any,)]
struct Counter {
    name: Box<str>,
    count: u64,
    #[snapshot(skip)]
    listeners: HashMap<String, std::sync::Arc<Mutex<u64>>>,
}

fn any(_: &Counter) -> Result<(), Error> {
    Ok(())
}

fn main() {
    registry::require![Machine, Disk].unwrap();
    assert_eq!(MachineState::VERSION, 3);
    let process = Process {
        waited: Duration::from_millis(4),
        exec_id: [127, 0, 0, 1].into(),
        exit_code: Some(0),
        pid: 7,
    };
    let message = lcow::ProcessSnapshot::from(&process);
    assert_eq!((message.exec_id.as_str(), message.exit_code), ("127.0.0.1", 1));
    let disk = DiskState { image: "a".into(), stage: DiskStage::Attached, size: 0 };
    assert!(codec::to_bytes(&disk).unwrap_err().to_string().contains("1..=1 << 40"));
}
