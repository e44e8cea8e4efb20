//! The OCI process spec that an exec was created from.
//!
//! Source: <https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config.md>, with the additions for
//! Linux, Windows and the hosts of VMs in `specs-go`.

use serde::Deserialize;

/// An OCI process spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProcessSpec {
    /// Whether it has a terminal.
    pub terminal: bool,
    /// Size of the terminal.
    pub console_size: Option<ConsoleSize>,
    /// The user that it runs as.
    pub user: User,
    /// The program and its arguments.
    pub args: Vec<String>,
    /// The program and its arguments in one line, for Windows.
    pub command_line: String,
    /// Environment, `NAME=value`.
    pub env: Vec<String>,
    /// Working directory.
    pub cwd: String,
    /// Linux capabilities.
    pub capabilities: Option<Capabilities>,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
    /// Whether it is prevented from gaining privileges.
    pub no_new_privileges: bool,
    /// AppArmor profile.
    pub apparmor_profile: String,
    /// The kernel's preference to kill it when memory runs out, -1000 (never) to 1000.
    pub oom_score_adj: Option<i64>,
    /// Its scheduling by the kernel.
    pub scheduler: Option<Scheduler>,
    /// SELinux label.
    pub selinux_label: String,
    /// The scheduling of its IO by the kernel.
    pub io_priority: Option<IoPriority>,
    /// The CPUs that it runs on.
    #[serde(rename = "execCPUAffinity")]
    pub exec_cpu_affinity: Option<CpuAffinity>,
}

/// The size of a terminal in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ConsoleSize {
    /// Lines.
    pub height: u64,
    /// Columns.
    pub width: u64,
}

/// The user that a process runs as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct User {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Mask of the permissions of new files.
    pub umask: Option<u32>,
    /// Further groups.
    pub additional_gids: Vec<u32>,
    /// User by name, for Windows.
    pub username: String,
}

/// Linux capabilities by set, `CAP_CHOWN`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// The upper limit of its capabilities.
    pub bounding: Vec<String>,
    /// The capabilities that permission checks use.
    pub effective: Vec<String>,
    /// The capabilities that an executed program may inherit.
    pub inheritable: Vec<String>,
    /// The capabilities that it can make effective.
    pub permitted: Vec<String>,
    /// The capabilities that an unprivileged program keeps when it is executed.
    pub ambient: Vec<String>,
}

/// A limit of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Rlimit {
    /// The resource, `RLIMIT_NOFILE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The hard limit, up to which it can raise the soft limit.
    pub hard: u64,
    /// The soft limit.
    pub soft: u64,
}

/// The scheduling of a process by the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Scheduler {
    /// `SCHED_OTHER` and others.
    pub policy: String,
    /// -20 (most) to 19, of `SCHED_OTHER` and `SCHED_BATCH`.
    pub nice: i32,
    /// Of `SCHED_FIFO` and `SCHED_RR`.
    pub priority: i32,
    /// `SCHED_FLAG_RESET_ON_FORK` and others.
    pub flags: Vec<String>,
    /// Nanoseconds of work in a period, of `SCHED_DEADLINE`.
    pub runtime: u64,
    /// Nanoseconds in which the work must be done.
    pub deadline: u64,
    /// Nanoseconds of a period.
    pub period: u64,
}

/// The scheduling of a process's IO by the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct IoPriority {
    /// `IOPRIO_CLASS_BE` and others.
    pub class: String,
    /// 0 (most) to 7.
    pub priority: i64,
}

/// The CPUs that a process runs on, `0-3,7`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CpuAffinity {
    /// The CPUs while it is started.
    pub initial: String,
    /// The CPUs once it runs.
    #[serde(rename = "final")]
    pub running: String,
}
