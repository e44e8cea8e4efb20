//! Makes an import fail: one payload of a snapshot is given a schema version that no build reads, as
//! if a newer source had written it.

use prost::Message;
use prost_types::Any;
use snapshot_core::{Error, Payload, Snapshot};
use snapshot_examples::lcow::{ContainerState, PodState, SandboxState, VmState};
use snapshot_proto::lcow::v1::{ContainerSnapshot, PodSnapshot, SandboxSnapshot, VmSnapshot};

/// The version that no build reads.
const FOREIGN: u8 = 99;

/// The snapshot with the payload of the controller `id` in a foreign version.
///
/// # Errors
///
/// There is no such controller in the snapshot.
pub(crate) fn make_foreign(snapshot: &Snapshot, id: &str) -> Result<Snapshot, Error> {
    let mut root = snapshot.clone().into_any();
    let path: Vec<&str> = match id {
        "." => Vec::new(),
        id => id.split('/').collect(),
    };
    change(&mut root, &path)
        .ok_or_else(|| Error::invalid(format!("there is no controller {id} in the snapshot")))?;
    Snapshot::from_any(&root)
}

/// Goes down the path and changes what is at its end.
fn change(any: &mut Any, path: &[&str]) -> Option<()> {
    let value = any.value.as_slice();
    any.value = match (any.type_url.as_str(), path) {
        (_, []) => with_version(value)?,
        (SandboxState::TYPE_URL, [step, path @ ..]) => {
            let mut sandbox = SandboxSnapshot::decode(value).ok()?;
            match (*step, path) {
                ("vm", path) => change(sandbox.vm.as_mut()?, path)?,
                ("pods", [pod, path @ ..]) => {
                    let is_it = |any: &Any| {
                        PodSnapshot::decode(&*any.value).is_ok_and(|found| is(&found.pod_id, pod))
                    };
                    change(sandbox.pods.iter_mut().find(|any| is_it(any))?, path)?;
                }
                _ => return None,
            }
            sandbox.encode_to_vec()
        }
        (VmState::TYPE_URL, [device, path @ ..]) => {
            let mut vm = VmSnapshot::decode(value).ok()?;
            let device = match *device {
                "scsi" => vm.scsi.as_mut(),
                "vpci" => vm.vpci.as_mut(),
                "plan9" => vm.plan9.as_mut(),
                _ => None,
            };
            change(device?, path)?;
            vm.encode_to_vec()
        }
        (PodState::TYPE_URL, [step, path @ ..]) => {
            let mut pod = PodSnapshot::decode(value).ok()?;
            match (*step, path) {
                ("network", path) => change(pod.network.as_mut()?, path)?,
                ("containers", [container, path @ ..]) => {
                    let is_it = |any: &Any| {
                        ContainerSnapshot::decode(&*any.value)
                            .is_ok_and(|found| is(&found.container_id, container))
                    };
                    change(pod.containers.iter_mut().find(|any| is_it(any))?, path)?;
                }
                _ => return None,
            }
            pod.encode_to_vec()
        }
        (ContainerState::TYPE_URL, ["processes", process, path @ ..]) => {
            let mut container = ContainerSnapshot::decode(value).ok()?;
            let mut processes = container.processes.iter_mut();
            let (_, process) = processes.find(|(exec_id, _)| is(exec_id, process))?;
            change(process, path)?;
            container.encode_to_vec()
        }
        _ => return None,
    };
    Some(())
}

/// Whether a name is this step of a controller's id. No name here needs escapes but the empty one.
fn is(name: &str, step: &str) -> bool {
    match name {
        "" => step == "\"\"",
        name => name == step,
    }
}

/// The payload with another version. The version is the first field of every payload here.
fn with_version(payload: &[u8]) -> Option<Vec<u8>> {
    match payload {
        [0x08, _, rest @ ..] => Some([&[0x08, FOREIGN], rest].concat()),
        _ => None,
    }
}
