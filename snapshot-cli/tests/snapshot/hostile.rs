//! Malicious files cause an error, never a panic, and never an allocation for a claimed length.

use std::io::Write;

use snapshot_cli::{Knowledge, Problem, Verdict, registered};
use snapshot_core::{Snapshot, WriteOptions};
use snapshot_examples::hcsshim;

use crate::program::{Files, golden};

fn knowledge() -> Knowledge<'static> {
    Knowledge {
        descriptors: snapshot_proto::FILE_DESCRIPTOR_SET,
        ids: &[],
        verifiers: &[
            |snapshot| {
                let is_hcsshim = snapshot.type_url().contains("hcsshim");
                is_hcsshim.then(|| hcsshim::verify_any(snapshot.any_bytes()).map(|_| ()))
            },
            registered,
        ],
        manifests: &[("hcsshim", hcsshim::manifest)],
    }
}

/// Runs a command in this process on a file. A panic fails the test.
fn run(command: &[&str], path: &std::path::Path, out: &mut dyn Write) -> Result<Verdict, Problem> {
    let line = ["snapshot"].iter().chain(command).map(std::ffi::OsString::from);
    let line = line.chain([path.as_os_str().to_owned()]);
    snapshot_cli::run(line, &knowledge(), false, out).expect("a right command line")
}

const COMMANDS: [&[&str]; 5] =
    [&["inspect"], &["inspect", "--json"], &["verify"], &["json"], &["inspect", "--path", "."]];

#[test]
fn every_truncation_and_every_flipped_byte_of_a_snapshot_is_refused_by_every_command() {
    let bytes = std::fs::read(golden("any/scsi/minimal.binpb")).unwrap();
    let snapshot = Snapshot::from_any_bytes(&bytes).unwrap();
    let files = Files::new();
    for whole in
        [snapshot.as_bytes().to_vec(), WriteOptions::new().zstd(3).to_bytes(&snapshot).unwrap()]
    {
        let flipped = (0..whole.len()).map(|place| {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x10;
            bytes
        });
        let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
        for bytes in flipped.chain(cut) {
            let path = files.put("a", &bytes);
            for command in COMMANDS {
                match run(command, &path, &mut Vec::new()) {
                    Err(Problem::Error(_)) => {}
                    Ok(Verdict::Findings) => assert_eq!(command, ["verify"]),
                    other => panic!("{command:?} takes {bytes:?}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_damaged_bare_any_is_never_a_panic_and_its_json_always_comes_back() {
    // Without a digest, many damaged files are still an `Any` with another content.
    let whole = std::fs::read(golden("any/process/minimal.binpb")).unwrap();
    let files = Files::new();
    let flipped = (0..whole.len()).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= [0x01, 0x08, 0x80][at % 3];
        bytes
    });
    let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
    let mut shown = 0;
    for bytes in flipped.chain(cut) {
        let path = files.put("a", &bytes);
        for command in COMMANDS {
            let mut out = Vec::new();
            if run(command, &path, &mut out).is_ok() && command == ["json"] {
                let json = files.put("a.json", &out);
                let mut again = Vec::new();
                run(&["from-json"], &json, &mut again).unwrap();
                assert_eq!(again, bytes);
                shown += 1;
            }
        }
    }
    assert!(shown > whole.len() / 4, "{shown}");
}

/// The bytes of an `Any`.
fn any(type_url: &str, value: &[u8]) -> Vec<u8> {
    use prost::Message;
    prost_types::Any { type_url: type_url.to_owned(), value: value.to_vec() }.encode_to_vec()
}

#[test]
fn deeply_nested_payloads_are_shown_to_the_depth_that_the_library_reads() {
    // A pod within a pod within a pod.
    let url = "type.googleapis.com/lcow.v1.PodSnapshot";
    let mut bytes = any(url, b"\x08\x01");
    for _ in 0..2_000 {
        let mut value = vec![0x2a];
        prost::encoding::encode_varint(bytes.len() as u64, &mut value);
        value.extend(&bytes);
        bytes = any(url, &value);
    }
    let files = Files::new();
    let path = files.put("a", &bytes);
    for command in COMMANDS {
        let mut out = Vec::new();
        let ended = run(command, &path, &mut out);
        assert!(ended.is_ok(), "{command:?}: {ended:?}");
        if command == ["json"] {
            let mut again = Vec::new();
            run(&["from-json"], &files.put("a.json", &out), &mut again).unwrap();
            assert!(again == bytes);
        }
    }
}

#[test]
fn a_file_beyond_the_limit_is_not_read_to_its_end() {
    let files = Files::new();
    let path = files.put("a", &vec![0x0a; (1 << 20) + 100]);
    match run(&["inspect", "--limit", "1"], &path, &mut Vec::new()) {
        Err(Problem::Error(error)) => {
            assert!(error.to_string().contains("has more than 1 MiB"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let any = prost_types::Any { type_url: "a/b".to_owned(), value: vec![0; 8 << 20] };
    let bomb = Snapshot::from_any(&any).unwrap();
    let bomb = WriteOptions::new().zstd(19).to_bytes(&bomb).unwrap();
    assert!(bomb.len() < 10_000);
    let path = files.put("a", &bomb);
    match run(&["inspect", "--limit", "1"], &path, &mut Vec::new()) {
        Err(Problem::Error(error)) => {
            assert!(error.to_string().contains("raise the limit"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_many_controllers_are_refused() {
    let pods = b"\x1a\x00".repeat(300_000);
    let files = Files::new();
    let path = files.put("a", &any("type.googleapis.com/lcow.v1.SandboxSnapshot", &pods));
    for command in COMMANDS {
        match run(command, &path, &mut Vec::new()) {
            Err(Problem::Error(error)) => {
                assert!(error.to_string().contains("250000 controllers or more"), "{error}");
            }
            other => panic!("{command:?}: {other:?}"),
        }
    }
}

#[test]
fn names_that_would_control_a_terminal_are_escaped() {
    let files = Files::new();
    let path = files.put("a", &any("x/\u{1b}[2J\u{202e}", b""));
    for command in COMMANDS {
        let mut out = Vec::new();
        run(command, &path, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains('\u{1b}'), "{command:?}: {text}");
    }
}

const SCHEMA_COMMANDS: [&[&str]; 5] = [
    &["schema", "show"],
    &["schema", "show", "--json"],
    &["schema", "show", "--message", "hcsshim.controller.scsi.save.v1.Payload"],
    &["schema", "check", "--manifest", "-"],
    &["schema", "diff"],
];

/// Runs a command on a file. A command for two files gets the same file twice.
fn run_schema(command: &[&str], path: &std::path::Path) -> Result<Vec<u8>, Problem> {
    let both = command.iter().map(|word| match *word {
        "-" => path.as_os_str().to_owned(),
        word => word.into(),
    });
    let mut line: Vec<std::ffi::OsString> = ["snapshot".into()].into_iter().chain(both).collect();
    line.push(path.as_os_str().to_owned());
    if command == ["schema", "diff"] {
        line.push(path.as_os_str().to_owned());
    }
    let mut out = Vec::new();
    let ended = snapshot_cli::run(line, &knowledge(), false, &mut out);
    ended.expect("a right command line").map(|_| out)
}

#[test]
fn a_damaged_manifest_or_lock_is_shown_or_refused() {
    let manifest = prost::Message::encode_to_vec(&hcsshim::manifest().unwrap());
    let lock = std::fs::read(golden("earlier.lock")).unwrap();
    let files = Files::new();
    for (whole, is_lock) in [(manifest, false), (lock, true)] {
        let path = files.put("a", &whole);
        for command in SCHEMA_COMMANDS {
            let right = run_schema(command, &path);
            assert_eq!(right.is_ok(), is_lock || command[1] != "check", "{right:?}");
        }
        // The number of places is limited to take a few seconds.
        let places = (0..whole.len()).step_by(131);
        let damaged = places.flat_map(|place| {
            let mut flipped = whole.clone();
            flipped[place] ^= [0x01, 0x08, 0x80][place % 3];
            [flipped, whole[..place].to_vec()]
        });
        let mut refused = 0;
        for bytes in damaged {
            let path = files.put("a", &bytes);
            for command in SCHEMA_COMMANDS {
                refused += usize::from(run_schema(command, &path).is_err());
            }
        }
        assert!(refused > whole.len() / 131, "{refused}");
    }
}

#[test]
fn names_in_a_manifest_that_would_control_a_terminal_are_escaped() {
    use snapshot_core::wire::v1::Manifest;
    use snapshot_core::wire::v1::manifest::{Enum, Field, Message, Payload, Value};

    let name = || "\u{1b}[2J\u{202e}\n".to_owned();
    let manifest = |number: u32| Manifest {
        payloads: vec![Payload {
            type_url: name(),
            version: number,
            after: vec![name(); number as usize],
            ..Payload::default()
        }],
        messages: vec![Message {
            name: name(),
            fields: vec![Field {
                number,
                name: name(),
                kind: name(),
                oneof: name(),
                defines: vec![name()],
                ..Field::default()
            }],
        }],
        enums: vec![Enum {
            name: name(),
            values: vec![Value { number: number as i32, name: name(), since: 0 }],
        }],
        limits: None,
    };
    let files = Files::new();
    let bytes = |number| prost::Message::encode_to_vec(&manifest(number));
    let (a, b) = (files.put("a", &bytes(1)), files.put("b", &bytes(2)));
    let lock = files.put("c", &std::fs::read(golden("earlier.lock")).unwrap());
    for command in [
        vec!["show".as_ref(), a.as_os_str()],
        vec!["diff".as_ref(), a.as_os_str(), b.as_os_str()],
        vec!["check".as_ref(), lock.as_os_str(), "--manifest".as_ref(), a.as_os_str()],
    ] {
        let line = ["snapshot".as_ref(), "schema".as_ref()].into_iter().chain(command);
        let mut out = Vec::new();
        snapshot_cli::run(line, &knowledge(), false, &mut out).unwrap().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(text.contains("\\u{1b}"), "{text}");
    }
}

/// A pod with a very long id and a thousand containers. `number` makes two such pods different.
pub(crate) fn long_id(number: u8) -> Vec<u8> {
    let delimited = crate::acme::delimited;
    let container = |n: u32| {
        let value = [delimited(2, n.to_string().as_bytes()), vec![0x08, number]].concat();
        delimited(5, &any("type.googleapis.com/lcow.v1.ContainerSnapshot", &value))
    };
    let containers: Vec<u8> = (0..1_000).flat_map(container).collect();
    let pod = [vec![0x08, 1], delimited(2, &vec![b'x'; 1 << 20]), containers].concat();
    let pod = delimited(3, &any("type.googleapis.com/lcow.v1.PodSnapshot", &pod));
    any("type.googleapis.com/lcow.v1.SandboxSnapshot", &pod)
}

#[test]
fn a_long_id_above_many_controllers_takes_its_own_length_once() {
    // The full id for each controller would take 1 GiB.
    let files = Files::new();
    let path = files.put("a", &long_id(1));
    for command in [&["inspect"][..], &["verify"], &["json"], &["inspect", "--path", "."]] {
        let mut out = Vec::new();
        run(command, &path, &mut out).unwrap();
        assert!(out.len() < 8 << 20, "{command:?}: {}", out.len());
    }
    match run(&["inspect", "--json"], &path, &mut Vec::new()) {
        Err(Problem::Error(error)) => {
            assert!(error.to_string().contains("its ids take"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_in_a_manifest_can_have_any_length() {
    use snapshot_core::wire::v1::Manifest;
    use snapshot_core::wire::v1::manifest::{Field, Message};
    let field =
        Field { number: 1, name: "n".repeat(70_000), kind: "string".into(), ..Field::default() };
    let message = Message { name: "m".repeat(70_000), fields: vec![field] };
    let manifest = Manifest { messages: vec![message], ..Manifest::default() };
    let files = Files::new();
    let path = files.put("a", &prost::Message::encode_to_vec(&manifest));
    for command in SCHEMA_COMMANDS.iter().filter(|command| command[1] != "check") {
        let ended = run_schema(command, &path);
        assert!(ended.is_ok() || command.len() > 3, "{command:?}: {ended:?}");
    }
}
