//! What the payloads of one sandbox say of each other: everything that is named must be there.

use std::collections::HashMap;
use std::num::{NonZeroI64, NonZeroU32};

use snapshot_core::Error;
use uuid::Uuid;

use super::linuxcontainer::LinuxContainerState;
use super::migration::MigrationState;
use super::process::ProcessState;
use super::vm::VmState;

/// Checks a sandbox, and reports everything that does not fit together.
pub(super) fn check(sandbox: &MigrationState) -> Result<(), Error> {
    let mut found = Vec::new();
    let mut pods = HashMap::new();
    let mut containers = HashMap::new();
    for (index, pod) in sandbox.pods.iter().enumerate() {
        let mut errors = Vec::new();
        if let Some(other) = pods.insert(&pod.pod_id, index) {
            let error = format!("is {:?}, and so is that of pods[{other}]", pod.pod_id);
            errors.push(Error::invalid(error).in_field("pod_id"));
        }
        for (position, container) in pod.containers.iter().enumerate() {
            let id = &container.container_id;
            let mut unresolved = check_container(&sandbox.vm, container);
            if let Some(other) = containers.insert(id, index) {
                let error = format!("is {id:?}, and so is that of a container of pods[{other}]");
                unresolved.push(Error::invalid(error).in_field("container_id"));
            }
            let place = |error: Error| error.in_index(position).in_field("containers");
            errors.extend(unresolved.into_iter().map(place));
        }
        found.extend(errors.into_iter().map(|error| error.in_index(index).in_field("pods")));
    }
    Error::collect(found)
}

fn check_container(vm: &VmState, container: &LinuxContainerState) -> Vec<Error> {
    let layers = container.layers.iter().flat_map(|layers| {
        let read_only = layers.ro_layers.iter().enumerate().map(|(index, layer)| {
            let place = move |error: Error| error.in_index(index).in_field("ro_layers");
            check_reservation(vm, layer.reservation_id)
                .map_err(|error| place(error.in_field("reservation_id")))
        });
        let scratch = layers.scratch.iter().map(|layer| {
            check_reservation(vm, layer.reservation_id)
                .map_err(|error| error.in_field("reservation_id").in_field("scratch"))
        });
        read_only.chain(scratch).map(|result| result.map_err(|error| error.in_field("layers")))
    });
    let ids = container.scsi_reservation_ids.iter().enumerate().map(|(index, id)| {
        check_reservation(vm, *id)
            .map_err(|error| error.in_index(index).in_field("scsi_reservation_ids"))
    });
    let processes = container.processes.iter().map(|(id, process)| {
        check_process(vm, process).map_err(|error| error.in_key(id).in_field("processes"))
    });
    layers.chain(ids).chain(processes).filter_map(Result::err).collect()
}

fn check_reservation(vm: &VmState, id: Uuid) -> Result<(), Error> {
    match vm.scsi.as_ref().is_some_and(|scsi| scsi.reservations.contains_key(&id)) {
        true => Ok(()),
        false => Err(Error::invalid(format!("the VM has no SCSI reservation {id}"))),
    }
}

/// What the process uses was handed out already, so the VM does not hand it out again.
fn check_process(vm: &VmState, process: &ProcessState) -> Result<(), Error> {
    let ports = [
        ("stdin_port", process.stdin_port),
        ("stdout_port", process.stdout_port),
        ("stderr_port", process.stderr_port),
    ];
    let next = vm.gcs_next_port;
    let ports = ports.into_iter().filter_map(|(field, port)| {
        let port = port.map(NonZeroU32::get).filter(|port| *port >= next)?;
        Some(again(port, "the VM's gcs_next_port", next).in_field(field))
    });
    let next = vm.bridge_next_id;
    let call = process.wait_call_id.map(NonZeroI64::get).filter(|call| *call >= next);
    let call =
        call.map(|call| again(call, "the VM's bridge_next_id", next).in_field("wait_call_id"));
    Error::collect(ports.chain(call))
}

fn again<N: std::fmt::Display>(used: N, counter: &str, next: N) -> Error {
    Error::invalid(format!("is {used}, which would be handed out again: {counter} is {next}"))
}
