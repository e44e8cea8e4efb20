//! Checks the payloads in `golden/hcsshim` against `expected.tsv`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use snapshot_core::{Code, Error, State, codec};
use snapshot_examples::hcsshim::{
    Go, Kind, LinuxContainerState, MigrationState, NetworkState, PodState, ProcessState, ScsiState,
    VmState, read, read_any, verify, verify_any,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/hcsshim")
}

pub(crate) fn golden(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{file}.binpb"))).expect(file)
}

struct Expected {
    file: String,
    kind: String,
    go_accepts: bool,
    verdict: String,
    reason: String,
}

fn expected() -> Vec<Expected> {
    let table = std::fs::read_to_string(folder().join("expected.tsv")).unwrap();
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut columns = line.split('\t').map(str::to_owned);
            let mut next = || columns.next().unwrap_or_default();
            Expected {
                file: next(),
                kind: next(),
                go_accepts: next() == "accepts",
                verdict: next(),
                reason: next(),
            }
        })
        .collect()
}

fn verify_as(kind: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    match kind {
        "any" => verify_any(bytes),
        kind => verify(kind.parse().unwrap(), bytes),
    }
}

#[test]
fn every_payload_is_read_or_refused_as_expected() {
    let mut verdicts = [0; 3];
    for Expected { file, kind, go_accepts, verdict, reason } in expected() {
        let bytes = golden(&file);
        match (verdict.as_str(), verify_as(&kind, &bytes)) {
            ("same", Ok(again)) => {
                assert_eq!(again, bytes, "{file} comes back as other bytes");
                assert!(go_accepts, "{file} is refused by Go");
                verdicts[0] += 1;
            }
            ("reencoded", Ok(again)) => {
                let go = std::fs::read(folder().join(format!("{file}.reencoded"))).unwrap();
                assert_eq!(again, go, "{file} comes back other than from Go");
                assert_ne!(again, bytes, "{file} comes back unchanged");
                assert!(go_accepts, "{file} is refused by Go");
                verdicts[1] += 1;
            }
            ("refused", Err(error)) => {
                let text = error.to_string();
                assert!(text.contains(&reason), "{file}: {text}");
                assert_eq!(
                    go_accepts,
                    !reason.is_empty(),
                    "{file} has no reason, or a needless one"
                );
                verdicts[2] += 1;
            }
            (_, Ok(_)) => panic!("{file} is accepted"),
            (_, Err(error)) => panic!("{file} is refused: {error}"),
        }
    }
    assert_eq!(verdicts, [61, 4, 231]);
}

#[test]
fn no_payload_is_forgotten() {
    fn find(folder: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => find(&path, found),
                false if path.extension().is_some_and(|extension| extension == "binpb") => {
                    found.insert(path.with_extension(""));
                }
                false => {}
            }
        }
    }
    let mut found = BTreeSet::new();
    find(&folder(), &mut found);
    let listed = expected().into_iter().map(|expected| folder().join(expected.file)).collect();
    assert_eq!(found, listed);
}

/// Asserts that the state also comes back from its prost message.
fn through_prost<S: State>(bytes: &[u8]) -> Vec<u8> {
    let message = <S::Message as prost::Message>::decode(bytes).unwrap();
    codec::to_bytes(&S::from_message(&message).unwrap()).unwrap()
}

#[test]
fn every_payload_comes_back_from_prost_byte_for_byte() {
    let mut passed = 0;
    for Expected { file, kind, verdict, .. } in expected() {
        if verdict != "same" || kind == "any" {
            continue;
        }
        let bytes = golden(&file);
        let again = match kind.parse().unwrap() {
            Kind::Migration => through_prost::<MigrationState>(&bytes),
            Kind::Vm => through_prost::<VmState>(&bytes),
            Kind::Scsi => through_prost::<ScsiState>(&bytes),
            Kind::Network => through_prost::<NetworkState>(&bytes),
            Kind::Pod => through_prost::<PodState>(&bytes),
            Kind::LinuxContainer => through_prost::<LinuxContainerState>(&bytes),
            Kind::Process => through_prost::<ProcessState>(&bytes),
        };
        assert_eq!(again, bytes, "{file}");
        passed += 1;
    }
    assert_eq!(passed, 43);
}

#[test]
fn every_beginning_of_a_sandbox_is_refused() {
    let bytes = golden("envelope/container_with_exec");
    for length in 0..bytes.len() {
        assert!(verify_any(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn groups_at_any_depth_are_refused() {
    for depth in [1, 100, 10_000, 1_000_000] {
        let mut bytes = b"\x08\x01".to_vec();
        bytes.extend(vec![0x53; depth]);
        bytes.extend(vec![0x54; depth]);
        let error = verify(Kind::Process, &bytes).unwrap_err();
        assert!(error.to_string().starts_with("groups are not supported"), "{error}");
        assert_eq!(error.code(), Code::DataLoss);
    }
}

#[test]
fn the_typed_view_shows_the_values_that_go_saved() {
    let sandbox: MigrationState = read_any(&golden("envelope/container_with_exec")).unwrap();
    let scsi = sandbox.vm.scsi.as_ref().unwrap();
    assert_eq!((scsi.num_controllers, scsi.disks.len(), scsi.reservations.len()), (4, 3, 2));
    assert_eq!(scsi.disks[&2].mounts[&0].guest_path, "/run/mounts/scsi/0_2_0");
    let Go(document) = sandbox.vm.hcs_document.as_ref().unwrap().get().unwrap();
    assert_eq!(document.owner, "containerd-shim-lcow-v2");
    let scsi = document.virtual_machine.unwrap().devices.unwrap().scsi;
    assert!(scsi["df6d0690-79e5-55b6-a5ec-c1e2f77f580a"].attachments.is_empty());

    let container = &sandbox.pods[0].containers[0];
    assert_eq!(container.container_id, sandbox.pods[0].pod_id);
    assert_eq!(container.io_retry_timeout.unwrap().as_secs(), 5);
    assert_eq!(container.processes[""].stdout_port.unwrap().get(), 1 << 30);
    let exec = &container.processes["exec-1"];
    assert_eq!((exec.pid, exec.io_retry_timeout), (777, None));
    let spec = exec.spec.as_ref().unwrap();
    assert_eq!(spec.text(), r#"{"cwd":"/","args":["sh"]}"#);
    assert_eq!(spec.get().unwrap().0.args, ["sh"]);

    let process: ProcessState = read(&golden("payload/process/full")).unwrap();
    let Go(spec) = process.spec.unwrap().get().unwrap();
    assert!(spec.terminal);
    assert_eq!((spec.args[2].as_str(), spec.user.uid), ("echo hi", 0));
}
