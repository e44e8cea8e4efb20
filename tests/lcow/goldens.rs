//! Payloads that Go's protobuf encoded, `golden/lcow/KIND/*.binpb`, and their protobuf JSON. Each payload
//! decodes to its state and encodes back byte for byte.

use std::path::Path;

use snapshot_core::{Code, Payload, State, codec};
use snapshot_examples::lcow::{
    ContainerState, NetworkState, Plan9State, ProcessState, ScsiState, VmState, VpciState,
};

/// The payloads with an unknown stage.
const UNKNOWN_STAGES: [&str; 5] = [
    "linuxcontainer/state_unknown_99",
    "process/state_negative",
    "process/state_unknown_99",
    "vm/state_unknown_99",
    "vpci/state_unknown_99",
];

fn goldens(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/lcow").join(kind);
    let mut goldens: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "binpb"))
        .map(|path| {
            let name = format!("{kind}/{}", path.file_stem().unwrap().to_str().unwrap());
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    goldens.sort();
    goldens
}

/// Returns the number of payloads that came back unchanged.
fn round_trip<S: Payload>(kind: &str) -> usize {
    let mut passed = 0;
    for (name, bytes) in goldens(kind) {
        if UNKNOWN_STAGES.contains(&name.as_str()) {
            continue;
        }
        let state: S = codec::from_bytes(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let again = codec::to_bytes(&state).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(again, bytes, "{name} comes back as other bytes");
        let message = <S::Message as prost::Message>::decode(&*bytes).unwrap();
        let state = S::from_message(&message).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(codec::to_bytes(&state).unwrap(), bytes, "{name} through prost");
        passed += 1;
    }
    passed
}

#[test]
fn every_payload_of_another_implementation_comes_back_byte_for_byte() {
    assert_eq!(round_trip::<VmState>("vm"), 5);
    assert_eq!(round_trip::<ScsiState>("scsi"), 2);
    assert_eq!(round_trip::<VpciState>("vpci"), 1);
    assert_eq!(round_trip::<Plan9State>("plan9"), 2);
    assert_eq!(round_trip::<NetworkState>("network"), 4);
    assert_eq!(round_trip::<ContainerState>("linuxcontainer"), 4);
    assert_eq!(round_trip::<ProcessState>("process"), 4);
}

fn refusal<S: State>(kind: &str, name: &str) -> snapshot_core::Error {
    let goldens = goldens(kind);
    let (_, bytes) = goldens.iter().find(|(found, _)| found == name).expect(name);
    match codec::from_bytes::<S>(bytes) {
        Ok(_) => panic!("{name} is accepted"),
        Err(error) => error,
    }
}

#[test]
fn a_stage_that_this_build_does_not_know_is_refused_with_its_number() {
    let refusals = [
        refusal::<ContainerState>("linuxcontainer", "linuxcontainer/state_unknown_99"),
        refusal::<ProcessState>("process", "process/state_negative"),
        refusal::<ProcessState>("process", "process/state_unknown_99"),
        refusal::<VmState>("vm", "vm/state_unknown_99"),
        refusal::<VpciState>("vpci", "vpci/state_unknown_99"),
    ];
    for error in refusals {
        assert_eq!(error.code(), Code::InvalidArgument);
        let text = error.to_string();
        assert!(text.contains("state"), "{text}");
        assert!(text.contains("99") || text.contains("-1"), "{text}");
    }
}

#[test]
fn the_typed_view_agrees_with_the_readable_form() {
    let payload = |kind: &str, name: &str| {
        goldens(kind).into_iter().find(|(found, _)| found == name).expect(name).1
    };
    let vm: VmState = codec::from_bytes(&payload("vm", "vm/typical")).unwrap();
    assert_eq!(vm.vm_id.as_str(), "sandbox@vm");
    assert_eq!(vm.gcs_next_port, 0x4000_0006);
    let disks = vm.scsi.unwrap().with_state(|scsi| scsi.disks.len());
    assert_eq!(disks, Some(2));

    let process: ProcessState = codec::from_bytes(&payload("process", "process/full")).unwrap();
    assert_eq!((process.pid, process.exit_code), (-7, 137));
    assert_eq!(process.io_retry_timeout.unwrap().as_millis(), 1500);
    let spec = process.spec.unwrap();
    assert_eq!(spec.text(), "{}");
    assert_eq!(spec.get().unwrap().0.args(), &None);

    let container: ContainerState =
        codec::from_bytes(&payload("linuxcontainer", "linuxcontainer/full")).unwrap();
    let layers = container.layers.unwrap();
    assert_eq!(layers.ro_layers[0].guest_path, "/run/mounts/scsi/0_1_0");
    let execs: Vec<_> = container.processes.keys().map(|id| id.as_str()).collect();
    assert_eq!(execs, ["", "exec-1"]);
}
