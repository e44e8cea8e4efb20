//! The classes of defects that QEMU's `vmstate-static-checker.py` finds, from the lines that QEMU's
//! own test of the checker expects.
//!
//! QEMU's sections correspond to our payloads, its descriptions to our messages, and its
//! subsections to the optional parts of a snapshot: `optional` fields and messages. QEMU reads
//! fields by order and name, this library by number. A renaming is therefore a defect only there,
//! and an added field only here.

use snapshot_core::evolution::Verdict;

use super::fixture::{
    Change, between, next_manifest, released, restored_by_released, restores, same_version,
};

#[track_caller]
fn differs(verdict: Verdict, reason: &str) {
    match verdict {
        Verdict::Differs { differences, .. } => {
            let reasons: Vec<_> =
                differences.iter().map(|d| format!("{}: {}", d.place, d.reason)).collect();
            assert!(reasons.iter().any(|found| found == reason), "{reasons:#?}");
        }
        other => panic!("{other:?}, not {reason:?}"),
    }
}

/// Checks a defect under one version: the changed program does not restore it, and the lock refuses
/// it.
#[track_caller]
fn defect(change: Change, peers: &str, lock: &str) {
    differs(restores(change), peers);
    let error = same_version(change).unwrap_err().to_string();
    assert!(error.contains(lock), "{error}");
}

/// Section "fw_cfg" does not exist in dest
#[test]
fn a_section_that_is_gone() {
    let change = ("payload example.com/a.Vm", "payload example.com/a.Other");
    assert_eq!(restores(change), Verdict::Missing);
    let error = same_version(change).unwrap_err().to_string();
    assert!(error.contains("example.com/a.Vm is in the lock and not registered"), "{error}");
}

/// Section "fusbh200-ehci-usb" version error: 2 > 1
#[test]
fn a_version_that_was_lowered() {
    let second = next_manifest((
        "      11 mask: fixed32\n",
        "      11 mask: fixed32\n      13 flags: uint32\n",
    ));
    let first = released().manifest().unwrap();
    assert_eq!(
        between(&second, &first),
        Verdict::VersionNotAccepted { version: 2, accepts: vec![1] }
    );
    let lock = released().updated(&second).unwrap();
    let error = lock.updated(&first).unwrap_err().to_string();
    assert!(error.contains("version 1 is lower than version 2, which was released"), "{error}");
}

/// Description "ehci-core": expected field "usbsts", got "usbsts_pending"
#[test]
fn a_field_with_another_name() {
    // Only the number counts: the lock can be updated.
    let change = ("3 cpus: uint32", "3 vcpus: uint32");
    assert_eq!(restores(change), Verdict::Readable);
    let renamed = same_version(change).unwrap();
    assert!(renamed.to_string().contains("3 vcpus: uint32"));
    let error = released().check(&renamed.manifest().unwrap()).unwrap_err().to_string();
    assert!(
        error.starts_with("example.com/a.Vm: a.Vm: field 3 (cpus) is called vcpus now\n"),
        "{error}"
    );
    // Another field in its place is a defect.
    defect(
        (
            "      2 sectors: uint64\n      3 cache: optional bool\n",
            "      3 cache: optional bool\n      4 sectors: uint64\n",
        ),
        "a.Disk: field sectors is 2 at the source and 4 at the destination",
        "a.Disk: field sectors is 2 in the lock and 4 now",
    );
}

/// Description "pci-serial-multi": Entry "Fields" missing
#[test]
fn a_message_without_its_fields() {
    let fields = "      1 path: string\n      2 sectors: uint64\n      3 cache: optional bool\n";
    for field in ["1 (path)", "2 (sectors)", "3 (cache)"] {
        defect(
            (fields, ""),
            &format!("a.Disk: only the source has field {field}"),
            &format!("a.Disk: only the lock has field {field}"),
        );
    }
}

/// Description "intel-hda", Field "pci": missing description
#[test]
fn a_field_that_is_no_longer_a_message() {
    defect(
        ("5 root_disk: a.Disk", "5 root_disk: bytes"),
        "a.Vm: field 5 (root_disk) is a.Disk at the source and bytes at the destination",
        "a.Vm: field 5 (root_disk) is a.Disk in the lock and bytes now",
    );
}

/// Section "cfi.pflash01": Entry "Description" missing
#[test]
fn a_section_without_a_description() {
    let first = released().manifest().unwrap();
    let mut without = first.clone();
    without.messages.retain(|message| message.name != "a.Vm");
    differs(
        between(&first, &without),
        "a.Vm: is a.Vm at the destination, a different kind of type",
    );
    let error = released().updated(&without).unwrap_err().to_string();
    assert!(error.contains("example.com/a.Vm has changed and its version has not"), "{error}");
}

/// Description "PCIDevice": expected field "irq_state", while dest has no further fields
#[test]
fn a_field_that_is_gone() {
    defect(
        ("      11 mask: fixed32\n", ""),
        "a.Vm: only the source has field 11 (mask)",
        "a.Vm: only the lock has field 11 (mask)",
    );
}

/// Not found by QEMU's checker, which stops at the last field of the source.
#[test]
fn a_field_that_was_added() {
    let change = ("      11 mask: fixed32\n", "      11 mask: fixed32\n      13 flags: uint32\n");
    differs(restored_by_released(change), "a.Vm: only the source has field 13 (flags)");
    defect(
        change,
        "a.Vm: only the destination has field 13 (flags)",
        "a.Vm: only the program has field 13 (flags)",
    );
}

/// Description "PIIX3": minimum version error: 1 < 2
#[test]
fn an_older_version_that_is_no_longer_accepted() {
    let change = ("      11 mask: fixed32\n", "      11 mask: fixed32\n      13 flags: uint32\n");
    let first = released().manifest().unwrap();
    let both = next_manifest(change);
    assert_eq!(between(&first, &both), Verdict::ReadableAfterUpgrade { version: 1 });
    let lock = released().updated(&both).unwrap();

    let mut minimum = both;
    let vm = minimum.payloads.iter_mut().find(|payload| payload.version == 2).unwrap();
    (vm.accepts, vm.older) = (vec![2], vec![]);
    assert_eq!(
        between(&first, &minimum),
        Verdict::VersionNotAccepted { version: 1, accepts: vec![2] }
    );
    let error = lock.check(&minimum).unwrap_err().to_string();
    assert!(error.contains("example.com/a.Vm: version 1 is no longer accepted"), "{error}");
}

/// Description "PIIX3": Entry "Subsections" missing;
/// Description "fdrive": Subsection "fdrive/media_rate" not found
#[test]
fn a_subsection_that_is_gone() {
    defect(
        ("      3 cache: optional bool\n", ""),
        "a.Disk: only the source has field 3 (cache)",
        "a.Disk: only the lock has field 3 (cache)",
    );
    defect(
        ("      5 root_disk: a.Disk\n", ""),
        "a.Vm: only the source has field 5 (root_disk)",
        "a.Vm: only the lock has field 5 (root_disk)",
    );
}

/// Section "tpci200": Description "tpci200" missing, got "tpci2002" instead
#[test]
fn a_message_with_another_name() {
    let first = released().manifest().unwrap();
    let text = super::fixture::RELEASED.replace("a.Disk", "a.Drive");
    let renamed = text.parse::<super::Lock>().unwrap().manifest().unwrap();
    assert_eq!(between(&first, &renamed), Verdict::Readable);
    let error = released().check(&renamed).unwrap_err().to_string();
    assert!(error.contains("a.Disk is called a.Drive now"), "{error}");
    let lock = released().updated(&renamed).unwrap();
    assert!(lock.to_string().contains("message a.Drive\n") && !lock.to_string().contains("a.Disk"));
}

/// Description "fdc": version error: 2 > 1. Messages have no versions of their own: a change in one
/// is found in the payload.
#[test]
fn a_message_within_that_is_another_version() {
    defect(
        ("1 path: string", "1 path: bytes"),
        "a.Disk: field 1 (path) is string at the source and bytes at the destination",
        "a.Disk: field 1 (path) is string in the lock and bytes now",
    );
}

/// Description "usb-kbd" Field "kbd.keycodes" size mismatch: 4 , 2
#[test]
fn a_field_of_another_size() {
    defect(
        ("2 sectors: uint64", "2 sectors: uint32"),
        "a.Disk: field 2 (sectors) is uint64 at the source and uint32 at the destination",
        "a.Disk: field 2 (sectors) is uint64 in the lock and uint32 now",
    );
}
