//! The OCI process spec that an exec was created from.
//!
//! Source: <https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config.md>, with what Linux,
//! Windows and the hosts of VMs add to it, as `specs-go` has it.

use serde::Deserialize;

/// An OCI process spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProcessSpec {
    /// Has a terminal.
    pub terminal: bool,
    /// Size of the terminal.
    pub console_size: Option<ConsoleSize>,
    /// Who it runs as.
    pub user: User,
    /// The program and its arguments.
    pub args: Vec<String>,
    /// The same as one line, for Windows.
    pub command_line: String,
    /// Environment, `NAME=value`.
    pub env: Vec<String>,
    /// Working directory.
    pub cwd: String,
    /// Linux capabilities.
    pub capabilities: Option<Capabilities>,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
    /// Can gain no privileges.
    pub no_new_privileges: bool,
    /// AppArmor profile.
    pub apparmor_profile: String,
    /// How soon the kernel kills it when memory runs out, -1000 (never) to 1000.
    pub oom_score_adj: Option<i64>,
    /// How the kernel schedules it.
    pub scheduler: Option<Scheduler>,
    /// SELinux label.
    pub selinux_label: String,
    /// How the kernel schedules its IO.
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

/// Who a process runs as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct User {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Mask of the permissions of what it creates.
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
    /// The most that it can ever have.
    pub bounding: Vec<String>,
    /// What is checked.
    pub effective: Vec<String>,
    /// What is kept when a program is executed.
    pub inheritable: Vec<String>,
    /// What it can make effective.
    pub permitted: Vec<String>,
    /// What is kept when a program without privileges is executed.
    pub ambient: Vec<String>,
}

/// A limit of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Rlimit {
    /// The resource, `RLIMIT_NOFILE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How far it can raise the soft limit.
    pub hard: u64,
    /// The limit.
    pub soft: u64,
}

/// How the kernel schedules a process.
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

/// How the kernel schedules a process's IO.
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
    /// While it is started.
    pub initial: String,
    /// Once it runs.
    #[serde(rename = "final")]
    pub running: String,
}
