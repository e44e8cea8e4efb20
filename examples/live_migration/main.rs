//! Live migration of a sandbox between two shims, which are real processes connected by a socket.
//!
//! ```text
//! cargo run --example live_migration
//! cargo run --example live_migration -- --containers 200
//! cargo run --example live_migration -- --fail patch:pods/web/containers/c1
//! cargo run --example live_migration -- --report report.json
//! cargo run --example live_migration -- --over-tls
//! cargo run --example live_migration -- status FOLDER
//! ```
//!
//! The source runs a sandbox of [`lcow`](snapshot_examples::lcow) controllers. Its containers are
//! child processes that write numbered lines, its disks and shared folders are files, and it relays
//! the lines to log files. Then it hands the sandbox over with `snapshot-handover`: preflight, rehearsal,
//! freeze, save, send; and the destination: import, patch (new paths, new ids, new IO), resume, on which
//! the source commits. The destination adopts the same processes and goes on relaying. At the end the
//! logs prove that no process was started again and that every line is there exactly once. A shim that
//! is killed takes nothing along: started again, it takes its sandbox up from its last checkpoint.
//!
//! | module | what it is |
//! |---|---|
//! | `source`, `destination`, `demo` | the two shims, and both at once |
//! | `arrival`, `reception`, `note` | the destination's host, its door, and what the programs tell each other |
//! | `link`, `tls`, `confine` | who the peer is, and which of its paths are opened |
//! | `side`, `keeper`, `status` | what each side keeps, checkpoints, and the operator's questions and answers |
//! | `machine`, `devices`, `processes`, `relay` | a host: what the controllers ask of it, on files and processes |
//! | `vm`, `bridge`, `guest`, `workload`, `identity` | the VM, which outlives the shims, and what runs in it |
//! | `sandbox`, `plan`, `storage` | the sandbox of the demonstration, and what it becomes |
//! | `proof`, `summary`, `table`, `progress`, `report` | what is shown, and written with `--report` |
//! | `console`, `signals` | output that holds nothing up, and requests to end |

#[cfg(target_os = "linux")]
mod shim;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    match shim::main() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            shim::complain(format_args!("live_migration: {error}"));
            shim::flush();
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("live_migration runs on Linux only: it hands processes over by pidfd");
    std::process::ExitCode::from(2)
}
