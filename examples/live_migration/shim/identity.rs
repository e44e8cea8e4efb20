//! Identifies a process: a process id alone may be given to another process.

use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Error};

/// A process of this machine, until the machine is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The process id.
    pub(crate) pid: i32,
    /// Its start, in clock ticks since the machine started.
    pub(crate) start_time: u64,
}

impl Identity {
    /// Returns the process that has this id now.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn of(pid: i32) -> Result<Self, Error> {
        Ok(Self { pid, start_time: Stat::read(pid)?.start_time })
    }

    /// Opens a pidfd for the process. A pidfd never means another process, so a check after it was
    /// opened stays true.
    ///
    /// # Errors
    ///
    /// If the process is gone, or its id means another one by now.
    pub(crate) fn open(&self) -> Result<OwnedFd, Error> {
        let pid = Pid::from_raw(self.pid)
            .ok_or_else(|| Error::invalid(format!("{} is not a process id", self.pid)))?;
        let process = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| {
            Error::new(Code::FailedPrecondition, format!("process {} is gone", self.pid))
                .with_source(std::io::Error::from(error))
        })?;
        let found = Self::of(self.pid)?;
        if found != *self {
            return Err(Error::new(
                Code::FailedPrecondition,
                format!(
                    "process {} is another one: it started at tick {}, ours at {}",
                    self.pid, found.start_time, self.start_time
                ),
            ));
        }
        Ok(process)
    }
}

/// The parts of `/proc/PID/stat` that are needed here; see proc_pid_stat(5).
struct Stat {
    start_time: u64,
}

impl Stat {
    fn read(pid: i32) -> Result<Self, Error> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|error| {
            Error::new(Code::FailedPrecondition, format!("process {pid} is gone"))
                .with_source(error)
        })?;
        Self::parse(&text)
            .ok_or_else(|| Error::internal(format!("/proc/{pid}/stat is not understood: {text:?}")))
    }

    /// Field 2 is the program's name in parentheses, which may itself contain any of them.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3);
        Some(Self { start_time: field(22)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_found_again_by_its_start_time() {
        let own = Identity::of(std::process::id().cast_signed()).unwrap();
        own.open().unwrap();
        let other = Identity { start_time: own.start_time + 1, ..own };
        let refused = other.open().unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.to_string().contains("is another one"), "{refused}");
    }

    #[test]
    fn a_process_that_is_gone_is_refused() {
        let mut child = Command::new("true").spawn().unwrap();
        let identity = Identity::of(child.id().cast_signed()).unwrap();
        child.wait().unwrap();
        assert!(identity.open().unwrap_err().to_string().contains("is gone"));
    }

    #[test]
    fn a_program_name_with_parentheses_and_spaces_is_skipped() {
        let numbers: Vec<String> = (4..=22).map(|number| number.to_string()).collect();
        let stat = Stat::parse(&format!("12 (a) b (c) S {}\n", numbers.join(" "))).unwrap();
        assert_eq!(stat.start_time, 22);
        assert!(Stat::parse("12 (a) S 1 2").is_none());
    }
}
