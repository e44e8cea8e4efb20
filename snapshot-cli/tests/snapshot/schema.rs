//! `snapshot schema` and its commands.

use std::ffi::OsStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use prost::Message as _;
use snapshot_core::ControllerSet;
use snapshot_core::evolution::lock::Lock;
use snapshot_core::registry::{Manifest, registry, require};
use snapshot_core::wire::v1::manifest::{
    self, Enum, Field, Limits, Meaning, Message, Older, Payload, StageRules, Value, Values,
};
use snapshot_examples::{hcsshim, lcow};

use crate::program::{Ended, Files, golden, run};

/// The built-in manifest `lcow` of the binary.
fn manifest_of_lcow() -> Manifest {
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
    registry().unwrap().manifest()
}

/// The lock under version control.
fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/schema.lock")
}

fn schema<S: AsRef<OsStr> + ?Sized>(args: &[&S]) -> Ended {
    run(["schema".as_ref()].into_iter().chain(args.iter().map(|arg| arg.as_ref())))
}

#[test]
fn the_committed_lock_matches_the_tool() {
    let lock = committed();
    let ended = schema(&["check".as_ref(), lock.as_os_str()]);
    assert_eq!(ended.fine(), format!("{}: valid; checked: 10 payloads\n", lock.display()));
    // The lock does not match the other built-in program.
    let ended =
        schema(&["check".as_ref(), lock.as_os_str(), "--schema".as_ref(), "hcsshim".as_ref()]);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
    assert!(ended.text().contains("ScsiSnapshot is in the lock and not registered"));
}

#[test]
fn a_lock_that_does_not_match_is_reported_with_the_messages_of_assert_locked() {
    let files = Files::new();
    let text = std::fs::read_to_string(committed()).unwrap();
    let manifest = manifest_of_lcow();
    let wire = files.put("build.manifest", &manifest.encode_to_vec());
    for (from, to, told) in [
        ("      2 encrypted: bool\n", "", "only the program has field 2 (encrypted)"),
        ("      1 host_path: ", "      1 image: ", "field 1 (image) is called host_path now"),
        ("  freeze_to SourceMigrating\n", "", "freeze_to was no stage and is SourceMigrating"),
        ("    save_from Running\n", "    save_from Paused\n", "stage Paused may be saved"),
        (
            "payload type.googleapis.com/lcow.v1.VpciSnapshot",
            "payload acme/old",
            "acme/old is in the",
        ),
        ("  accepts 1\n", "  accepts 1 2\n", "version 2 is no longer accepted"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from:?} is not in the lock any more");
        let path = files.put("schema.lock", changed.as_bytes());
        let assert = || snapshot_core::evolution::assert_locked!(&path, &manifest);
        let panic = catch_unwind(AssertUnwindSafe(assert)).unwrap_err();
        let said = panic.downcast_ref::<String>().unwrap();
        assert!(said.contains(told), "{told}: {said}");

        let built_in = schema(&["check".as_ref(), path.as_os_str()]);
        assert_eq!((built_in.code, built_in.stderr.as_str()), (1, ""));
        assert_eq!(built_in.text(), format!("{said}\n"));
        let arguments =
            ["check".as_ref(), path.as_os_str(), "--manifest".as_ref(), wire.as_os_str()];
        assert_eq!(schema(&arguments).text(), format!("{said}\n"));
    }
}

#[test]
fn a_file_that_is_neither_a_lock_nor_a_manifest_is_refused_by_name() {
    let files = Files::new();
    let manifest = hcsshim::manifest().unwrap().encode_to_vec();
    let newer = [manifest.as_slice(), &[0x7a, 0x01, 0x00]].concat();
    for (name, bytes, command, told) in [
        ("a", &manifest[..], "check", "a: is a manifest, but a lock is needed"),
        ("b", b"format 2\n", "check", "b: line 1: format 2: this build reads format 1"),
        ("c", b"# x\n\nformat 1\n\npayload a\n  version 1\n    nonsense\n", "show", "c: line 7: "),
        ("d", b"no manifest", "show", "d: neither a lock nor a manifest: "),
        ("e", &newer, "show", "e: has fields that this build does not know in a manifest"),
        // A length of 2 GiB in a file of seven bytes.
        ("f", b"\x0a\xff\xff\xff\xff\x07\x0a", "show", "f: neither a lock nor a manifest: "),
    ] {
        let path = files.put(name, bytes);
        let ended = schema(&[command.as_ref(), path.as_os_str()]);
        assert_eq!((ended.code, ended.text()), (3, ""), "{name}: {}", ended.stderr);
        let (_, said) = ended.stderr.rsplit_once('/').unwrap();
        assert!(said.starts_with(told), "{said}");
    }
    let missing = files.path("missing");
    for command in ["show", "check"] {
        let ended = schema(&[command.as_ref(), missing.as_os_str()]);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
    }
    assert_eq!(schema::<str>(&["check"]).code, 2);
    assert_eq!(schema::<str>(&["diff", "a"]).code, 2);
    assert_eq!(schema::<str>(&["show", "a", "--schema", "lcow"]).code, 2);
}

#[test]
fn built_in_schemas_are_shown_and_written_as_in_the_library() {
    let ended = schema::<str>(&["show"]);
    let text = ended.fine();
    for told in [
        "lcow\n\nlimits\n  snapshot_bytes 268435456\n  name_bytes 1024\n\npayload type.googleapis.com/lcow.v1.ContainerSnapshot\n  version 1\n",
        "  message lcow.v1.ContainerSnapshot\n  id 2\n  stage field 4\n  after ",
        "  after type.googleapis.com/lcow.v1.Plan9Snapshot\n",
        "  stage carried\n  save_from Running\n  freeze_to SourceMigrating\n",
        "\n\nhcsshim\n\nlimits\n  snapshot_bytes 268435456\n",
        "\npayload type.microsoft.com/hcsshim.controller.linuxcontainer.save.v1.Payload\n",
        "    3  disks            map<uint32, lcow.v1.ScsiSnapshot.DiskState>  defines scsi.disk; keys at most 255\n",
        "    4  reservations     map<string, lcow.v1.ScsiSnapshot.Reservation>  defines scsi.reservation; keys uuid\n",
        "    1  slot       uint32  refers scsi.disk; at most 255\n",
        "    6  oci_process_spec_json  bytes  json\n",
        "\nenum lcow.v1.ScsiSnapshot.DiskState.DiskStage\n    0  DISK_STAGE_RESERVED\n",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!text.contains('\u{1b}'));

    let files = Files::new();
    for (name, manifest) in
        [("lcow", manifest_of_lcow()), ("hcsshim", hcsshim::manifest().unwrap())]
    {
        let path = files.path(name);
        let arguments =
            ["show", "--schema", name, "-o"].map(OsStr::new).into_iter().chain([path.as_os_str()]);
        assert_eq!(schema(&arguments.collect::<Vec<_>>()).fine(), "");
        assert_eq!(std::fs::read(&path).unwrap(), manifest.encode_to_vec());
        // The written manifest is shown like the built-in one.
        let [file, built_in] = [
            vec!["show".as_ref(), path.as_os_str()],
            vec!["show".as_ref(), "--schema".as_ref(), name.as_ref()],
        ]
        .map(|arguments| schema(&arguments).fine().split_once('\n').unwrap().1.to_owned());
        assert_eq!(file, built_in);
    }
    let ended = schema(&["show".as_ref(), "-o".as_ref(), files.path("both").as_os_str()]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("choose one of lcow, hcsshim with --schema"), "{}", ended.stderr);
    let ended = schema::<str>(&["show", "--schema", "qemu"]);
    assert_eq!(ended.stderr, "snapshot: \"qemu\" is not built in: there are lcow, hcsshim\n");
}

/// A manifest in which nothing has its default, besides the members that exclude each other.
fn stated() -> Manifest {
    let mut manifest = second();
    let payload = &mut manifest.payloads[0];
    (payload.id_field, payload.stage_field) = (1, 2);
    payload.older[0].type_url = "type.googleapis.com/old.v1.Disk".to_owned();
    payload.after = vec!["type.googleapis.com/acme.v1.Bus".to_owned()];
    let size = manifest.messages[0].fields.last_mut().unwrap();
    size.oneof = "place".to_owned();
    size.refers = vec!["bus".to_owned()];
    size.meanings = vec![
        Meaning {
            form: "bytes".to_owned(),
            values: Some(Values {
                form: "decimal".to_owned(),
                least: "1".to_owned(),
                most: "9".to_owned(),
                most_excluded: true,
                not_zero: true,
                bytes: Some(16),
            }),
            keys: Some(Values { form: "uuid".to_owned(), ..Values::default() }),
            set: true,
            length: Some(3),
            max: Some(u64::MAX),
            required: true,
            default_bytes: Some(vec![0x20, 0x0a]),
            secret: true,
            limits: vec![manifest::Limit { field: 1, included: true }],
            range: "1..MOST".to_owned(),
            default_none: true,
            may_stay_behind: true,
            ..Meaning::default()
        },
        Meaning { ignored: true, ..Meaning::default() },
        Meaning { discarded: true, ..Meaning::default() },
    ];
    manifest.enums[0].values[1].since = 2;
    manifest.limits =
        Some(Limits { snapshot_bytes: 1 << 30, name_bytes: 99, memory_bytes: 1 << 32 });
    manifest
}

#[test]
fn json_has_everything_in_a_manifest() {
    let files = Files::new();
    let shown = |manifest: &Manifest| -> serde_json::Value {
        let path = files.put("a", &manifest.encode_to_vec());
        let ended = schema(&["show".as_ref(), path.as_os_str(), "--json".as_ref()]);
        let json: serde_json::Value = serde_json::from_str(ended.fine()).unwrap();
        assert_eq!(json["schemas"][0]["name"], path.display().to_string());
        json["schemas"][0].clone()
    };
    let schema = shown(&stated());
    assert_eq!(
        schema["payloads"],
        serde_json::json!([{
            "type_url": URL, "version": 2, "accepts": [1, 2], "saves": [2], "message": "acme.v1.Disk",
            "older": [{
                "version": 1, "message": "acme.v1.DiskV1", "type_url": "type.googleapis.com/old.v1.Disk",
            }],
            "after": ["type.googleapis.com/acme.v1.Bus"], "id_field": 1, "stage_field": 2,
            "stage_rules": {
                "carried": true, "save_from": ["On"], "freeze_to": "Frozen", "import_as": "",
                "abort_to": "", "live": "",
            },
        }])
    );
    let mut size = schema["messages"][0]["fields"][2].clone();
    let meanings = size["meanings"].take();
    assert_eq!(
        size,
        serde_json::json!({
            "number": 4, "name": "size", "kind": "uint64", "oneof": "place", "since": 2,
            "defines": ["disk"], "refers": ["bus"], "meanings": null,
        })
    );
    assert_eq!(
        meanings[0],
        serde_json::json!({
            "text": stated().messages[0].fields[2].meanings[0].to_string(),
            "ignored": false, "discarded": false, "form": "bytes",
            "values": {
                "form": "decimal", "least": "1", "most": "9", "most_excluded": true,
                "not_zero": true, "bytes": 16,
            },
            "keys": {
                "form": "uuid", "least": "", "most": "", "most_excluded": false,
                "not_zero": false, "bytes": null,
            },
            "set": true, "length": 3, "max": u64::MAX, "required": true, "default_hex": "200a",
            "secret": true, "limits": [{ "field": 1, "included": true }], "range": "1..MOST",
            "default_none": true, "may_stay_behind": true,
        })
    );
    for (index, ignored, discarded) in [(0, false, false), (1, true, false), (2, false, true)] {
        assert_eq!(meanings[index]["ignored"], ignored);
        assert_eq!(meanings[index]["discarded"], discarded);
    }
    assert_eq!(meanings[2]["text"], "discarded");
    assert_eq!(meanings[2]["default_hex"], serde_json::Value::Null);
    assert_eq!(
        schema["enums"][0]["values"][1],
        serde_json::json!({ "number": 1, "name": "ON", "since": 2 })
    );
    assert_eq!(
        schema["limits"],
        serde_json::json!({
            "snapshot_bytes": 1u64 << 30, "name_bytes": 99, "memory_bytes": 1u64 << 32,
        })
    );

    // What a build does not state is there, and empty.
    let schema = shown(&second());
    assert_eq!(schema["limits"], serde_json::Value::Null);
    assert_eq!(schema["payloads"][0]["id_field"], 0);
    assert_eq!(schema["messages"][0]["fields"][2]["meanings"], serde_json::json!([]));
}

#[test]
fn the_text_has_the_limits_and_the_earlier_name_of_a_payload() {
    let files = Files::new();
    let path = files.put("a", &stated().encode_to_vec());
    let ended = schema(&["show".as_ref(), path.as_os_str()]);
    let text = ended.fine();
    for told in [
        "\n\nlimits\n  snapshot_bytes 1073741824\n  name_bytes 99\n  memory_bytes 4294967296\n\npayload ",
        "  reads 1 as acme.v1.DiskV1 from type.googleapis.com/old.v1.Disk\n",
        "  id 1\n  stage field 2\n",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
}

#[test]
fn one_message_is_shown_with_the_messages_in_it() {
    let ended = schema::<str>(&["show", "--message", "lcow.v1.ScsiSnapshot"]);
    let names = |text: &str, word: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix(word)).map(str::to_owned).collect()
    };
    let text = ended.fine();
    assert_eq!(names(text, "payload "), ["type.googleapis.com/lcow.v1.ScsiSnapshot"]);
    let messages = names(text, "message ");
    assert_eq!(messages.len(), 6, "{messages:?}");
    assert!(messages.iter().all(|name| name.starts_with("lcow.v1.ScsiSnapshot")), "{messages:?}");
    let by_url = schema::<str>(&["show", "--message", "type.googleapis.com/lcow.v1.ScsiSnapshot"]);
    assert_eq!(by_url.fine(), text);

    let ended = schema::<str>(&["show", "--message", "lcow.v2.ScsiSnapshot"]);
    assert_eq!(ended.code, 3);
    let told = "no message \"lcow.v2.ScsiSnapshot\": there are lcow.v1.ScsiSnapshot, ";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
}

#[test]
fn messages_of_other_descriptors_are_shown_as_a_proto_file_spells_them() {
    let files = Files::new();
    let path = files.put("set", snapshot_proto::FILE_DESCRIPTOR_SET);
    let shown = |message: &str| {
        let arguments = ["show", "--message", message, "--descriptors"].map(OsStr::new);
        let arguments = arguments.into_iter().chain([path.as_os_str()]).collect::<Vec<_>>();
        schema(&arguments).fine().to_owned()
    };
    let text = shown("fixture.v1.Choice");
    assert!(text.contains("    2  number    uint32  oneof kind\n"), "{text}");
    assert!(text.contains("\nmessage google.protobuf.Duration\n    1  seconds  int64\n"), "{text}");
    let text = shown("fixture.v1.OptionalScalars");
    assert!(text.contains("optional sint64\n") && !text.contains("oneof"), "{text}");
    assert!(shown("fixture.v1.Maps").contains("map<string, "), "{}", shown("fixture.v1.Maps"));
    // A circular schema.
    assert!(shown("fixture.v1.Recursive").contains("message fixture.v1.Recursive.Node\n"));
    // Both agree with prost's types about every message that they know.
    let of = |text: &str| {
        let start = text.find("\nmessage lcow.v1.NetworkSnapshot\n").unwrap();
        text[start..].split("\n\n").next().unwrap().to_owned()
    };
    let built_in = schema::<str>(&["show", "--message", "lcow.v1.NetworkSnapshot"]);
    assert_eq!(of(&shown("lcow.v1.NetworkSnapshot")), of(built_in.fine()));

    let empty = files.put("empty", b"");
    let ended = schema(&["show".as_ref(), "--descriptors".as_ref(), empty.as_os_str()]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("empty: is empty"), "{}", ended.stderr);
}

const URL: &str = "type.googleapis.com/acme.v1.Disk";

fn field(number: u32, name: &str, kind: &str) -> Field {
    Field { number, name: name.to_owned(), kind: kind.to_owned(), ..Field::default() }
}

fn first() -> Manifest {
    Manifest {
        payloads: vec![Payload {
            type_url: URL.to_owned(),
            version: 1,
            accepts: vec![1],
            saves: vec![1],
            message: "acme.v1.Disk".to_owned(),
            stage_rules: Some(StageRules {
                save_from: vec!["On".to_owned()],
                freeze_to: "Frozen".to_owned(),
                carried: true,
                ..StageRules::default()
            }),
            ..Payload::default()
        }],
        messages: vec![Message {
            name: "acme.v1.Disk".to_owned(),
            fields: vec![
                field(1, "image", "string"),
                field(2, "state", "acme.v1.Disk.State"),
                field(3, "mode", "string"),
            ],
        }],
        enums: vec![Enum {
            name: "acme.v1.Disk.State".to_owned(),
            values: vec![
                Value { number: 0, name: "OFF".to_owned(), since: 0 },
                Value { number: 1, name: "ON".to_owned(), since: 0 },
            ],
        }],
        limits: None,
    }
}

/// The next release: the mode is removed, the size is new, and the first version is still read.
fn second() -> Manifest {
    let mut second = first();
    let mut old = second.messages[0].clone();
    old.name = "acme.v1.DiskV1".to_owned();
    let payload = &mut second.payloads[0];
    (payload.version, payload.accepts, payload.saves) = (2, vec![1, 2], vec![2]);
    payload.older = vec![Older { version: 1, message: old.name.clone(), ..Older::default() }];
    let fields = &mut second.messages[0].fields;
    fields.pop();
    let size = field(4, "size", "uint64");
    fields.push(Field { since: 2, defines: vec!["disk".to_owned()], ..size });
    second.messages.push(old);
    second
}

const TOLD: &str = "\
type.googleapis.com/acme.v1.Disk: version 1 -> 2
type.googleapis.com/acme.v1.Disk: accepts 1 -> 1, 2
type.googleapis.com/acme.v1.Disk: saves 1 -> 2
type.googleapis.com/acme.v1.Disk: reads none -> 1 as acme.v1.DiskV1
acme.v1.Disk: field 3 (mode) was removed
acme.v1.Disk: field 4 (size: uint64) is new, since version 2
acme.v1.DiskV1: is new

from A to B: 1 of 1 payload can be restored
  type.googleapis.com/acme.v1.Disk: readable after an upgrade from version 1
from B to A: 0 of 1 payload can be restored
  type.googleapis.com/acme.v1.Disk: version 2, but the destination reads 1
";

#[test]
fn differences_are_reported_for_manifests_and_for_locks() {
    let files = Files::new();
    let locks =
        [Lock::of(&first()).unwrap(), Lock::of(&first()).unwrap().updated(&second()).unwrap()];
    let of_locks = locks.each_ref().map(|lock| lock.to_string().into_bytes());
    let of_manifests = [first().encode_to_vec(), second().encode_to_vec()];
    for earlier in [&of_locks[0], &of_manifests[0]] {
        for later in [&of_locks[1], &of_manifests[1]] {
            let (a, b) = (files.put("a", earlier), files.put("b", later));
            let ended = schema(&["diff".as_ref(), a.as_os_str(), b.as_os_str()]);
            assert_eq!((ended.code, ended.stderr.as_str(), ended.text()), (1, "", TOLD));
        }
    }
    for one in [&of_locks[0], &of_manifests[0]] {
        for same in [&of_locks[0], &of_manifests[0]] {
            let (a, b) = (files.put("a", one), files.put("b", same));
            assert_eq!(schema(&["diff".as_ref(), a.as_os_str(), b.as_os_str()]).fine(), "");
        }
    }
    let [_, with_history] = &locks;
    let text = with_history.to_string();
    let draft = files.put("a", text.replace("version 1\n", "version 1 draft\n").as_bytes());
    let b = files.put("b", text.as_bytes());
    let ended = schema(&["diff".as_ref(), draft.as_os_str(), b.as_os_str()]);
    assert_eq!(ended.code, 1);
    assert!(ended.text().starts_with("the locks differ only in entries"), "{}", ended.text());
}

#[test]
fn limits_are_compared_where_both_sides_state_them() {
    let files = Files::new();
    let with = |snapshot_bytes, memory_bytes| {
        let limits = Some(Limits { snapshot_bytes, name_bytes: 99, memory_bytes });
        Manifest { limits, ..first() }.encode_to_vec()
    };
    let a = files.put("a", &with(1 << 20, 0));
    let b = files.put("b", &with(1 << 30, 1 << 32));
    let ended = schema(&["diff".as_ref(), a.as_os_str(), b.as_os_str()]);
    let expected = "limits: snapshot_bytes 1048576 -> 1073741824\n\
                    limits: memory_bytes default -> 4294967296\n\n";
    assert_eq!(ended.code, 1);
    assert!(ended.text().starts_with(expected), "{}", ended.text());
    // A build from before limits were stated has the defaults, whatever they were.
    let silent = files.put("c", &first().encode_to_vec());
    assert_eq!(schema(&["diff".as_ref(), silent.as_os_str(), b.as_os_str()]).fine(), "");
}

#[test]
fn every_kind_of_change_is_described() {
    let change = |change: fn(&mut Manifest)| {
        let mut manifest = first();
        change(&mut manifest);
        manifest
    };
    let files = Files::new();
    let a = files.put("a", &first().encode_to_vec());
    let told: [(Manifest, &str); 13] = [
        (
            change(|m| {
                let type_url = "old".to_owned();
                m.payloads[0].older = vec![Older { version: 1, message: "a.B".into(), type_url }];
            }),
            "type.googleapis.com/acme.v1.Disk: reads none -> 1 as a.B from old",
        ),
        (
            change(|m| m.messages[0].fields[0].name = "path".into()),
            "acme.v1.Disk: field 1 (path): name image -> path",
        ),
        (
            change(|m| m.messages[0].fields[0].number = 7),
            "acme.v1.Disk: field 7 (image): number 1 -> 7",
        ),
        (
            change(|m| m.messages[0].fields[0].kind = "bytes".into()),
            "acme.v1.Disk: field 1 (image): kind string -> bytes",
        ),
        (
            change(|m| m.messages[0].fields[0].oneof = "of".into()),
            "acme.v1.Disk: field 1 (image): oneof none -> of",
        ),
        (
            change(|m| m.messages[0].fields[0].refers = vec!["x".into()]),
            "acme.v1.Disk: field 1 (image): refers none -> x",
        ),
        (
            change(|m| m.messages[0].fields[0] = field(1, "cpus", "uint32")),
            "acme.v1.Disk: field 1 (image) was removed\nacme.v1.Disk: field 1 (cpus: uint32) is \
             new",
        ),
        (
            change(|m| m.enums[0].values[1].name = "UP".into()),
            "acme.v1.Disk.State: value 1: name ON -> UP",
        ),
        (change(|m| _ = m.enums[0].values.pop()), "acme.v1.Disk.State: value 1 (ON) was removed"),
        (
            change(|m| m.payloads[0].after = vec!["b".into(), "c".into()]),
            "type.googleapis.com/acme.v1.Disk: after none -> b, c",
        ),
        (
            change(|m| m.payloads[0].stage_rules.as_mut().unwrap().abort_to = "Off".into()),
            "type.googleapis.com/acme.v1.Disk: abort_to none -> Off",
        ),
        (
            change(|m| m.payloads[0].stage_rules = None),
            "type.googleapis.com/acme.v1.Disk: freeze_to Frozen -> none\ntype.googleapis.com/acme.v1.Disk: save_from On -> none\ntype.googleapis.com/acme.v1.Disk: stage carried -> none",
        ),
        (
            change(|m| m.payloads[0].type_url = "x/y".into()),
            "type.googleapis.com/acme.v1.Disk: was removed\nx/y: is new, version 1",
        ),
    ];
    for (manifest, told) in told {
        let b = files.put("b", &manifest.encode_to_vec());
        let ended = schema(&["diff".as_ref(), a.as_os_str(), b.as_os_str()]);
        assert_eq!(ended.code, 1);
        assert_eq!(ended.text().split_once("\n\n").unwrap().0, told);
    }
}

#[test]
fn the_two_revisions_of_hcsshim_are_distinguished_by_field() {
    let files = Files::new();
    let here = files.put("here", &hcsshim::manifest().unwrap().encode_to_vec());
    let earlier = golden("earlier.lock");
    let ended = schema(&["diff".as_ref(), earlier.as_os_str(), here.as_os_str()]);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
    for told in [
        "hcsshim.controller.network.save.v1.Payload: field 5 (vm_endpoints): number 6 -> 5\n",
        "hcsshim.controller.network.save.v1.Payload: field 5 (state) was removed\n",
        "\nfrom A to B: 0 of 7 payloads can be restored\n",
        "network.save.v1.Payload: version 1 is not the same on both sides\n    breaking: hcsshim.",
        "    breaking: hcsshim.controller.network.save.v1.Payload: field vm_endpoints is 6 at the source and 5 \
         at the destination\n",
    ] {
        assert!(ended.text().contains(told), "{told}: {}", ended.text());
    }
}
