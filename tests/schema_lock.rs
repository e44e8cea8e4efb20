//! The lock of this repository's own payloads, and the checker of schemas itself, checked against
//! what other checkers know.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "schema_lock/buf.rs"]
mod buf;
#[path = "schema_lock/fixture.rs"]
mod fixture;
#[path = "schema_lock/hcsshim.rs"]
mod hcsshim;
#[path = "schema_lock/mutations.rs"]
mod mutations;
#[path = "schema_lock/qemu.rs"]
mod qemu;

use snapshot_core::ControllerSet;
use snapshot_core::registry::{Registry, registry, require};
use snapshot_core::schema::lock::Lock;
use snapshot_examples::lcow;

/// What this repository registers, nothing left out by the linker.
fn registered() -> &'static Registry {
    require![
        ControllerSet,
        lcow::Sandbox,
        lcow::Vm,
        lcow::Scsi,
        lcow::Vpci,
        lcow::Plan9,
        lcow::Pod,
        lcow::Network,
        lcow::Container,
        lcow::Process,
    ]
    .unwrap();
    registry().unwrap()
}

#[test]
fn no_schema_changes_unnoticed() {
    registered();
    snapshot_core::schema::assert_locked!("proto/schema.lock");
}
