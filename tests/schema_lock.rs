//! The lock of this repository's own payloads, and the schema checker itself, compared with other
//! checkers.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
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
use snapshot_core::evolution::lock::Lock;
use snapshot_core::registry::{Registry, registry, require};
use snapshot_core::schema::Manifest;
use snapshot_examples::lcow;

/// Returns the registry of this repository, with all controllers linked.
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
    snapshot_core::evolution::assert_locked!("proto/schema.lock");
}

/// Returns the message of the line in a test when it fails.
fn failure(manifest: &Manifest) -> String {
    let assert = || snapshot_core::evolution::assert_locked!("proto/schema.lock", manifest);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(assert)).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_failure_names_the_file_the_change_and_the_cure() {
    let mut manifest = registered().manifest();
    let scsi = manifest.messages.iter_mut().find(|m| m.name.ends_with(".MountConfig")).unwrap();
    let name = scsi.name.clone();
    scsi.fields.retain(|field| field.name != "encrypted");
    let text = failure(&manifest);
    let said = format!(
        "proto/schema.lock:\ntype.googleapis.com/lcow.v1.ScsiSnapshot has changed and its version has \
         not: {name}: only the lock has field 2 (encrypted); restore the schema, or set `version = 2` \
         and accept version 1\nSNAPSHOT_UPDATE_LOCK=1 refuses this:\n"
    );
    assert!(text.starts_with(&said), "{text}");
    assert!(text.contains("\n-       2 encrypted: bool\n"), "{text}");

    manifest = registered().manifest();
    manifest.payloads.retain(|payload| !payload.type_url.ends_with(".VpciSnapshot"));
    let text = failure(&manifest);
    assert!(text.contains("lcow.v1.VpciSnapshot is in the lock and not registered"), "{text}");
}
