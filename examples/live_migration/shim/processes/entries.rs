//! The table of the processes, and the telling of their exits.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use snapshot_examples::lcow::host::{Exit, OnExit};

use super::Key;
use crate::shim::guest::Guest;
use crate::shim::identity::{Identity, exit_code};
use crate::shim::lock::lock;
use crate::shim::relay::{Event, MemberId};

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
    pub(super) process: Arc<OwnedFd>,
    pub(super) member: MemberId,
    /// Only where it was started: who started it is asked for its exit status.
    pub(super) child: Option<Child>,
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
                    let entries = lock(&self.by_key);
                    let of = entries.iter().find(|(_, entry)| entry.member == member);
                    let key = of.map_or_else(|| "(gone)".to_owned(), |(key, _)| key.to_string());
                    tracing::error!(process = key, %error, "the output cannot be written");
                }
            }
        }
    }

    fn tell(&self, member: MemberId) {
        let _telling = lock(&self.telling);
        let (on_exit, code) = {
            let mut entries = lock(&self.by_key);
            let Some(entry) = entries.values_mut().find(|entry| entry.member == member) else {
                return;
            };
            if entry.frozen {
                entry.exited = true;
                return;
            }
            let Some(on_exit) = entry.on_exit.take() else { return };
            (on_exit, entry.exit_code(&self.guest))
        };
        on_exit(Exit { code, at: SystemTime::now() });
    }
}

impl Entry {
    /// The exit code of a process that has exited. One that was started here is reaped. That of an
    /// adopted one is the guest's answer to the call that waits for it, or, if it was killed and
    /// could not answer, what its parent has not reaped yet. If nobody knows it any more it is 255.
    fn exit_code(&mut self, guest: &Guest) -> u32 {
        let known = match &mut self.child {
            Some(child) => child.wait().ok().map(|status| exit_code(status.into_raw())),
            None => guest.exit_code(self.wait_call_id).or_else(|| self.identity.exit_code()),
        };
        known.unwrap_or(255)
    }
}
