//! Deadlines also work in the child of a program that forks after its first migration.

#![cfg(unix)]
// Only the fork itself is unsafe: no crate has a safe one.
#![allow(unsafe_code)]

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use snapshot_core::{Code, Context, Controller, Error, Session, Snapshot, Source};

mod pb {
    #[derive(Clone, PartialEq, snapshot_core::Schema, prost::Message)]
    pub(crate) struct Disk {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(bool, tag = "2")]
        pub hangs: bool,
    }

    impl prost::Name for Disk {
        const NAME: &'static str = "Disk";
        const PACKAGE: &'static str = "fork";
    }
}

#[derive(Snapshot)]
#[snapshot(message = pb::Disk, version = 1, controller = Disk)]
struct DiskState {
    hangs: bool,
}

struct Disk(Mutex<DiskState>);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }

    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let hangs = self.state().hangs;
        match hangs {
            true => std::future::pending().await,
            false => Ok(()),
        }
    }
}

/// Whether a deadline ends a hanging hook.
fn deadline_works() -> bool {
    let disk = Arc::new(Disk(Mutex::new(DiskState { hangs: true })));
    let session = Session::new().hook_deadline(Duration::from_millis(20));
    let frozen = block_on(Source::new(&disk).freeze(&session));
    frozen.is_err_and(|failure| failure.code() == Code::DeadlineExceeded)
}

/// Forks, runs the function in the child, and returns whether the child ended with `true`.
fn in_child(run: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child uses no lock that another thread of this test may hold: it prints nothing, and
    // the allocator of every libc of these systems works in the child of a fork.
    match unsafe { libc::fork() } {
        -1 => panic!("cannot fork"),
        0 => {
            let is_right = run();
            // SAFETY: ends the child, without the destructors of the test harness.
            unsafe { libc::_exit(if is_right { 0 } else { 1 }) }
        }
        child => {
            let mut status = 0;
            for _ in 0..60_000 {
                // SAFETY: `status` is a place for an `int`.
                if unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } == child {
                    return status == 0;
                }
                thread::sleep(Duration::from_millis(1));
            }
            // SAFETY: it is a child that was not waited for, so the number is still its own.
            unsafe { libc::kill(child, libc::SIGKILL) };
            false
        }
    }
}

#[test]
fn deadlines_work_in_the_child_of_a_fork_and_in_its_child() {
    assert!(deadline_works());
    // The child drops the parent's pending work without a wait for the parent's thread.
    let disk = Arc::new(Disk(Mutex::new(DiskState { hangs: false })));
    let session = Session::new().blackout_budget(Duration::from_secs(3600));
    let mut frozen = Some(block_on(Source::new(&disk).freeze(&session)).unwrap());
    let both = in_child(|| {
        drop(frozen.take());
        deadline_works() && in_child(deadline_works)
    });
    assert!(both);
    assert!(deadline_works());
    block_on(frozen.take().unwrap().rollback()).unwrap();
}
