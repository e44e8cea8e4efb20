//! The table of the processes, and the telling of their exits.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use snapshot_examples::lcow::host::{Exit, OnExit};

use super::Key;
use crate::shim::guest::Guest;
use crate::shim::identity::Identity;
use crate::shim::lock::lock;
use crate::shim::relay::{Event, MemberId};

/// How long the VM may take to record an exit.
const RECORDED: Duration = Duration::from_secs(5);

/// All processes, shared with the thread that tells exits.
pub(super) struct Entries {
    pub(super) guest: Guest,
    pub(super) by_key: Mutex<BTreeMap<Key, Entry>>,
    /// Held while an exit is told, so that a freeze can wait for it.
    pub(super) telling: Mutex<()>,
}

/// One process.
pub(super) struct Entry {
    pub(super) identity: Identity,
    /// `None` for one that had exited already when this shim came to the guest.
    pub(super) process: Option<Arc<OwnedFd>>,
    pub(super) member: MemberId,
    /// Whether another shim has started it.
    pub(super) adopted: bool,
    pub(super) wait_call_id: i64,
    pub(super) on_exit: Option<OnExit>,
    pub(super) frozen: bool,
    /// It exited while it was frozen: told when it is thawed.
    pub(super) exited: bool,
    /// What an abort removes again.
    pub(super) made: Vec<PathBuf>,
}

impl Entries {
    /// The thread that tells exits.
    pub(super) fn serve(&self, events: &Receiver<Event>) {
        for event in events {
            match event {
                Event::Exited(member) => self.tell(member),
                Event::Failed(member, error) => {
                    let process = self.name(member);
                    tracing::error!(process, %error, "the output cannot be written; it waits");
                }
                Event::Recovered(member) => {
                    let process = self.name(member);
                    tracing::error!(process, "the output can be written again");
                }
            }
        }
    }

    fn name(&self, member: MemberId) -> String {
        let entries = lock(&self.by_key);
        let of = entries.iter().find(|(_, entry)| entry.member == member);
        of.map_or_else(|| "(gone)".to_owned(), |(key, _)| key.to_string())
    }

    fn tell(&self, member: MemberId) {
        let _telling = lock(&self.telling);
        let (on_exit, call) = {
            let mut entries = lock(&self.by_key);
            let Some(entry) = entries.values_mut().find(|entry| entry.member == member) else {
                return;
            };
            if entry.frozen {
                entry.exited = true;
                return;
            }
            let Some(on_exit) = entry.on_exit.take() else { return };
            (on_exit, entry.wait_call_id)
        };
        let code = exit_code(&self.guest, call);
        on_exit(Exit { code, at: SystemTime::now() });
    }
}

/// The exit code of a process that has exited: the guest's answer to the call that waits for it. If the
/// guest does not know it, it is 255.
fn exit_code(guest: &Guest, wait_call_id: i64) -> u32 {
    let until = Instant::now() + RECORDED;
    loop {
        match guest.exit_code(wait_call_id) {
            Some(code) => return code,
            None if Instant::now() > until => return 255,
            // The exit is seen here a moment before the VM has reaped the process.
            None => std::thread::sleep(Duration::from_micros(200)),
        }
    }
}
