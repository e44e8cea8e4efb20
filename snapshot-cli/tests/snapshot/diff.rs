//! `snapshot diff`: what changed, in words.

use snapshot_core::{Snapshot, WriteOptions};
use snapshot_examples::lcow::DiskStage;

use crate::program::{Ended, Files, golden, run, sandbox, save};

fn diff(files: &Files, a: &Snapshot, b: &Snapshot) -> Ended {
    let (one, other) = (files.path("a.snapshot"), files.path("b.snapshot"));
    let replace = WriteOptions::new().replace(true);
    replace.write_to_path(a, &one).unwrap();
    // Compressed or not makes no difference.
    replace.zstd(3).write_to_path(b, &other).unwrap();
    run(["diff".as_ref(), one.as_os_str(), other.as_os_str()])
}

#[test]
fn the_same_sandbox_saved_twice_has_no_differences() {
    let (sandbox, snapshot) = sandbox();
    assert_eq!(diff(&Files::new(), &snapshot, &save(&sandbox)).fine(), "");
}

#[test]
fn a_change_of_a_live_controller_is_told_by_path() {
    let (sandbox, before) = sandbox();
    let scsi = sandbox.vm().unwrap().scsi().unwrap();
    let slot = {
        let mut state = snapshot_core::Controller::state(&*scsi);
        let (slot, disk) = state.disks.iter_mut().next().unwrap();
        disk.stage = DiskStage::Detached;
        disk.mounts.clear();
        slot.to_string()
    };
    drop(scsi);
    // Not through the orchestrator, which would find the mounts missing.
    let state = snapshot_core::Controller::state(&*sandbox);
    let any = snapshot_core::codec::to_any_bytes(&*state).unwrap();
    drop(state);
    let after = Snapshot::from_any_bytes(&any).unwrap();
    let ended = diff(&Files::new(), &before, &after);
    assert_eq!(ended.code, 1);
    let lines: Vec<_> = ended.text().lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    // What the host adds when it freezes the VM, which was not done the second time.
    assert_eq!(lines[0], "vm: compat_info \"fake hypervisor 1\" -> 0 bytes");
    assert_eq!(lines[1], format!("vm/scsi: disks[{slot}].state Attached -> Detached"));
    assert!(lines[2].starts_with("vm/scsi: disks[0].mounts[1] removed, was {"), "{lines:?}");
}

#[test]
fn a_controller_that_came_or_went_is_told_once() {
    use snapshot_examples::lcow::sample;
    let two = save(&sample::sandbox(2).unwrap());
    let one = save(&sample::sandbox(1).unwrap());
    let ended = diff(&Files::new(), &one, &two);
    let added: Vec<_> = ended.text().lines().filter(|line| line.contains(": added, a ")).collect();
    assert_eq!(added.len(), 2, "a container and its process: {}", ended.text());
    assert!(added[0].contains("a lcow.v1.ContainerSnapshot of "), "{added:?}");
    assert!(ended.text().contains("vm/scsi: disks["), "{}", ended.text());
    let ended = diff(&Files::new(), &two, &one);
    assert_eq!(ended.text().matches(": removed, a ").count(), 2);
}

#[test]
fn the_order_of_maps_is_no_difference_and_other_bytes_are_told() {
    // num_controllers, then the version.
    let any = |value: &[u8]| {
        let any = prost_types::Any {
            type_url: "type.googleapis.com/lcow.v1.ScsiSnapshot".to_owned(),
            value: value.to_vec(),
        };
        Snapshot::from_any(&any).unwrap()
    };
    let disk = |key: u8| [&[0x1a, 4, 0x08, key, 0x12, 0][..]].concat();
    let (one, other) = ([disk(1), disk(2)].concat(), [disk(2), disk(1)].concat());
    let files = Files::new();
    let ended = diff(&files, &any(&one), &any(&other));
    assert_eq!((ended.code, ended.text()), (1, ".: says the same, in other bytes\n"));
    let ended = diff(&files, &any(b"\x08\x01"), &any(b"\x08\x01\x78\x01"));
    assert_eq!(ended.text(), ".: . 0 unknown fields -> 1 unknown field\n");
    let ended = diff(&files, &any(b"\xff"), &any(b"\x08\x01"));
    assert_eq!(ended.text(), ".: 1 byte that cannot be read -> 2 bytes\n");
}

#[test]
fn a_bare_any_and_a_snapshot_can_be_compared() {
    let files = Files::new();
    let path = golden("any/migration/full.binpb");
    let snapshot = Snapshot::from_any_bytes(&std::fs::read(&path).unwrap()).unwrap();
    let other = files.put("a.snapshot", snapshot.as_bytes());
    run(["diff".as_ref(), path.as_os_str(), other.as_os_str()]).fine();
    let scsi = golden("any/scsi/typical.binpb");
    let ended = run(["diff".as_ref(), path.as_os_str(), scsi.as_os_str()]);
    assert_eq!(ended.code, 1);
    assert!(ended.text().starts_with(".: type URL "), "{}", ended.text());
    assert!(ended.stderr.is_empty());
}
