//! Live migration of a sandbox between two shims, which are real processes connected by a socket.
//!
//! ```text
//! cargo run --example live_migration
//! cargo run --example live_migration -- --containers 200
//! cargo run --example live_migration -- --fail patch:pods/web/containers/c1
//! cargo run --example live_migration -- --report report.json
//! cargo run --example live_migration -- status FOLDER
//! ```
//!
//! The source runs a sandbox of [`lcow`](snapshot_examples::lcow) controllers. Its containers are
//! child processes that write numbered lines, its disks and shared folders are files, and it relays
//! the lines to log files. Then it hands the sandbox over: preflight, freeze, save, send; and the
//! destination: import, patch (new paths, new ids, new IO), resume, on which the source commits. The
//! destination adopts the same processes and goes on relaying. At the end the logs prove that no
//! process was started again and that every line is there exactly once.
//!
//! | module | what it is |
//! |---|---|
//! | `source`, `destination`, `demo` | the two shims, and both at once |
//! | `decision`, `drive` | what each decides, as pure functions; and doing it |
//! | `protocol`, `talk`, `link` | what they say to each other, and over what |
//! | `record`, `status`, `afterwards` | what each writes down, and what it is good for after a crash |
//! | `machine`, `devices`, `processes`, `relay` | a host: what the controllers ask of it, on files and processes |
//! | `guest`, `workload`, `identity` | the stand-in for the VM, and what runs in it |
//! | `sandbox`, `plan`, `storage` | the sandbox of the demonstration, and what it becomes |
//! | `foreign` | how an import is made to fail |
//! | `proof`, `summary`, `table`, `progress`, `report` | what is shown, and written with `--report` |

#[cfg(target_os = "linux")]
mod shim;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    match shim::main() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("live_migration: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("live_migration runs on Linux only: it hands processes over by pidfd");
    std::process::ExitCode::from(2)
}
