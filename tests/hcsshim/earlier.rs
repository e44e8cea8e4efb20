//! hcsshim's earlier, stage-ful revision: the same type URLs and version, other field numbers.

use prost::Message;
use prost_types::Any;
use snapshot_core::Code;
use snapshot_examples::hcsshim::{Kind, verify, verify_any};
use snapshot_proto::lcow::v1 as earlier;

use super::sample;

/// The type URL of a payload of the earlier revision in hcsshim. The goldens of `lcow.v1` have that
/// revision, but their children have the type URLs of `lcow.v1`.
fn in_hcsshim(any: &mut Option<Any>, kind: &str) {
    if let Some(any) = any {
        any.type_url = format!("type.microsoft.com/hcsshim.controller.{kind}.save.v1.Payload");
    }
}

fn golden(kind: &str, name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/lcow");
    let bytes = std::fs::read(folder.join(kind).join(name).with_extension("binpb")).expect(name);
    match kind {
        "vm" => {
            let mut vm = earlier::VmSnapshot::decode(&*bytes).unwrap();
            in_hcsshim(&mut vm.scsi, "scsi");
            in_hcsshim(&mut vm.vpci, "vpci");
            in_hcsshim(&mut vm.plan9, "plan9");
            vm.encode_to_vec()
        }
        "linuxcontainer" => {
            let mut container = earlier::ContainerSnapshot::decode(&*bytes).unwrap();
            for process in container.processes.values_mut() {
                let mut any = Some(std::mem::take(process));
                in_hcsshim(&mut any, "process");
                *process = any.unwrap();
            }
            container.encode_to_vec()
        }
        _ => bytes,
    }
}

/// The reason for the refusal of a payload of this kind.
#[track_caller]
fn refusal(kind: Kind, bytes: &[u8]) -> String {
    let error = verify(kind, bytes).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented, "{error}");
    error.to_string()
}

/// Asserts that such a payload is refused only because of its revision.
#[track_caller]
fn looks_earlier(kind: Kind, bytes: &[u8], sign: &str) {
    let text = refusal(kind, bytes);
    assert!(
        text.starts_with("looks like the earlier, stage-ful revision of this payload"),
        "{text}"
    );
    assert!(text.contains(sign), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn payloads_of_the_earlier_revision_are_refused_as_such() {
    let state = |is: &str| format!("is state there and {is} here");
    for name in ["typical", "state_stage_migrating", "state_stage_invalid", "state_unknown_99"] {
        looks_earlier(Kind::Vm, &golden("vm", name), &state("sandbox_options"));
    }
    for name in ["full", "state_stage_running", "state_stage_stopped", "state_unknown_99"] {
        let bytes = golden("linuxcontainer", name);
        looks_earlier(Kind::LinuxContainer, &bytes, &state("io_retry_timeout"));
    }
    for name in ["typical", "state_stage_configured", "state_stage_torn_down"] {
        looks_earlier(Kind::Network, &golden("network", name), &state("vm_endpoints"));
    }
    for name in ["typical", "full"] {
        looks_earlier(Kind::Scsi, &golden("scsi", name), &state("mounts"));
    }
    let bytes = golden("process", "full");
    looks_earlier(Kind::Process, &bytes, "field 4 is pid there and bundle here");
    let bytes = golden("process", "exited_at_go_zero_time");
    looks_earlier(Kind::Process, &bytes, "field 7 is exited_at there and stdin_port here");
}

#[test]
fn one_field_is_enough_where_its_form_differs() {
    let path = "C:\\bundle".to_owned();
    let timeout = Some(prost_types::Duration { seconds: 5, nanos: 0 });
    let spec = br#"{"args":["sh"]}"#.to_vec();
    let process = earlier::ProcessSnapshot { schema_version: 1, ..Default::default() };
    for (process, sign) in [
        (earlier::ProcessSnapshot { pid: 7, ..process.clone() }, "field 4 is pid"),
        (earlier::ProcessSnapshot { bundle: path, ..process.clone() }, "field 5 is bundle"),
        (
            earlier::ProcessSnapshot { oci_process_spec_json: spec, ..process.clone() },
            "field 6 is oci_process_spec_json",
        ),
        (
            earlier::ProcessSnapshot { io_retry_timeout: timeout, ..process },
            "field 9 is io_retry_timeout",
        ),
    ] {
        looks_earlier(Kind::Process, &process.encode_to_vec(), sign);
    }

    let layers = earlier::container_snapshot::Layers {
        scratch: Some(earlier::container_snapshot::LayerReservation {
            reservation_id: sample::SCRATCH.into(),
            guest_path: "/run/mounts/scsi/0_1_0".into(),
        }),
        ..Default::default()
    };
    let ids = vec![sample::DATA.to_owned()];
    let container = earlier::ContainerSnapshot { schema_version: 1, ..Default::default() };
    for (container, sign) in [
        (
            earlier::ContainerSnapshot { io_retry_timeout: timeout, ..container.clone() },
            "field 5 is io_retry_timeout",
        ),
        (
            earlier::ContainerSnapshot { layers: Some(layers), ..container.clone() },
            "field 6 is layers",
        ),
        (
            earlier::ContainerSnapshot { scsi_reservation_ids: ids, ..container },
            "field 7 is scsi_reservation_ids",
        ),
    ] {
        looks_earlier(Kind::LinuxContainer, &container.encode_to_vec(), sign);
    }

    let options = earlier::vm_snapshot::SandboxOptions {
        enable_scratch_encryption: true,
        ..Default::default()
    };
    let vpci = earlier::VpciSnapshot { schema_version: 1, ..Default::default() };
    let child = |kind: &str| {
        let mut any = Some(Any { value: vpci.encode_to_vec(), ..Default::default() });
        in_hcsshim(&mut any, kind);
        any
    };
    let vm = earlier::VmSnapshot { schema_version: 1, ..Default::default() };
    for (vm, sign) in [
        (
            earlier::VmSnapshot { sandbox_options: Some(options), ..vm.clone() },
            "field 4 is sandbox_options",
        ),
        (earlier::VmSnapshot { scsi: child("scsi"), ..vm.clone() }, "field 5 is scsi"),
        (earlier::VmSnapshot { vpci: child("vpci"), ..vm.clone() }, "field 6 is vpci"),
        (earlier::VmSnapshot { plan9: child("plan9"), ..vm }, "field 7 is plan9"),
    ] {
        looks_earlier(Kind::Vm, &vm.encode_to_vec(), sign);
    }
}

#[test]
fn a_container_without_a_version_is_also_recognised() {
    // The output of the earlier revision's own Save.
    let mut container =
        earlier::ContainerSnapshot::decode(&*golden("linuxcontainer", "full")).unwrap();
    container.schema_version = 0;
    looks_earlier(Kind::LinuxContainer, &container.encode_to_vec(), "field 4 is state");
}

#[test]
fn another_version_is_reported_before_the_revision() {
    let mut container =
        earlier::ContainerSnapshot::decode(&*golden("linuxcontainer", "full")).unwrap();
    container.schema_version = 2;
    let text = refusal(Kind::LinuxContainer, &container.encode_to_vec());
    let expected = "schema_version: schema version 2, but this build reads version 1 (byte 1 of ";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn earlier_payloads_in_a_sandbox_are_all_named_by_their_places() {
    let mut sandbox = sample::sandbox();
    sandbox.pods.push(sample::pod("db", vec![]));
    let mut sandbox = sandbox.payload();
    let mut pod = sample::pod("db", vec![]).payload();
    pod.network.as_mut().unwrap().value = golden("network", "typical");
    sandbox.pods[1].value = pod.encode_to_vec();
    let mut container = sample::container("c1").payload();
    container.processes.get_mut("").unwrap().value = golden("process", "full");
    let mut pod = sample::pod("web", vec![]).payload();
    pod.containers.push(sample::any(&container));
    sandbox.pods[0].value = pod.encode_to_vec();

    let bytes = sample::any(&sandbox).encode_to_vec();
    let error = verify_any(&bytes).unwrap_err();
    let places: Vec<_> = error.findings().map(|finding| finding.path().to_string()).collect();
    assert_eq!(places, [r#"pods[0].containers[0].processes[""]"#, "pods[1].network"]);
    for finding in error.findings() {
        // The offset is that of the tag of the recognised field.
        let tag = bytes[finding.offset().unwrap()];
        assert!([0x20, 0x28].contains(&tag), "{finding}");
    }
}

#[test]
fn an_unknown_field_is_reported_with_its_earlier_meaning() {
    assert_eq!(
        verify(Kind::Process, b"\x08\x01\x58\x07").unwrap_err().to_string(),
        "unknown field 11 (varint) in hcsshim.controller.process.save.v1.Payload (byte 2 of 4)\n\
         field 11 was stdout_port in the earlier, stage-ful revision of this payload, which has \
         the same type URL and version: is it one of those? (byte 2 of 4)"
    );
}

#[test]
fn kinds_that_only_the_earlier_revision_has_are_reported() {
    for kind in ["vpci", "plan9"] {
        let mut any = Some(Any { value: b"\x08\x01".to_vec(), ..Default::default() });
        in_hcsshim(&mut any, kind);
        let error = verify_any(&any.unwrap().encode_to_vec()).unwrap_err().to_string();
        assert!(
            error.contains("which only the earlier, stage-ful revision of hcsshim has"),
            "{error}"
        );
    }
}

#[test]
fn a_payload_that_both_revisions_write_alike_is_read() {
    // Without a stage, or with numbers where both have numbers, the revisions cannot be distinguished.
    for (kind, name) in [("network", "minimal"), ("process", "state_stage_running")] {
        let bytes = golden(kind, name);
        assert_eq!(verify(kind.parse().unwrap(), &bytes).unwrap(), bytes);
    }
}
