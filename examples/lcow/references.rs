//! References between the controllers of a sandbox: what a container or process names must be there.

use std::collections::{HashMap, HashSet};
use std::num::{NonZeroI64, NonZeroU32};

use snapshot_core::Error;
use uuid::Uuid;

use super::container::ContainerState;
use super::ids::{ContainerId, PodId};
use super::process::ProcessState;
use super::sandbox::SandboxState;
use super::vm::VmState;

/// Checks every reference, and reports all that do not resolve. Works before the controllers are
/// built and after.
pub(super) fn check(sandbox: &SandboxState) -> Result<(), Error> {
    let Some(known) = sandbox.vm.with_state(Known::of) else {
        return Err(Error::internal("the sandbox's VM was not imported"));
    };
    let mut errors = Vec::new();
    let mut pods: HashSet<PodId> = HashSet::new();
    let mut containers: HashSet<ContainerId> = HashSet::new();
    for pod in &sandbox.pods {
        pod.with_state(|pod| {
            let mut found = Vec::new();
            if !pods.insert(pod.pod_id.clone()) {
                errors.push(Error::invalid(format!("pod {} is there twice", pod.pod_id)));
            }
            for container in &pod.containers {
                container.with_state(|container| {
                    let id = &container.container_id;
                    if !containers.insert(id.clone()) {
                        errors.push(Error::invalid(format!("container {id} is there twice")));
                    }
                    found.extend(located(known.check_container(container), "containers", id));
                });
            }
            errors.extend(located(found, "pods", &pod.pod_id));
        });
    }
    Error::collect(errors)
}

/// The errors, found in the element of this name.
fn located(
    errors: Vec<Error>,
    field: &'static str,
    name: impl std::fmt::Display,
) -> impl Iterator<Item = Error> {
    errors.into_iter().map(move |error| error.in_key(name.to_string()).in_field(field))
}

/// What a VM has that others refer to.
struct Known {
    /// Where the mount of each SCSI reservation is in the guest; `None` if the reservation itself
    /// names no mount, which is the SCSI controller's to tell.
    scsi: HashMap<Uuid, Option<String>>,
    plan9: HashSet<Uuid>,
    vpci: HashSet<Uuid>,
    next_port: u32,
    next_call_id: i64,
}

impl Known {
    fn of(vm: &VmState) -> Self {
        let scsi = vm.scsi.as_ref().and_then(|child| {
            child.with_state(|scsi| {
                let mounts = scsi.reservations.iter().map(|(id, held)| {
                    let disk = scsi.disks.get(&held.slot);
                    let mount = disk.and_then(|disk| disk.mounts.get(&held.partition));
                    (*id, mount.map(|mount| mount.guest_path.clone()))
                });
                mounts.collect()
            })
        });
        let plan9 = vm.plan9.as_ref().and_then(|child| {
            child.with_state(|plan9| plan9.reservations.keys().copied().collect())
        });
        let vpci = vm
            .vpci
            .as_ref()
            .and_then(|child| child.with_state(|vpci| vpci.devices.keys().copied().collect()));
        Self {
            scsi: scsi.unwrap_or_default(),
            plan9: plan9.unwrap_or_default(),
            vpci: vpci.unwrap_or_default(),
            next_port: vm.gcs_next_port,
            next_call_id: vm.bridge_next_id,
        }
    }

    fn check_container(&self, container: &ContainerState) -> Vec<Error> {
        let mut found = Vec::new();
        if let Some(layers) = &container.layers {
            for (index, layer) in layers.ro_layers.iter().enumerate() {
                let layer = self.check_layer(layer.reservation_id, &layer.guest_path);
                found.extend(layer.err().map(|e| e.in_index(index).in_field("ro_layers")));
            }
            if let Some(layer) = &layers.scratch {
                let layer = self.check_layer(layer.reservation_id, &layer.guest_path);
                found.extend(layer.err().map(|e| e.in_field("scratch")));
            }
            found = found.into_iter().map(|error| error.in_field("layers")).collect();
        }
        let lists = [
            (
                "scsi_reservation_ids",
                "SCSI reservation",
                check_all(&container.scsi_reservation_ids, |id| self.scsi.contains_key(id)),
            ),
            (
                "plan9_reservation_ids",
                "Plan 9 reservation",
                check_all(&container.plan9_reservation_ids, |id| self.plan9.contains(id)),
            ),
            (
                "vpci_vmbus_guids",
                "device",
                check_all(&container.vpci_vmbus_guids, |id| self.vpci.contains(id)),
            ),
        ];
        for (field, what, unknown) in lists {
            found.extend(unknown.into_iter().map(|(index, id)| {
                Error::invalid(format!("the VM has no {what} {id}")).in_index(index).in_field(field)
            }));
        }
        for (exec_id, process) in &container.processes {
            let process = process.with_state(|process| self.check_process(process));
            found.extend(located(process.unwrap_or_default(), "processes", exec_id));
        }
        found
    }

    fn check_layer(&self, reservation: Uuid, guest_path: &str) -> Result<(), Error> {
        match self.scsi.get(&reservation) {
            None => Err(Error::invalid(format!("the VM has no SCSI reservation {reservation}"))
                .in_field("reservation_id")),
            Some(Some(mounted)) if mounted != guest_path => Err(Error::invalid(format!(
                "is {guest_path:?}, but the reservation's mount is at {mounted:?}"
            ))
            .in_field("guest_path")),
            Some(_) => Ok(()),
        }
    }

    fn check_process(&self, process: &ProcessState) -> Vec<Error> {
        let ports = [
            ("stdin_port", process.stdin_port),
            ("stdout_port", process.stdout_port),
            ("stderr_port", process.stderr_port),
        ];
        let mut found = Vec::new();
        for (field, port) in ports {
            let port = port.map_or(0, NonZeroU32::get);
            if port != 0 && port >= self.next_port {
                let error = Error::invalid(format!(
                    "is {port}, which the VM would hand out again: its next port is {}",
                    self.next_port
                ));
                found.push(error.in_field(field));
            }
        }
        let call = process.wait_call_id.map_or(0, NonZeroI64::get);
        if call != 0 && call >= self.next_call_id {
            let error = Error::invalid(format!(
                "is {call}, which the bridge would hand out again: its next id is {}",
                self.next_call_id
            ));
            found.push(error.in_field("wait_call_id"));
        }
        found
    }
}

/// The ids that are not known, with their places.
fn check_all<'a>(
    ids: impl IntoIterator<Item = &'a Uuid>,
    is_known: impl Fn(&Uuid) -> bool,
) -> Vec<(usize, Uuid)> {
    let numbered = ids.into_iter().copied().enumerate();
    numbered.filter(|(_, id)| !is_known(id)).collect()
}
