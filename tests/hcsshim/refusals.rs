//! Payloads that hcsshim accepts and this library refuses, and unusual payloads that it must accept.

use prost::Message;
use prost_types::{Any, Duration};
use snapshot_core::codec::to_any_bytes;
use snapshot_core::{Code, Error};
use snapshot_examples::hcsshim::{
    Go, Kind, MigrationState, VmState, read, read_any, verify, verify_any,
};
use snapshot_proto::hcsshim as pb;
use snapshot_proto::hcsshim::network::EndpointBinding;
use snapshot_proto::hcsshim::scsi::{DiskConfig, DiskState, Reservation};

use super::sample::{self, LAYER, SCRATCH, Sandbox, UNKNOWN, any, container, pod, process};

/// The problems of the sample after a change, one per line with place and reason.
fn wrong(change: impl FnOnce(&mut Sandbox)) -> Vec<String> {
    let mut sandbox = sample::sandbox();
    change(&mut sandbox);
    findings(verify_any(&sandbox.bytes()).expect_err("the sandbox is accepted"))
}

fn findings(error: Error) -> Vec<String> {
    error.findings().map(|finding| format!("{}: {}", finding.path(), finding.reason())).collect()
}

/// The problems of a single payload.
fn wrong_payload(kind: Kind, payload: &impl Message) -> Vec<String> {
    findings(verify(kind, &payload.encode_to_vec()).expect_err("the payload is accepted"))
}

/// Asserts that there is only one problem, with this ending.
#[track_caller]
fn one(found: Vec<String>, expected: &str) {
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].ends_with(expected), "{} does not end with {expected}", found[0]);
}

#[track_caller]
fn same(kind: Kind, payload: &impl Message) {
    let bytes = payload.encode_to_vec();
    assert_eq!(verify(kind, &bytes).unwrap(), bytes);
}

#[test]
fn a_sandbox_that_fits_together_is_read_and_written_as_go_does() {
    let sent = sample::sandbox().bytes();
    let sandbox: MigrationState = read_any(&sent).unwrap();
    let bytes = verify_any(&sent).unwrap();
    assert_eq!(to_any_bytes(&sandbox).unwrap(), bytes);
    assert_eq!(verify_any(&bytes).unwrap(), bytes);
    assert_eq!(read_any::<MigrationState>(&bytes).unwrap(), sandbox);
    // prost omits the empty key of the init process, Go does not.
    assert_eq!(bytes.len(), sent.len() + 2);
}

#[test]
fn a_reservation_that_the_vm_does_not_have_is_refused_at_every_place() {
    let found = wrong(|sandbox| {
        let container = &mut sandbox.pods[0].containers[0].container;
        container.scsi_reservation_ids.push(UNKNOWN.into());
        let layers = container.layers.as_mut().unwrap();
        layers.ro_layers[0].reservation_id = UNKNOWN.into();
        layers.scratch.as_mut().unwrap().reservation_id = UNKNOWN.into();
    });
    let places = [
        "layers.ro_layers[0].reservation_id",
        "layers.scratch.reservation_id",
        "scsi_reservation_ids[1]",
    ];
    assert_eq!(found.len(), places.len(), "{found:#?}");
    for place in places {
        assert!(found.iter().any(|f| f.contains(place) && f.contains(UNKNOWN)), "{found:#?}");
    }
}

#[test]
fn a_container_that_names_a_reservation_needs_a_scsi_controller() {
    let found = wrong(|sandbox| sandbox.scsi = None);
    assert_eq!(found.len(), 3, "{found:#?}");
    let mut sandbox = sample::sandbox();
    sandbox.scsi = None;
    sandbox.pods[0].containers[0].container.layers = None;
    sandbox.pods[0].containers[0].container.scsi_reservation_ids = vec![];
    assert!(verify_any(&sandbox.bytes()).is_ok());
}

#[test]
fn ports_and_calls_that_would_be_handed_out_again_are_refused() {
    let place = |sandbox: &mut Sandbox, change: fn(&mut pb::process::Payload)| {
        change(sandbox.pods[0].containers[0].processes.get_mut("").unwrap());
    };
    for (change, expected) in [
        (
            (|p| p.stdin_port = 1000) as fn(&mut pb::process::Payload),
            ".stdin_port: is 1000, which would be handed out again: the VM's gcs_next_port is 1000",
        ),
        (
            |p| p.stdout_port = 1001,
            ".stdout_port: is 1001, which would be handed out again: the VM's gcs_next_port is 1000",
        ),
        (
            |p| p.stderr_port = u32::MAX,
            ".stderr_port: is 4294967295, which would be handed out again: the VM's gcs_next_port \
             is 1000",
        ),
        (
            |p| p.wait_call_id = 50,
            ".wait_call_id: is 50, which would be handed out again: the VM's bridge_next_id is 50",
        ),
    ] {
        one(wrong(|sandbox| place(sandbox, change)), expected);
    }
    // A VM that has not assigned any number.
    assert_eq!(
        wrong(|sandbox| sandbox.vm = pb::vm::Payload { schema_version: 1, ..Default::default() })
            .len(),
        2
    );
    // 0 means that no number is in use.
    let mut sandbox = sample::sandbox();
    sandbox.vm = pb::vm::Payload { schema_version: 1, ..Default::default() };
    place(&mut sandbox, |p| (p.stdout_port, p.wait_call_id) = (0, 0));
    assert!(verify_any(&sandbox.bytes()).is_ok());
}

#[test]
fn a_duplicate_id_is_refused() {
    let found = wrong(|sandbox| sandbox.pods.push(pod("web", vec![])));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("pod_id") && found[0].contains("\"web\""), "{found:#?}");
    let found = wrong(|sandbox| sandbox.pods.push(pod("db", vec![container("c1")])));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("container_id") && found[0].contains("\"c1\""), "{found:#?}");
    let found = wrong(|sandbox| sandbox.pods[0].containers.push(container("c1")));
    one(found, "containers[1]: container \"c1\" occurs twice");
    // The same in a single pod.
    let twice = pod("web", vec![container("c1"), container("c2"), container("c1")]).payload();
    one(wrong_payload(Kind::Pod, &twice), "containers[2]: container \"c1\" occurs twice");
}

#[test]
fn a_process_has_the_name_that_its_container_knows_it_by() {
    let found = wrong(|sandbox| {
        sandbox.pods[0].containers[0].processes.insert("exec-1".into(), process("exec-2"));
    });
    one(found, r#"processes["exec-1"].exec_id: is "exec-2", the key of the process is "exec-1""#);
}

#[test]
fn a_disk_is_in_a_slot_that_there_is() {
    let disk = || DiskState { config: Some(DiskConfig::default()), ..Default::default() };
    for (controllers, slot) in [(0, 0), (1, 64), (4, 256), (4, u32::MAX)] {
        let mut scsi = sample::scsi();
        scsi.reservations.clear();
        scsi.disks.clear();
        scsi.num_controllers = controllers;
        scsi.disks.insert(slot, disk());
        let slots = controllers * 64;
        let expected = format!(
            "disks[\"{slot}\"]: is beyond the last slot: num_controllers is {controllers}, so there are {slots} slots"
        );
        one(wrong_payload(Kind::Scsi, &scsi), &expected);
    }
    let mut scsi = sample::scsi();
    scsi.num_controllers = 4;
    scsi.disks.insert(255, disk());
    same(Kind::Scsi, &scsi);
}

#[test]
fn there_are_at_most_four_controllers() {
    for controllers in [5, 255, 256, u32::MAX] {
        let scsi = pb::scsi::Payload { num_controllers: controllers, ..sample::scsi() };
        let found = wrong_payload(Kind::Scsi, &scsi);
        assert!(
            found[0].starts_with(&format!("num_controllers: {controllers} does not fit"))
                || found[0].starts_with(&format!(
                    "num_controllers: is {controllers}, which is not in 0..=4"
                )),
            "{found:#?}"
        );
    }
}

#[test]
fn a_reservation_holds_a_mount_that_there_is() {
    let with = |slot, partition| {
        let mut scsi = sample::scsi();
        scsi.reservations.insert(LAYER.into(), Reservation { slot, partition });
        scsi
    };
    let place = format!("reservations[{LAYER:?}]");
    one(wrong_payload(Kind::Scsi, &with(5, 1)), &format!("{place}.slot: is 5, which has no disk"));
    one(
        wrong_payload(Kind::Scsi, &with(u32::MAX, 1)),
        &format!("{place}.slot: is 4294967295, which has no disk"),
    );
    one(
        wrong_payload(Kind::Scsi, &with(63, 2)),
        &format!("{place}.partition: is 2, which is not mounted from the disk in slot 63"),
    );
}

#[test]
fn only_a_guid_is_a_reservation_id() {
    let bare = SCRATCH.replace('-', "");
    let braces = format!("{{{SCRATCH}}}");
    // hcsshim writes a GUID in lower case and also reads upper case, which would not come back.
    let other_form =
        format!("would be written back as {SCRATCH:?}: write it in that form, or read other forms");
    let none = "is not a UUID";
    for (id, reason) in [
        ("", none),
        ("x", none),
        ("not-a-guid", none),
        (&SCRATCH[1..], none),
        (&SCRATCH.replace('9', "g"), none),
        (&bare, &other_form),
        (&braces, &other_form),
        (&SCRATCH.to_uppercase(), &other_form),
    ] {
        let mut scsi = sample::scsi();
        scsi.reservations.insert(id.into(), Reservation::default());
        let found = wrong_payload(Kind::Scsi, &scsi);
        assert!(found[0].contains(reason), "{found:#?}");
        let mut container = container("c1").payload();
        container.scsi_reservation_ids = vec![id.into()];
        let found = wrong_payload(Kind::LinuxContainer, &container);
        assert!(found[0].contains(reason), "{found:#?}");
    }
}

#[test]
fn a_duration_out_of_range_is_refused() {
    for (seconds, nanos) in
        [(-1, 0), (0, -1), (315_576_000_001, 0), (i64::MIN, 0), (0, 1_000_000_000), (1, i32::MIN)]
    {
        let io_retry_timeout = Some(Duration { seconds, nanos });
        let process = pb::process::Payload { io_retry_timeout, ..process("") };
        let found = wrong_payload(Kind::Process, &process);
        assert!(found[0].starts_with("io_retry_timeout."), "{found:#?}");
        let container =
            pb::linuxcontainer::Payload { io_retry_timeout, ..container("c1").container };
        let found = wrong_payload(Kind::LinuxContainer, &container);
        assert!(found[0].starts_with("io_retry_timeout."), "{found:#?}");
    }
}

#[test]
fn an_envelope_that_is_required_is_neither_missing_nor_empty() {
    let mut sandbox = sample::sandbox().payload();
    sandbox.vm = None;
    one(wrong_payload(Kind::Migration, &sandbox), "vm: is missing");
    one(wrong(|sandbox| sandbox.pods[0].network = None), "network: is missing");

    let empty = Some(Any::default());
    let vm = pb::vm::Payload { schema_version: 1, scsi: empty.clone(), ..Default::default() };
    let pod = pb::pod::Payload { network: empty, ..pod("web", vec![]).payload() };
    let mut container = container("c1").payload();
    container.processes.insert(String::new(), Any::default());
    let mut sandbox = sample::sandbox().payload();
    sandbox.pods.push(Any::default());
    for found in [
        wrong_payload(Kind::Vm, &vm),
        wrong_payload(Kind::Pod, &pod),
        wrong_payload(Kind::LinuxContainer, &container),
        wrong_payload(Kind::Migration, &sandbox),
    ] {
        assert!(found[0].contains("has no type URL, expected"), "{found:#?}");
    }
    assert!(verify_any(b"").unwrap_err().to_string().contains("has no type URL"));
    // A VM can have no SCSI controllers.
    same(Kind::Vm, &sample::sandbox().vm);
}

#[test]
fn only_version_1_is_read_at_every_level() {
    for (version, code) in [
        (0, Code::Unimplemented),
        (2, Code::Unimplemented),
        (u64::from(u32::MAX), Code::Unimplemented),
        // Go reads its low half, which is 1.
        ((1 << 32) + 1, Code::Unimplemented),
    ] {
        let mut payload = vec![0x08];
        prost::encoding::encode_varint(version, &mut payload);
        for kind in Kind::ALL {
            let error = verify(*kind, &payload).unwrap_err();
            assert_eq!(error.code(), code, "{kind} of version {version}: {error}");
            assert!(error.to_string().starts_with("schema_version: "), "{error}");
        }
    }
    let levels: [fn(&mut Sandbox); 6] = [
        |s| s.vm.schema_version = 2,
        |s| s.scsi.as_mut().unwrap().schema_version = 2,
        |s| s.pods[0].pod.schema_version = 2,
        |s| s.pods[0].network.as_mut().unwrap().schema_version = 2,
        |s| s.pods[0].containers[0].container.schema_version = 2,
        |s| s.pods[0].containers[0].processes.get_mut("").unwrap().schema_version = 2,
    ];
    for level in levels {
        one(wrong(level), "schema_version: schema version 2, but this build reads version 1");
    }
}

#[test]
fn only_the_type_urls_of_hcsshim_are_read() {
    let vm = any(&sample::sandbox().vm);
    let url = vm.type_url.as_str();
    for other in [
        "",
        "type.microsoft.com/bogus",
        &url.replace("microsoft", "googleapis"),
        &url.replace("type.microsoft.com/", ""),
        &url.replace("type", "https://type"),
        &url.replace("Payload", "payload"),
        &url.replace("v1", "v2"),
        &format!("{url}\0"),
        &url.replace(".vm.", ".pod."),
    ] {
        let mut sandbox = sample::sandbox().payload();
        sandbox.vm.as_mut().unwrap().type_url = other.into();
        let found = wrong_payload(Kind::Migration, &sandbox);
        assert!(
            found[0].contains("type URL") && found[0].ends_with(&format!("expected {url:?}")),
            "{found:#?}"
        );
        if !other.ends_with("pod.save.v1.Payload") {
            let outer = Any { type_url: other.into(), ..vm.clone() };
            assert!(verify_any(&outer.encode_to_vec()).is_err(), "{other}");
        }
    }
}

#[test]
fn an_unknown_field_is_refused_at_every_level() {
    let unknown = b"\x98\x06\x01"; // field 99, varint 1
    let with = |mut bytes: Vec<u8>| {
        bytes.extend(unknown);
        bytes
    };
    let sandbox = sample::sandbox();
    let (pod, vm) = (&sandbox.pods[0], any(&sandbox.vm));
    let container = &pod.containers[0];
    for (kind, payload) in [
        (Kind::Migration, sandbox.payload().encode_to_vec()),
        (Kind::Vm, sandbox.vm.encode_to_vec()),
        (Kind::Scsi, sandbox.scsi.as_ref().unwrap().encode_to_vec()),
        (Kind::Network, pod.network.as_ref().unwrap().encode_to_vec()),
        (Kind::Pod, pod.payload().encode_to_vec()),
        (Kind::LinuxContainer, container.payload().encode_to_vec()),
        (Kind::Process, container.processes[""].encode_to_vec()),
    ] {
        assert!(verify(kind, &payload).is_ok(), "{kind}");
        let found = findings(verify(kind, &with(payload)).unwrap_err());
        one(
            found,
            &format!("unknown field 99 (varint) in hcsshim.controller.{kind}.save.v1.Payload"),
        );
    }
    assert!(verify_any(&vm.encode_to_vec()).is_ok());
    let found = findings(verify_any(&with(vm.encode_to_vec())).unwrap_err());
    one(found, "google.protobuf.Any has no field 99");
}

#[test]
fn json_with_any_content_survives_byte_for_byte() {
    let documents = [
        "{}",
        "null",
        " {\n\t\"Owner\" : \"me\" }\r\n",
        r#"{"VirtualMachine":{"Devices":{"Scsi":{"b":{},"a":{"Attachments":{"1":{"Path":"C:\\x"}}}}}},"SchemaVersion":{"Minor":5,"Major":2}}"#,
        r#"{"Unknown":[1.50,1e300,-0,"\u00e9\ud83d\ude80"],"owner":"other case"}"#,
        r#"{"Owner":null,"VirtualMachine":null,"Owner":"twice"}"#,
    ];
    for document in documents {
        let hcs_document = document.as_bytes().to_vec();
        let vm = pb::vm::Payload { hcs_document, ..sample::sandbox().vm };
        same(Kind::Vm, &vm);
        let state: VmState = read(&vm.encode_to_vec()).unwrap();
        assert_eq!(state.hcs_document.unwrap().text(), document);
    }
    for spec in [
        "{}",
        "null",
        r#"{"cwd":"/","args":["sh"],"user":{"uid":1,"gid":2,"umask":18}}"#,
        r#"{"user":null,"cwd":null,"env":[null],"oomScoreAdj":-999,"execCPUAffinity":{"final":"0-3"}}"#,
        r#"{"capabilities":{"bounding":["CAP_OF_TOMORROW"]},"rlimits":[{"type":"RLIMIT_NEW","hard":18446744073709551615}]}"#,
    ] {
        let oci_process_spec_json = spec.as_bytes().to_vec();
        same(Kind::Process, &pb::process::Payload { oci_process_spec_json, ..process("e") });
    }
}

#[test]
fn the_view_of_a_document_agrees_with_go() {
    let hcs_document = br#"{"owner":"x","virtualmachine":{"DEVICES":{"Scsi":{"c":{"attachments":{"0":{"type":"VirtualDisk"}}}}}}}"#;
    let vm = pb::vm::Payload { hcs_document: hcs_document.to_vec(), ..sample::sandbox().vm };
    let state: VmState = read(&vm.encode_to_vec()).unwrap();
    let Go(document) = state.hcs_document.unwrap().get().unwrap();
    assert_eq!(document.owner, "x");
    let scsi = document.virtual_machine.unwrap().devices.unwrap().scsi;
    assert_eq!(scsi["c"].attachments["0"].kind, "VirtualDisk");
}

#[test]
fn json_of_another_shape_is_refused() {
    for json in [
        &b"{"[..],
        b"x",
        b" ",
        b"[]",
        b"1",
        b"true",
        b"\"{}\"",
        b"{}x",
        b"{}{}",
        b"{'a':1}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":01}",
        b"{\"a\":\"\x01\"}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":NaN}",
        b"{\"a\":1,}",
    ] {
        let vm = pb::vm::Payload { hcs_document: json.to_vec(), ..sample::sandbox().vm };
        let found = wrong_payload(Kind::Vm, &vm);
        assert!(found[0].starts_with("hcs_document: "), "{found:#?}");
        let spec = pb::process::Payload { oci_process_spec_json: json.to_vec(), ..process("e") };
        let found = wrong_payload(Kind::Process, &spec);
        assert!(found[0].starts_with("oci_process_spec_json: "), "{found:#?}");
    }
    for spec in [
        r#"{"args":"sh"}"#,
        r#"{"args":[1]}"#,
        r#"{"user":[]}"#,
        r#"{"user":{"uid":-1}}"#,
        r#"{"terminal":1}"#,
    ] {
        let oci_process_spec_json = spec.as_bytes().to_vec();
        let found = wrong_payload(
            Kind::Process,
            &pb::process::Payload { oci_process_spec_json, ..process("e") },
        );
        assert!(
            found[0].starts_with("oci_process_spec_json: is JSON that does not fit the type: "),
            "{found:#?}"
        );
    }
}

#[test]
fn a_network_adapter_has_an_id() {
    let mut network = pb::network::Payload { schema_version: 1, ..Default::default() };
    let endpoint = EndpointBinding { endpoint_id: "e".into(), ..Default::default() };
    network.vm_endpoints.insert("any text \u{1f680}".into(), endpoint);
    same(Kind::Network, &network);
    network.vm_endpoints.insert(String::new(), Default::default());
    one(wrong_payload(Kind::Network, &network), "is empty: a network adapter has an id");
}

#[test]
fn all_problems_of_a_sandbox_are_reported_together() {
    let found = wrong(|sandbox| {
        sandbox.scsi.as_mut().unwrap().num_controllers = 9;
        sandbox.pods[0]
            .network
            .as_mut()
            .unwrap()
            .vm_endpoints
            .insert(String::new(), Default::default());
        let container = &mut sandbox.pods[0].containers[0];
        container.container.scsi_reservation_ids = vec!["x".into(), "y".into()];
        container.processes.get_mut("").unwrap().oci_process_spec_json = b"{".to_vec();
    });
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn a_kind_has_hcsshims_name() {
    for kind in Kind::ALL {
        assert_eq!(kind.to_string().parse::<Kind>().unwrap(), *kind);
    }
    assert_eq!(
        "vpci".parse::<Kind>().unwrap_err().to_string(),
        "\"vpci\" is not a kind of payload: migration, vm, scsi, network, pod, linuxcontainer, process"
    );
}
