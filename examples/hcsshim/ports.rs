//! The numbers that the VM assigns by counting. Those of a process's ports and its wait call are in
//! use, so the VM's counters must be higher.

use std::num::{NonZeroI64, NonZeroU32};

use snapshot_core::Error;

use super::migration::MigrationState;
use super::process::ProcessState;
use super::vm::VmState;

/// Checks all processes of a sandbox and reports every number that would be assigned twice.
pub(super) fn check(sandbox: &MigrationState) -> Result<(), Error> {
    let mut found = Vec::new();
    for (index, pod) in sandbox.pods.iter().enumerate() {
        for (position, container) in pod.containers.iter().enumerate() {
            for (id, process) in &container.processes {
                let again = check_process(&sandbox.vm, process).map_err(|error| {
                    let error = error.in_key(id).in_field("processes");
                    let error = error.in_index(position).in_field("containers");
                    error.in_index(index).in_field("pods")
                });
                found.extend(again.err());
            }
        }
    }
    Error::collect(found)
}

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
