//! References between the controllers of a sandbox: what a container or process names must be there.

use std::collections::{HashMap, HashSet};
use std::num::{NonZeroI64, NonZeroU32};

use snapshot_core::{Child, ControllerId, Error};
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
            if !pods.insert(pod.pod_id.clone()) {
                errors.push(Error::invalid(format!("pod {} is there twice", pod.pod_id)));
            }
            for container in &pod.containers {
                container.with_state(|container| {
                    let id = &container.container_id;
                    if !containers.insert(id.clone()) {
                        errors.push(Error::invalid(format!("container {id} is there twice")));
                    }
                    let path = format!("pods/{}/containers/{id}", pod.pod_id);
                    known.check_container(container, &path, &mut errors);
                });
            }
        });
    }
    Error::collect(errors)
}

/// What a VM has that others refer to.
struct Known {
    /// Where the mount of each SCSI reservation is in the guest.
    scsi: HashMap<Uuid, String>,
    plan9: HashSet<Uuid>,
    vpci: HashSet<Uuid>,
    next_port: u32,
    next_call_id: i64,
}

impl Known {
    fn of(vm: &VmState) -> Self {
        let scsi = vm.scsi.as_ref().and_then(|child| {
            child.with_state(|scsi| {
                let mounts = scsi.reservations.iter().filter_map(|(id, held)| {
                    let mount = scsi.disks.get(&held.slot)?.mounts.get(&held.partition)?;
                    Some((*id, mount.guest_path.clone()))
                });
                mounts.collect()
            })
        });
        let plan9 = vm.plan9.as_ref().and_then(|child| {
            child.with_state(|plan9| plan9.reservations.keys().copied().collect())
        });
        let vpci = vm.vpci.as_ref().and_then(|child| {
            child.with_state(|vpci| vpci.devices.keys().copied().collect())
        });
        Self {
            scsi: scsi.unwrap_or_default(),
            plan9: plan9.unwrap_or_default(),
            vpci: vpci.unwrap_or_default(),
            next_port: vm.gcs_next_port,
            next_call_id: vm.bridge_next_id,
        }
    }

    fn check_container(&self, container: &ContainerState, path: &str, errors: &mut Vec<Error>) {
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
            ("scsi_reservation_ids", "SCSI reservation", check_all(
                &container.scsi_reservation_ids,
                |id| self.scsi.contains_key(id),
            )),
            ("plan9_reservation_ids", "Plan 9 reservation", check_all(
                &container.plan9_reservation_ids,
                |id| self.plan9.contains(id),
            )),
            ("vpci_vmbus_guids", "device", check_all(
                &container.vpci_vmbus_guids,
                |id| self.vpci.contains(id),
            )),
        ];
        for (field, what, unknown) in lists {
            found.extend(unknown.into_iter().map(|(index, id)| {
                Error::invalid(format!("the VM has no {what} {id}")).in_index(index).in_field(field)
            }));
        }
        let id = ControllerId::from(path);
        errors.extend(found.into_iter().map(|error| error.at_controller(&id)));
        for (exec_id, process) in &container.processes {
            let path = match exec_id.as_str() {
                "" => format!("{path}/processes/\"\""),
                exec_id => format!("{path}/processes/{exec_id}"),
            };
            self.check_process(process, &ControllerId::from(path.as_str()), errors);
        }
    }

    fn check_layer(&self, reservation: Uuid, guest_path: &str) -> Result<(), Error> {
        match self.scsi.get(&reservation) {
            None => Err(Error::invalid(format!("the VM has no SCSI reservation {reservation}"))
                .in_field("reservation_id")),
            Some(mounted) if mounted != guest_path => Err(Error::invalid(format!(
                "is {guest_path:?}, but the reservation's mount is at {mounted:?}"
            ))
            .in_field("guest_path")),
            Some(_) => Ok(()),
        }
    }

    fn check_process(
        &self,
        process: &Child<super::process::Process>,
        id: &ControllerId,
        errors: &mut Vec<Error>,
    ) {
        let check = |process: &ProcessState| {
            let ports = [
                ("stdin_port", process.stdin_port),
                ("stdout_port", process.stdout_port),
                ("stderr_port", process.stderr_port),
            ];
            let taken = ports.into_iter().filter(|(_, port)| {
                port.is_some_and(|port| port.get() >= self.next_port)
            });
            let mut found: Vec<_> = taken
                .map(|(field, port)| {
                    Error::invalid(format!(
                        "is {}, which the VM would hand out again: its next port is {}",
                        port.map_or(0, NonZeroU32::get),
                        self.next_port
                    ))
                    .in_field(field)
                })
                .collect();
            let call = process.wait_call_id.map_or(0, NonZeroI64::get);
            if call != 0 && call >= self.next_call_id {
                let error = Error::invalid(format!(
                    "is {call}, which the bridge would hand out again: its next id is {}",
                    self.next_call_id
                ));
                found.push(error.in_field("wait_call_id"));
            }
            found
        };
        let found = process.with_state(check).unwrap_or_default();
        errors.extend(found.into_iter().map(|error| error.at_controller(id)));
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
