//! `snapshot diff`: the differences between two snapshots.

use snapshot_core::{Snapshot, WriteOptions};
use snapshot_examples::lcow::DiskStage;

use crate::acme::{Tool, any, delimited};
use crate::program::{Ended, Files, golden, run, sandbox, save};

fn diff(files: &Files, a: &Snapshot, b: &Snapshot) -> Ended {
    let (one, other) = (files.path("a.snapshot"), files.path("b.snapshot"));
    let replace = WriteOptions::new().replace(true);
    replace.write_to_path(a, &one).unwrap();
    // The compression makes no difference.
    replace.zstd(3).write_to_path(b, &other).unwrap();
    run(["diff".as_ref(), one.as_os_str(), other.as_os_str()])
}

#[test]
fn the_same_sandbox_saved_twice_has_no_differences() {
    let (sandbox, snapshot) = sandbox();
    assert_eq!(diff(&Files::new(), &snapshot, &save(&sandbox)).fine(), "");
}

#[test]
fn a_change_of_a_live_controller_is_reported_by_path() {
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
    // Without the orchestrator, which would report the missing mounts.
    let state = snapshot_core::Controller::state(&*sandbox);
    let any = snapshot_core::codec::to_any_bytes(&*state).unwrap();
    drop(state);
    let after = Snapshot::from_any_bytes(&any).unwrap();
    let ended = diff(&Files::new(), &before, &after);
    assert_eq!(ended.code, 1);
    let lines: Vec<_> = ended.text().lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    // The host adds this when it freezes the VM, which did not happen the second time.
    assert_eq!(lines[0], "vm: compat_info \"fake hypervisor 1\" -> 0 bytes");
    assert_eq!(lines[1], format!("vm/scsi: disks[{slot}].state Attached -> Detached"));
    assert!(lines[2].starts_with("vm/scsi: disks[0].mounts[1] removed, was {"), "{lines:?}");
}

#[test]
fn an_added_or_removed_controller_is_reported_once() {
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
fn the_order_of_maps_is_not_a_difference_but_other_bytes_are_reported() {
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
    assert_eq!((ended.code, ended.text()), (1, ".: has the same content in other bytes\n"));
    let ended = diff(&files, &any(b"\x08\x01"), &any(b"\x08\x01\x78\x01"));
    assert_eq!(ended.text(), ".: unknown field 15 added, varint 1\n");
    let ended = diff(&files, &any(b"\xff"), &any(b"\x08\x01"));
    assert_eq!(
        ended.text(),
        ".: 1 byte that cannot be read -> 2 bytes, which differ from byte 0 on\n"
    );
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

fn mounts<T: std::fmt::Display>(of: impl IntoIterator<Item = T>) -> String {
    let mounts = of.into_iter().map(|n| format!(r#"{{"source":"/src/{n}","options":["ro"]}}"#));
    format!(r#""mounts":[{}]"#, mounts.collect::<Vec<_>>().join(","))
}

#[test]
fn an_inserted_a_removed_and_a_changed_element_are_a_line_each() {
    let tool = Tool::new();
    let diff = |a: String, b: String| {
        tool.make("a", "Pod", &a);
        tool.make("b", "Pod", &b);
        let ended = tool.run(&["diff", "@a", "@b"]);
        assert_eq!(ended.code, 1);
        ended.text().to_owned()
    };
    let fifty = || (1..=50).map(|n| n.to_string()).collect::<Vec<_>>();
    let with_new = || [vec!["new".to_owned()], fifty()].concat();
    let added = r#".: mounts[0] added, {source: "/src/new", options: 1 element}"#;
    assert_eq!(diff(mounts(fifty()), mounts(with_new())), format!("{added}\n"));
    let removed = r#".: mounts[0] removed, was {source: "/src/new", options: 1 element}"#;
    assert_eq!(diff(mounts(with_new()), mounts(fifty())), format!("{removed}\n"));
    let mut changed = with_new();
    changed[20] = "other".to_owned();
    let text = diff(mounts(fifty()), mounts(changed));
    let change = r#".: mounts[20].source "/src/20" -> "/src/other""#;
    assert_eq!(text, format!("{added}\n{change}\n"));
}

#[test]
fn controllers_in_a_list_are_aligned_by_their_ids_or_by_their_content() {
    let tool = Tool::new();
    let parts = |names: &[&str]| {
        let parts = names
            .iter()
            .map(|name| format!(r#"{{"@type":"type.googleapis.com/acme.Part","name":"{name}"}}"#));
        format!(r#""list":[{}]"#, parts.collect::<Vec<_>>().join(","))
    };
    tool.make("a", "Vm", &parts(&["b", "c", "d"]));
    tool.make("b", "Vm", &parts(&["a", "b", "c", "e"]));
    let ended = tool.run(&["diff", "@a", "@b"]);
    let lines: Vec<_> = ended.text().lines().collect();
    assert_eq!(lines, ["list/0: added, a acme.Part of 3 B", "list/3: name \"d\" -> \"e\""]);
    let ended = tool.run(&["diff", "@a", "@b", "--id", "acme.Part=name"]);
    let lines: Vec<_> = ended.text().lines().collect();
    let expected = [
        "list/a: added, a acme.Part of 3 B",
        "list/d: removed, a acme.Part of 3 B",
        "list/e: added, a acme.Part of 3 B",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn fields_that_the_descriptors_do_not_know_are_compared_by_number_type_and_bytes() {
    let tool = Tool::new();
    let owner =
        |name: &str| any("Disk", &[&b"\x08\x01"[..], &delimited(3, name.as_bytes())].concat());
    tool.files.put("alice", &owner("alice"));
    tool.files.put("bob", &owner("bob"));
    tool.files.put("none", &any("Disk", b"\x08\x01"));
    let diff = |a: &str, b: &str| tool.run(&["diff", a, b]).text().to_owned();
    let alice = r#"length-delimited, 5 bytes (616c696365) "alice""#;
    let bob = r#"length-delimited, 3 bytes (626f62) "bob""#;
    assert_eq!(diff("@alice", "@bob"), format!(".: unknown field 3 {alice} -> {bob}\n"));
    assert_eq!(diff("@none", "@bob"), format!(".: unknown field 3 added, {bob}\n"));
    assert_eq!(diff("@bob", "@none"), format!(".: unknown field 3 removed, was {bob}\n"));
    // If the difference is not shown, its place is.
    let long = |end: char| owner(&format!("{}{end}", "x".repeat(500)));
    tool.files.put("one", &long('1'));
    tool.files.put("two", &long('2'));
    assert!(diff("@one", "@two").contains("which differ from byte 500 on"));
    // In a message in a list, and with another wire type.
    let mount = |last: &[u8]| any("Pod", &delimited(2, last));
    tool.files.put("one", &mount(b"\x48\x07"));
    tool.files.put("two", &mount(b"\x4d\x07\0\0\0"));
    let told = ".: mounts[0] unknown field 9 varint 7 -> 32 bits, 4 bytes (07000000)\n";
    assert_eq!(diff("@one", "@two"), told);
}

#[test]
fn a_long_id_above_many_controllers_does_not_grow_the_output() {
    let files = Files::new();
    let (a, b) = (files.path("a"), files.path("b"));
    std::fs::write(&a, crate::hostile::long_id(1)).unwrap();
    std::fs::write(&b, crate::hostile::long_id(2)).unwrap();
    let ended = run(["diff".as_ref(), a.as_os_str(), b.as_os_str()]);
    assert_eq!(ended.code, 1);
    assert!(ended.text().lines().count() >= 1000, "{}", ended.text().len());
    assert!(ended.text().len() < 1_000_000, "{}", ended.text().len());
}

#[test]
fn a_change_far_below_in_lists_of_lists_is_one_line() {
    // 4 MiB at the bottom of 40 levels: encoding them again at each level would be 40 times the work.
    let tool = Tool::new();
    let nested = |last: u8| {
        let mut leaf = vec![b'x'; 4 << 20];
        leaf.push(last);
        let mut bytes = any("Part", &delimited(5, &leaf));
        let mut levels = 0;
        while levels < 40 {
            bytes = any("Vm", &delimited(4, &bytes));
            levels += 1;
        }
        bytes
    };
    tool.files.put("a", &nested(b'a'));
    tool.files.put("b", &nested(b'b'));
    let ended = tool.run(&["diff", "@a", "@b"]);
    assert_eq!((ended.code, ended.text().lines().count()), (1, 1), "{}", ended.text());
    assert!(ended.text().contains("which differ from byte 4194304 on"), "{}", ended.text());
}

#[test]
fn an_extension_is_shown_as_a_field_that_no_state_maps() {
    let tool = Tool::new();
    let proto = "syntax = \"proto2\"; package old;
        message Disk { optional uint32 size = 1; extensions 100 to 200; }
        extend Disk { optional uint32 iops = 100; }";
    tool.files.put("old.proto", proto.as_bytes());
    let set = protox::compile(["old.proto"], [tool.files.path("")]).unwrap();
    tool.files.put("old.binpb", &prost::Message::encode_to_vec(&set));
    let disk = |iops: &[u8]| {
        let value = [&b"\x08\x01"[..], iops].concat();
        prost::Message::encode_to_vec(&prost_types::Any {
            type_url: "x/old.Disk".to_owned(),
            value,
        })
    };
    tool.files.put("one", &disk(b"\xa0\x06\x05"));
    tool.files.put("two", &disk(b"\xa0\x06\x07"));
    let run = |words: &[&str]| tool.run(&[words, &["--descriptors", "@old.binpb"]].concat());
    let ended = run(&["diff", "@one", "@two"]);
    assert_eq!(ended.text(), ".: unknown field 100 varint 5 -> varint 7\n");
    let ended = run(&["inspect", "@one"]);
    assert!(ended.fine().contains("1 unknown field (100: varint 5)"), "{}", ended.text());
    assert_eq!(run(&["verify", "@one"]).code, 1);
}
