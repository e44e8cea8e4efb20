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
//! the lines to log files. Then it hands the sandbox over with `snapshot-handover`. The source runs
//! the preflight and a rehearsal, freezes, saves and sends. The destination imports, patches (new
//! paths, new ids, new IO) and resumes, and then the source commits. The destination adopts the
//! same processes and continues to relay their output. At the end the logs prove that no process
//! was restarted and that every line occurs exactly once. If a shim is killed, nothing else ends:
//! after a restart it continues its sandbox from the last checkpoint.
//!
//! | module | content |
//! |---|---|
//! | `source`, `destination`, `demo` | the two shims, and both at once |
//! | `arrival`, `reception`, `note` | the destination's host, its entrance, and the notes of the two programs |
//! | `link`, `tls`, `confine` | the identity of the peer, and checks of its paths |
//! | `side`, `keeper`, `status` | the files of each side, checkpoints, and the operator's questions and answers |
//! | `machine`, `devices`, `processes`, `relay` | a host: the services for the controllers, with files and processes |
//! | `vm`, `bridge`, `guest`, `workload`, `identity` | the VM, which outlives the shims, and its content |
//! | `sandbox`, `plan`, `storage` | the sandbox of the demonstration, and its move |
//! | `proof`, `summary`, `table`, `progress`, `report` | the output, and the file for `--report` |
//! | `console`, `signals` | output that never blocks, and requests to end |

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
