//! The table of the processes, and the reports of their exits.

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

/// The time for the VM to record an exit.
const RECORDED: Duration = Duration::from_secs(5);

/// All processes, shared with the thread that reports exits.
pub(super) struct Entries {
    pub(super) guest: Guest,
    pub(super) by_key: Mutex<BTreeMap<Key, Entry>>,
    /// Held while an exit is reported, so that a freeze can wait for it.
    pub(super) telling: Mutex<()>,
}

/// One process.
pub(super) struct Entry {
    pub(super) identity: Identity,
    /// `None` if the process had exited before this shim had the guest.
    pub(super) process: Option<Arc<OwnedFd>>,
    pub(super) member: MemberId,
    /// Whether another shim has started it.
    pub(super) adopted: bool,
    pub(super) wait_call_id: i64,
    pub(super) on_exit: Option<OnExit>,
    pub(super) frozen: bool,
    /// It exited while it was frozen: reported when it is thawed.
    pub(super) exited: bool,
    /// The files that an abort removes.
    pub(super) made: Vec<PathBuf>,
}

impl Entries {
    /// The thread that reports exits.
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

/// Returns the exit code of an exited process: the guest's answer to the call that waits for it. If
/// the guest does not know it, it is 255.
fn exit_code(guest: &Guest, wait_call_id: i64) -> u32 {
    let until = Instant::now() + RECORDED;
    loop {
        match guest.exit_code(wait_call_id) {
            Some(code) => return code,
            None if Instant::now() > until => return 255,
            // The exit is visible here a moment before the VM has reaped the process.
            None => std::thread::sleep(Duration::from_micros(200)),
        }
    }
}
