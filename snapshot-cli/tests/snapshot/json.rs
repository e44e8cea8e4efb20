//! `snapshot json` and `from-json` convert to JSON and back, byte for byte.

use std::fs;
use std::path::Path;

use crate::acme::Tool;
use crate::program::{Files, goldens, run, sandbox};
use snapshot_core::{Provenance, Snapshot, WriteOptions};

/// Converts a file to JSON and back.
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
fn a_provenance_comes_back_too_with_the_fields_of_later_builds() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    let provenance = Provenance::new("sandbox-7/12", "shim", "1.2").unwrap();
    let later = [provenance.as_bytes(), b"\x3a\x01x"].concat();
    let later = Provenance::from_bytes(&later).unwrap();
    for (provenance, is_readable) in [(provenance, true), (later, false)] {
        let options = WriteOptions::new().replace(true).provenance(provenance);
        options.write_to_path(&snapshot, &path).unwrap();
        let (text, again) = there_and_back(&files, &path);
        assert!(again == fs::read(&path).unwrap());
        assert_eq!(text.contains("\"program\": \"shim\""), is_readable, "{text}");
    }
    let text = r#"{"form": "any", "payload": {"@type": "a/b.C", "@bytes": ""}, "provenance": {}}"#;
    let ended = run(["from-json".as_ref(), files.put("a.json", text.as_bytes()).as_os_str()]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("provenance: a bare Any cannot have one"), "{}", ended.stderr);
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
    assert!(ended.stderr.contains("already exists"), "{}", ended.stderr);
    line(&["--replace"]).fine();
    let ended = line(&["--replace", "--zstd", "3"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("cannot be compressed"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 2);
}

#[test]
fn unusual_encodings_also_come_back_byte_for_byte() {
    let files = Files::new();
    let any = |value: &[u8]| prost_types::Any {
        type_url: "type.googleapis.com/lcow.v1.ScsiSnapshot".to_owned(),
        value: value.to_vec(),
    };
    // An unknown field; a duplicate field; a written default; invalid bytes; an unknown type.
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
    // The `Any` itself, with its value before its type URL.
    let odd = b"\x12\x02\x08\x01\x0a\x03x/y";
    let (_, again) = there_and_back(&files, &files.put("any", odd));
    assert_eq!(again, odd);
}

#[test]
fn edited_json_becomes_another_snapshot_with_a_valid_digest() {
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
    assert!(ended.stderr.contains("already exists"), "{}", ended.stderr);
    line(&["--replace", "--zstd", "3"]).fine();
    assert!(fs::metadata(&again).unwrap().len() < snapshot.len() as u64);
    assert_eq!(Snapshot::read_from_path(&again).unwrap(), edited);
    let ended = run(["diff".as_ref(), path.as_os_str(), again.as_os_str()]);
    assert_eq!((ended.code, ended.text()), (1, "vm/scsi: num_controllers 4 -> 3\n"));
}

#[test]
fn wrong_json_is_refused_with_its_place() {
    let files = Files::new();
    let url = "type.googleapis.com/lcow.v1.ScsiSnapshot";
    let payload =
        |members: &str| format!(r#"{{"form":"snapshot","payload":{{"@type":"{url}"{members}}}}}"#);
    for (json, told) in [
        ("{".to_owned(), "not JSON"),
        ("{}".to_owned(), "\"form\" is neither"),
        (r#"{"form":"any"}"#.to_owned(), "expected either \"payload\""),
        (payload(r#","diskz":{}"#), "payload.diskz: lcow.v1.ScsiSnapshot has no such field"),
        (
            payload(r#","numControllers":-1"#),
            "payload.numControllers: -1 does not fit: expected a non-negative number",
        ),
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

#[test]
fn duplicates_in_json_are_refused() {
    let tool = Tool::new();
    for (message, members, told) in [
        ("Disk", r#""size": 1, "size": 2"#, "payload.size: occurs twice"),
        (
            "Disk",
            r#""size": 1, "@type": "type.googleapis.com/acme.Nic""#,
            "payload.@type: occurs twice",
        ),
        ("Disk", r#""schemaVersion": 1, "schema_version": 7"#, "also occurs under its other name"),
        ("Disk", r#""schema_version": 0, "schemaVersion": 7"#, "also occurs under its other name"),
        (
            "Disk",
            r#""schemaVersion": null, "schema_version": 7"#,
            "also occurs under its other name",
        ),
        ("Nic", r#""switch": "a", "loopback": {}"#, "is in oneof backend with switch"),
        ("Nic", r#""loopback": {}, "switch": """#, "is in oneof backend with loopback"),
        ("Slots", r#""disks": {"1": "a", "01": "b"}"#, "payload.disks[\"01\"]: not a key"),
        ("Slots", r#""disks": {"1": "a", "+1": "b"}"#, "not a key of type uint32"),
        ("Slots", r#""disks": {"1": "a", "1": "b"}"#, "occurs twice"),
        (
            "Slots",
            r#""named": {"a": {"size": 1, "size": 2}}"#,
            "payload.named.a.size: occurs twice",
        ),
        (
            "Pod",
            r#""mounts": [{}, {"source": "a", "source": "b"}]"#,
            "payload.mounts[1].source: occurs twice",
        ),
        ("Every", r#""object": {"a": {"b": 1, "b": 2}}"#, "payload.object.a.b: occurs twice"),
    ] {
        let ended = tool.restore(message, members);
        assert_eq!((ended.code, ended.stdout.len()), (3, 0), "{members}");
        assert!(ended.stderr.contains(told), "{members}: {}", ended.stderr);
        assert!(ended.stderr.contains("line 1, column "), "{members}: {}", ended.stderr);
    }
    let payload = r#""payload":{"@type":"type.googleapis.com/acme.Disk"}"#;
    for (json, told) in [
        (format!(r#"{{"form":"any",{payload},{payload}}}"#), "payload: occurs twice"),
        (
            format!(r#"{{"form":"any",{payload},"extra":1}}"#),
            "extra: the JSON of a snapshot has no such",
        ),
        (format!(r#"{{"form":"any",{payload},"@bytes":""}}"#), "expected either"),
        (format!(r#"{{"form":"any",{payload},"form":"snapshot"}}"#), "form: occurs twice"),
        (format!("[{payload}]"), "not JSON"),
    ] {
        let ended = tool.restore_text(&json);
        assert_eq!(ended.code, 3, "{json}");
        assert!(ended.stderr.contains(told), "{json}: {}", ended.stderr);
    }
}

#[test]
fn json_that_a_message_cannot_represent_is_refused() {
    let tool = Tool::new();
    for (message, members, told) in [
        ("Every", r#""f": 1e300"#, "does not fit into a float"),
        ("Every", r#""f": 1e-60"#, "is too small for a float"),
        ("Every", r#""f": 16777217"#, "would be rounded to 16777216"),
        ("Every", r#""d": "1e400""#, "does not fit into a double"),
        (
            "Every",
            r#""floats": {"1": 0.123456789}"#,
            "payload.floats[\"1\"]: 0.123456789 would be rounded",
        ),
        ("Every", r#""wrapped": 1e39"#, "payload.wrapped: 1e39 does not fit"),
        ("Every", r#""counted": 18446744073709551616"#, "payload.counted: "),
        ("Every", r#""json": 1e400"#, "payload.json: "),
        ("Every", r#""took": "1.0000000001s""#, "payload.took: "),
        ("Every", r#""took": "1.s""#, "payload.took: "),
        ("Every", r#""time": "2020-01-01T00:00:00.0000000001Z""#, "payload.time: "),
        ("Every", r#""time": "2016-12-31T23:59:60Z""#, "payload.time: "),
        ("Every", r#""time": "2016-12-31T23:59:60+00:00""#, "payload.time: "),
        ("Every", r#""time": "2020-01-01T01:00:00.1234567891+01:00""#, "payload.time: "),
        ("Every", r#""i": 2147483648"#, "does not fit"),
        ("Every", r#""u": -1"#, "does not fit"),
        ("Every", r#""packed": [1, null]"#, "payload.packed[1]: expected"),
        ("Every", r#""m": {"@type": "x"}"#, "payload.m.@type: acme.Mount has no such field"),
        ("Nic", r#""loopback": {"x": 1}"#, "payload.loopback.x: "),
        ("Disk", r#""size": "0x10""#, "expected a non-negative number of 64 bits"),
        ("Disk", r#""size": "+5""#, "expected a non-negative number of 64 bits"),
        ("Disk", r#""size": 1.5"#, "1.5 is not a whole number"),
        ("Disk", r#""size": 18446744073709551616"#, "does not fit"),
        ("Disk", r#""size": true"#, "expected a non-negative number"),
        ("Part", r#""number": -0"#, "an integer cannot be -0"),
        ("Part", r#""kind": "1""#, "expected a value of acme.Lifecycle"),
        ("Part", r#""kind": 1.5"#, "not a whole number"),
        ("Part", r#""flag": "true""#, "expected true or false"),
        ("Part", r#""name": "\ud800""#, "not JSON"),
        ("Part", r#""name": 7"#, "expected a string"),
    ] {
        let ended = tool.restore(message, members);
        assert_eq!((ended.code, ended.stdout.len()), (3, 0), "{members}");
        assert!(ended.stderr.contains(told), "{members}: {}", ended.stderr);
    }
}

#[test]
fn equivalent_json_becomes_the_same_snapshot() {
    let tool = Tool::new();
    for (message, given, shown) in [
        ("Disk", r#""size": 70e-1"#, r#""size": "7""#),
        ("Disk", r#""size": "7""#, r#""size": 7.0"#),
        ("Disk", r#""size": null"#, r#""size": 0"#),
        ("Nic", r#""switch": "a", "loopback": null"#, r#""switch": "a""#),
        ("Every", r#""f": "0.10000000149011612""#, r#""f": 0.1"#),
        ("Every", r#""took": "1.50s""#, r#""took": "1.500s""#),
        ("Every", r#""time": "2020-01-01T01:00:00+01:00""#, r#""time": "2020-01-01T00:00:00Z""#),
        (
            "Every",
            r#""time": "2020-01-01T01:00:10.50+01:00""#,
            r#""time": "2020-01-01T00:00:10.500Z""#,
        ),
        ("Part", r#""kind": "RUNNING""#, r#""kind": 1"#),
    ] {
        let (one, other) = (tool.restore(message, given), tool.restore(message, shown));
        assert_eq!((one.code, other.code), (0, 0), "{given}: {}{}", one.stderr, other.stderr);
        assert_eq!(one.stdout, other.stdout, "{given}");
    }
    // A missing value differs from null, and a negative zero from a missing number.
    for members in [r#""json": null"#, r#""nothing": null"#, r#""d": -0.0"#, r#""f": "-0""#] {
        let ended = tool.restore("Every", members);
        assert_ne!(ended.stdout, tool.restore("Every", r#""i": 0"#).stdout, "{members}");
        tool.files.put("a.snapshot", &ended.stdout);
        let json = tool.run(&["json", "@a.snapshot"]);
        assert!(!json.fine().contains("@bytes"), "{}", json.text());
        assert_eq!(tool.restore_text(json.text()).stdout, ended.stdout, "{members}");
    }
}

/// Runs a command in this process.
fn in_process(tool: &Tool, command: &str, file: &Path) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let descriptors = tool.files.path("acme.binpb");
    let line = [
        "snapshot".as_ref(),
        command.as_ref(),
        file.as_os_str(),
        "--descriptors".as_ref(),
        descriptors.as_os_str(),
    ];
    let knowledge = snapshot_cli::Knowledge::default();
    let ended = snapshot_cli::run(line, &knowledge, false, &mut out).unwrap();
    ended.ok().map(|_| out)
}

mod properties {
    use proptest::prelude::*;
    use prost_reflect::DescriptorPool;

    use super::*;
    use crate::acme::any;

    /// Numbers in all forms of JSON.
    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            any_of::<i64>(),
            any_of::<u64>(),
            any_of::<f32>(),
            any_of::<f64>(),
            "-?[0-9]{1,20}",
            "-?[0-9]{1,12}\\.[0-9]{1,12}",
            "-?[0-9]{1,3}(\\.[0-9]{1,3})?[eE][+-]?[0-9]{1,3}",
        ]
    }

    fn any_of<T: Arbitrary + std::fmt::Display>() -> impl Strategy<Value = String> {
        proptest::arbitrary::any::<T>().prop_map(|it| it.to_string())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_bytes_are_in_a_payload_come_back(value: Vec<u8>) {
            let tool = Tool::new();
            let bytes = any("Every", &value);
            let json = in_process(&tool, "json", &tool.files.put("a", &bytes));
            let json = tool.files.put("a.json", &json.unwrap());
            prop_assert_eq!(in_process(&tool, "from-json", &json), Some(bytes));
        }

        #[test]
        fn a_number_that_is_accepted_is_the_number_that_comes_back(
            text in number(),
            quoted: bool,
            field in prop::sample::select(vec![
                "d", "f", "i", "l", "u", "w", "si", "sl", "fu", "fw", "fi", "fl", "wrapped", "counted", "a", "maybe",
            ]),
        ) {
            let tool = Tool::new();
            let shown = if quoted { format!("\"{text}\"") } else { text.clone() };
            let url = "type.googleapis.com/acme.Every";
            let json = format!(r#"{{"form":"any","payload":{{"@type":"{url}","{field}":{shown}}}}}"#);
            let file = tool.files.put("a.json", json.as_bytes());
            if let Some(bytes) = in_process(&tool, "from-json", &file) {
                let json = in_process(&tool, "json", &tool.files.put("a", &bytes)).unwrap();
                let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
                let member = &json["payload"][field];
                let again = match member {
                    serde_json::Value::String(text) => text.clone(),
                    serde_json::Value::Null => "0".to_owned(),
                    other => other.to_string(),
                };
                // Integers beyond 2^53 are compared by their digits, all others by their value.
                let is_same = again == text
                    || again.parse::<f64>().unwrap() == text.parse::<f64>().unwrap()
                    || again.parse::<f32>().unwrap() == text.parse::<f32>().unwrap() && again.contains('.');
                prop_assert!(is_same, "{} {}: {}", field, text, again);
            }
        }

        #[test]
        fn the_bytes_of_every_kind_of_field_are_readable_json(seed: Vec<u8>) {
            // Random JSON of the message, generated from its descriptor, is converted to bytes and back.
            let tool = Tool::new();
            let set = fs::read(tool.files.path("acme.binpb")).unwrap();
            let pool = DescriptorPool::decode(&*set).unwrap();
            let descriptor = pool.get_message_by_name("acme.Every").unwrap();
            let text: String = seed.iter().map(|byte| char::from(*byte)).collect();
            let members = serde_json::json!({
                "s": text, "y": base64_of(&seed), "i": seed.len(), "b": seed.len() > 3,
                "packed": seed, "below": { &text: { "s": text, "f": seed.len() as f32 / 8.0 } },
                "floats": { seed.len().to_string(): 0.1 }, "took": "1.500s", "object": { &text: [1.5, null, text] },
                "any": { "@type": "type.googleapis.com/acme.Disk", "size": (seed.len() + 1).to_string() },
            });
            let mut payload = members.clone();
            payload["@type"] = "type.googleapis.com/acme.Every".into();
            let json = serde_json::json!({ "form": "any", "payload": payload });
            let file = tool.files.put("a.json", json.to_string().as_bytes());
            let bytes = in_process(&tool, "from-json", &file).unwrap();
            let again = in_process(&tool, "json", &tool.files.put("a", &bytes)).unwrap();
            let again: serde_json::Value = serde_json::from_slice(&again).unwrap();
            prop_assert!(!again.to_string().contains("@bytes"), "{}", again);
            prop_assert!(descriptor.fields().len() > 30);
            for name in ["s", "y", "below", "floats", "took", "object", "any"] {
                let (a, b) = (&again["payload"][name], &members[name]);
                let is_empty = a.is_null() && (b == "" || b.as_object().is_some_and(serde_json::Map::is_empty));
                prop_assert!(a == b || is_empty || name == "below", "{}: {} {}", name, a, b);
            }
        }
    }

    fn base64_of(bytes: &[u8]) -> String {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }
}

#[test]
fn nested_payloads_are_converted_to_json_in_one_pass() {
    // 4 MiB at the bottom of 45 levels: reading them again at each level would be 45 times the work.
    let tool = Tool::new();
    let mut bytes = crate::acme::any("Part", &crate::acme::delimited(5, &vec![b'x'; 4 << 20]));
    let mut levels = 0;
    while levels < 45 {
        bytes = crate::acme::any("Vm", &crate::acme::delimited(4, &bytes));
        levels += 1;
    }
    let file = tool.files.put("a", &bytes);
    let json = in_process(&tool, "json", &file).unwrap();
    assert!(!json.windows(6).any(|window| window == b"@bytes"));
    let again = in_process(&tool, "from-json", &tool.files.put("a.json", &json)).unwrap();
    assert!(again == bytes);
}

#[test]
fn a_group_is_refused_because_its_fields_would_be_written_as_a_message() {
    let tool = Tool::new();
    let proto = "syntax = \"proto2\"; package old;
        message Old { repeated group Part = 1 { optional int32 a = 1; } }";
    tool.files.put("old.proto", proto.as_bytes());
    let set = protox::compile(["old.proto"], [tool.files.path("")]).unwrap();
    tool.files.put("old.binpb", &prost::Message::encode_to_vec(&set));
    let json = r#"{"form":"any","payload":{"@type":"x/old.Old","part":[{"a":1}]}}"#;
    tool.files.put("a.json", json.as_bytes());
    let ended = tool.run(&["from-json", "@a.json", "--descriptors", "@old.binpb"]);
    assert_eq!((ended.code, ended.stdout.len()), (3, 0));
    assert!(ended.stderr.contains("payload.part: is a group"), "{}", ended.stderr);
    // The payload comes back as bytes.
    let type_url = "x/old.Old".to_owned();
    let any = prost_types::Any { type_url, value: vec![0x0b, 0x08, 0x01, 0x0c] };
    let bytes = prost::Message::encode_to_vec(&any);
    tool.files.put("a", &bytes);
    let shown = tool.run(&["json", "@a", "--descriptors", "@old.binpb"]);
    tool.files.put("b.json", shown.fine().as_bytes());
    assert_eq!(tool.run(&["from-json", "@b.json"]).stdout, bytes);
}
