//! Checks that the controllers of a sandbox agree with each other, in addition to the references
//! that their states declare by `defines` and `refers`.

use std::collections::HashMap;
use std::num::{NonZeroI64, NonZeroU32};

use snapshot_core::Error;
use uuid::Uuid;

use super::container::ContainerState;
use super::process::ProcessState;
use super::sandbox::SandboxState;
use super::vm::VmState;

/// Runs all checks and reports every error. Works both before and after the controllers are built.
pub(super) fn check(sandbox: &SandboxState) -> Result<(), Error> {
    let Some(known) = sandbox.vm.with_state(Known::of) else {
        return Err(Error::internal("the sandbox's VM was not imported"));
    };
    let mut errors = Vec::new();
    for pod in &sandbox.pods {
        pod.with_state(|pod| {
            let mut found = Vec::new();
            for container in &pod.containers {
                container.with_state(|container| {
                    let id = &container.container_id;
                    found.extend(located(known.check_container(container), "containers", id));
                });
            }
            errors.extend(located(found, "pods", &pod.pod_id));
        });
    }
    Error::collect(errors)
}

/// Adds the element with this name to the path of the errors.
fn located(
    errors: Vec<Error>,
    field: &'static str,
    name: impl std::fmt::Display,
) -> impl Iterator<Item = Error> {
    errors.into_iter().map(move |error| error.in_key(name.to_string()).in_field(field))
}

/// The facts of a VM with which its containers and processes must agree.
struct Known {
    /// The path in the guest of each SCSI reservation's mount; `None` if the reservation names no
    /// mount, which the SCSI controller reports.
    scsi: HashMap<Uuid, Option<String>>,
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
        Self {
            scsi: scsi.unwrap_or_default(),
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
        for (exec_id, process) in &container.processes {
            let process = process.with_state(|process| self.check_process(process));
            found.extend(located(process.unwrap_or_default(), "processes", exec_id));
        }
        found
    }

    fn check_layer(&self, reservation: Uuid, guest_path: &str) -> Result<(), Error> {
        match self.scsi.get(&reservation) {
            Some(Some(mounted)) if mounted != guest_path => Err(Error::invalid(format!(
                "is {guest_path:?}, but the reservation's mount is at {mounted:?}"
            ))
            .in_field("guest_path")),
            _ => Ok(()),
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
