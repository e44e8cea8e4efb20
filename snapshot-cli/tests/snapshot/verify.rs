//! `snapshot verify`: all findings, and the exit code.

use std::path::Path;

use crate::program::{Ended, Files, golden, goldens, run, sandbox};
use prost::Message;
use snapshot_core::Snapshot;
use snapshot_core::registry::{Manifest, registry};

fn verify(path: &Path) -> Ended {
    run(["verify".as_ref(), path.as_os_str()])
}

#[test]
fn a_live_sandbox_is_valid() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    snapshot.write_to_path(&path).unwrap();
    let ended = verify(&path);
    assert!(
        ended.fine().ends_with(
            ": valid; checked: digest, structure, versions, unknown fields, values, references\n"
        ),
        "{}",
        ended.text()
    );
}

#[test]
fn payloads_of_hcsshim_are_verified_with_the_states() {
    for path in goldens() {
        verify(&path).fine();
    }
    let ended = verify(&golden("any/pod/minimal.binpb"));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.text().contains("1 finding"), "{}", ended.text());
}

#[test]
fn all_findings_are_reported_together() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    snapshot.write_to_path(&path).unwrap();
    let json = run(["json".as_ref(), path.as_os_str()]).fine().to_owned();
    // A version that no build reads, and a slot that is too large.
    let edited = json.replacen("\"numControllers\": 4", "\"numControllers\": 400", 1);
    let edited = edited.replacen("\"schemaVersion\": 1", "\"schemaVersion\": 9", 1);
    assert_ne!(edited, json);
    let file = files.put("a.json", edited.as_bytes());
    let bytes = run(["from-json".as_ref(), file.as_os_str()]).stdout;
    let ended = verify(&files.put("b.snapshot", &bytes));
    assert_eq!(ended.code, 1);
    let text = ended.text();
    assert!(text.contains("schema version 9, but this build reads version 1"), "{text}");
    assert!(text.contains("num_controllers"), "{text}");
    assert!(text.contains("findings\n"), "{text}");
}

#[test]
fn a_dangling_reference_is_a_finding() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    snapshot.write_to_path(&path).unwrap();
    let json = run(["json".as_ref(), path.as_os_str()]).fine().to_owned();
    let reservation = json.split("\"reservationId\": \"").nth(1).unwrap();
    let reservation = &reservation[..36];
    let other = "00000000-0000-4000-8000-00000000dead";
    let place = format!("\"reservationId\": \"{reservation}\"");
    let edited = json.replacen(&place, &format!("\"reservationId\": \"{other}\""), 1);
    let file = files.put("a.json", edited.as_bytes());
    let bytes = run(["from-json".as_ref(), file.as_os_str()]).stdout;
    let ended = verify(&files.put("b.snapshot", &bytes));
    assert_eq!(ended.code, 1);
    assert!(ended.text().contains(other), "{}", ended.text());
}

#[test]
fn a_damaged_file_is_a_finding_and_a_missing_file_is_an_error() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let mut bytes = snapshot.as_bytes().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let ended = verify(&files.put("a.snapshot", &bytes));
    assert_eq!(ended.code, 1);
    assert!(ended.text().contains("damaged"), "{}", ended.text());
    let ended = verify(&files.put("b.snapshot", &bytes[..middle]));
    assert_eq!(ended.code, 1);
    assert!(ended.text().contains("truncated"), "{}", ended.text());
    assert_eq!(verify(&files.path("missing")).code, 3);
    assert_eq!(run(["verify"]).code, 2);
    assert_eq!(run(["verifi"]).code, 2);
}

#[test]
fn fields_and_versions_that_a_manifest_does_not_have_are_findings() {
    let (_, snapshot) = sandbox();
    let files = Files::new();
    let path = files.path("a.snapshot");
    snapshot.write_to_path(&path).unwrap();
    let mut manifest = registry().unwrap().manifest();
    let against = |manifest: &Manifest| {
        let file = files.put("manifest", &manifest.encode_to_vec());
        run(["verify".as_ref(), path.as_os_str(), "--manifest".as_ref(), file.as_os_str()])
    };
    assert!(against(&manifest).fine().contains("manifest"));

    manifest.payloads.retain(|payload| !payload.type_url.ends_with("PodSnapshot"));
    for payload in &mut manifest.payloads {
        if payload.type_url.ends_with("VmSnapshot") {
            payload.accepts = vec![2, 3];
        }
    }
    for message in &mut manifest.messages {
        if message.name == "lcow.v1.ScsiSnapshot" {
            message.fields.retain(|field| field.name != "disks");
        }
    }
    let ended = against(&manifest);
    let text = ended.text();
    assert_eq!(ended.code, 1);
    for told in [
        "the manifest has no payload of type URL",
        "vm: schema version 1, the manifest accepts 2, 3",
        "vm/scsi: lcow.v1.ScsiSnapshot.disks: the manifest has no field 3",
        "3 findings",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let wrong = files.put("manifest", b"\xff");
    let ended =
        run(["verify".as_ref(), path.as_os_str(), "--manifest".as_ref(), wrong.as_os_str()]);
    assert_eq!(ended.code, 3);
}

#[test]
fn without_states_payloads_are_checked_against_their_descriptors() {
    // A message within a payload; the tool links no state for it.
    let any = prost_types::Any {
        type_url: "type.googleapis.com/lcow.v1.ScsiSnapshot.DiskState".to_owned(),
        // Stage 77, and a field 15.
        value: b"\x10\x4d\x78\x01".to_vec(),
    };
    let files = Files::new();
    let snapshot = Snapshot::from_any(&any).unwrap();
    let ended = verify(&files.put("a.snapshot", snapshot.as_bytes()));
    assert_eq!(ended.code, 1);
    let text = ended.text();
    assert!(text.contains("unknown field 15"), "{text}");
    assert!(text.contains("state: 77 is not a value of lcow.v1.ScsiSnapshot.DiskStage"), "{text}");
}

#[test]
fn a_long_length_in_a_short_file_is_refused_at_once() {
    let (_, snapshot) = sandbox();
    let mut bytes = snapshot.as_bytes()[..100].to_vec();
    bytes[12..20].copy_from_slice(&(2_u64 << 30).to_le_bytes());
    let files = Files::new();
    let ended = verify(&files.put("a.snapshot", &bytes));
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("2147483648 bytes"), "{}", ended.stderr);
}
