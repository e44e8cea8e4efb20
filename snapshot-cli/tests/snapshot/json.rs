//! `snapshot json` and `from-json`: there and back, byte for byte.

use std::fs;
use std::path::Path;

use crate::program::{Files, goldens, run, sandbox};
use snapshot_core::{Snapshot, WriteOptions};

/// What a file becomes through JSON.
#[track_caller]
fn there_and_back(files: &Files, path: &Path) -> (String, Vec<u8>) {
    let json = run(["json".as_ref(), path.as_os_str()]);
    let text = json.fine().to_owned();
    let json = files.put("a.json", text.as_bytes());
    let again = run(["from-json".as_ref(), json.as_os_str()]);
    assert_eq!((again.code, again.stderr.as_str()), (0, ""));
    (text, again.stdout)
}

#[test]
fn a_live_sandbox_comes_back_byte_for_byte_and_can_be_read_on_the_way() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    snapshot.write_to_path(&path).unwrap();
    let (text, again) = there_and_back(&files, &path);
    assert!(again == snapshot.as_bytes());
    assert!(!text.contains("@bytes"), "{text}");
    assert!(text.contains("DISK_STAGE_ATTACHED"), "{text}");

    let compressed = files.path("a.zst");
    WriteOptions::new().zstd(19).write_to_path(&snapshot, &compressed).unwrap();
    let (_, again) = there_and_back(&files, &compressed);
    assert!(again == snapshot.as_bytes(), "the same snapshot, without compression");
}

#[test]
fn every_payload_of_hcsshim_comes_back_byte_for_byte() {
    let files = Files::new();
    let goldens = goldens();
    assert!(goldens.len() >= 9);
    for path in goldens {
        let (text, again) = there_and_back(&files, &path);
        assert_eq!(again, fs::read(&path).unwrap(), "{path:?}");
        assert!(!text.contains("@bytes"), "{path:?}: {text}");
    }
}

#[test]
fn a_bare_any_is_written_whole_and_replaced_only_when_asked() {
    let files = Files::new();
    let path = &goldens()[0];
    let text = run(["json".as_ref(), path.as_os_str()]).fine().to_owned();
    let json = files.put("a.json", text.as_bytes());
    let target = files.path("any");
    let line = |more: &[&str]| {
        let mut line = vec!["from-json", json.to_str().unwrap(), "-o", target.to_str().unwrap()];
        line.extend(more);
        run(line)
    };
    line(&[]).fine();
    assert_eq!(fs::read(&target).unwrap(), fs::read(path).unwrap());
    let ended = line(&[]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("exists already"), "{}", ended.stderr);
    line(&["--replace"]).fine();
    let ended = line(&["--replace", "--zstd", "3"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("cannot be compressed"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 2);
}

#[test]
fn what_no_one_should_write_comes_back_byte_for_byte_as_well() {
    let files = Files::new();
    let any = |value: &[u8]| prost_types::Any {
        type_url: "type.googleapis.com/lcow.v1.ScsiSnapshot".to_owned(),
        value: value.to_vec(),
    };
    // An unknown field; a field twice; a default written out; nonsense; an unknown type.
    for value in [&b"\x08\x01\xf8\x01\x07"[..], b"\x08\x01\x08\x01", b"\x08\x00", b"\xff\xff"] {
        let snapshot = Snapshot::from_any(&any(value)).unwrap();
        let path = files.put("a.snapshot", snapshot.as_bytes());
        let (text, again) = there_and_back(&files, &path);
        assert_eq!(again, snapshot.as_bytes());
        assert!(text.contains("@bytes"), "{text}");
    }
    let unknown = prost_types::Any { type_url: "x/y".to_owned(), ..any(b"abc") };
    let snapshot = Snapshot::from_any(&unknown).unwrap();
    let (_, again) = there_and_back(&files, &files.put("a.snapshot", snapshot.as_bytes()));
    assert_eq!(again, snapshot.as_bytes());
    // The Any itself, its value before its type URL.
    let odd = b"\x12\x02\x08\x01\x0a\x03x/y";
    let (_, again) = there_and_back(&files, &files.put("any", odd));
    assert_eq!(again, odd);
}

#[test]
fn an_edited_json_is_another_snapshot_with_a_right_digest() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    snapshot.write_to_path(&path).unwrap();
    let text = run(["json".as_ref(), path.as_os_str()]).fine().to_owned();
    assert!(text.contains("\"numControllers\": 4"), "{text}");
    let edited = text.replace("\"numControllers\": 4", "\"numControllers\": 3");
    let json = files.put("a.json", edited.as_bytes());
    let again = files.path("b.snapshot");
    let line = |more: &[&str]| {
        let mut line = vec!["from-json", json.to_str().unwrap(), "-o", again.to_str().unwrap()];
        line.extend(more);
        run(line)
    };
    line(&[]).fine();
    let edited = Snapshot::read_from_path(&again).unwrap();
    assert_eq!(edited.len(), snapshot.len());
    let ended = line(&[]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("exists already"), "{}", ended.stderr);
    line(&["--replace", "--zstd", "3"]).fine();
    assert!(fs::metadata(&again).unwrap().len() < snapshot.len() as u64);
    assert_eq!(Snapshot::read_from_path(&again).unwrap(), edited);
    let ended = run(["diff".as_ref(), path.as_os_str(), again.as_os_str()]);
    assert_eq!((ended.code, ended.text()), (1, "vm/scsi: num_controllers 4 -> 3\n"));
}

#[test]
fn a_json_that_says_something_wrong_is_refused_with_its_place() {
    let files = Files::new();
    let url = "type.googleapis.com/lcow.v1.ScsiSnapshot";
    let payload =
        |members: &str| format!(r#"{{"form":"snapshot","payload":{{"@type":"{url}"{members}}}}}"#);
    for (json, told) in [
        ("{".to_owned(), "not JSON"),
        ("{}".to_owned(), "\"form\" is neither"),
        (r#"{"form":"any"}"#.to_owned(), "expected \"payload\""),
        (payload(r#","diskz":{}"#), "payload.diskz: lcow.v1.ScsiSnapshot has no such field"),
        (payload(r#","numControllers":-1"#), "payload.numControllers: expected a number"),
        (payload(r#","numControllers":1,"num_controllers":1"#), "under its other name"),
        (payload(r#","disks":{"a":{}}"#), "payload.disks[\"a\"]: not a key"),
        (
            payload(r#","disks":{"1":{"state":"NONE"}}"#),
            "payload.disks[\"1\"].state: expected a value of",
        ),
        (payload(r#","@bytes":"*""#), "not base64"),
    ] {
        let ended = run(["from-json".as_ref(), files.put("a.json", json.as_bytes()).as_os_str()]);
        assert_eq!(ended.code, 3, "{json}");
        assert!(ended.stderr.contains(told), "{json}: {}", ended.stderr);
        assert!(ended.stdout.is_empty());
    }
    let deep = "[".repeat(1 << 20);
    let ended = run(["from-json".as_ref(), files.put("a.json", deep.as_bytes()).as_os_str()]);
    assert_eq!(ended.code, 3);
}
