//! The payloads by kind, as tools read them: alone, in an `Any`, and as a whole sandbox with its
//! references.

use futures_executor::block_on;
use prost::Message;
use prost_types::Any;
use snapshot_core::codec::split_any;
use snapshot_core::{Code, Error, Session, Source};
use snapshot_examples::lcow::payload::{Kind, verify, verify_any};
use snapshot_examples::lcow::sample;
use snapshot_proto::lcow::v1::{
    ContainerSnapshot, Plan9Snapshot, PodSnapshot, ProcessSnapshot, SandboxSnapshot, ScsiSnapshot,
    VmSnapshot, container_snapshot,
};

/// The separate payloads of a sandbox with two containers.
struct Parts {
    sandbox: SandboxSnapshot,
    vm: VmSnapshot,
    scsi: ScsiSnapshot,
    plan9: Plan9Snapshot,
    pod: PodSnapshot,
    container: ContainerSnapshot,
    process: ProcessSnapshot,
}

fn saved() -> Vec<u8> {
    let sandbox = sample::sandbox(2).unwrap();
    block_on(async {
        let frozen = Source::new(&sandbox).freeze(&Session::new()).await.unwrap();
        let bytes = frozen.save().unwrap().payload().to_vec();
        frozen.rollback().await.unwrap();
        bytes
    })
}

fn parts() -> Parts {
    let sandbox = SandboxSnapshot::decode(&*saved()).unwrap();
    let vm = VmSnapshot::decode(&*sandbox.vm.as_ref().unwrap().value).unwrap();
    let pod = PodSnapshot::decode(&*sandbox.pods[0].value).unwrap();
    let container = ContainerSnapshot::decode(&*pod.containers[1].value).unwrap();
    Parts {
        scsi: ScsiSnapshot::decode(&*vm.scsi.as_ref().unwrap().value).unwrap(),
        plan9: Plan9Snapshot { schema_version: 1, ..Default::default() },
        process: ProcessSnapshot::decode(&*container.processes[""].value).unwrap(),
        sandbox,
        vm,
        pod,
        container,
    }
}

fn any(kind: Kind, message: &impl Message) -> Any {
    Any { type_url: kind.type_url().to_owned(), value: message.encode_to_vec() }
}

impl Parts {
    /// The sandbox of these payloads.
    fn whole(mut self) -> Vec<u8> {
        let process = any(Kind::Process, &self.process);
        self.container.processes.insert(String::new(), process);
        self.pod.containers[1] = any(Kind::LinuxContainer, &self.container);
        self.vm.scsi = Some(any(Kind::Scsi, &self.scsi));
        self.vm.plan9 = Some(any(Kind::Plan9, &self.plan9));
        self.sandbox.vm = Some(any(Kind::Vm, &self.vm));
        self.sandbox.pods[0] = any(Kind::Pod, &self.pod);
        self.sandbox.encode_to_vec()
    }
}

#[track_caller]
fn wrong(change: impl FnOnce(&mut Parts), words: &[&str]) {
    let mut parts = parts();
    change(&mut parts);
    let bytes = parts.whole();
    let error = verify(Kind::Sandbox, &bytes).unwrap_err().to_string();
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
    let any = Any { type_url: Kind::Sandbox.type_url().to_owned(), value: bytes };
    let of_any = verify_any(&any.encode_to_vec()).unwrap_err().to_string();
    assert!(words.iter().all(|word| of_any.contains(word)), "{of_any}");
}

#[test]
fn a_payload_of_any_kind_comes_back_unchanged_alone_and_in_an_any() {
    let Parts { sandbox, vm, scsi, plan9, pod, container, process } = parts();
    let mut payloads = vec![
        (Kind::Sandbox, sandbox.encode_to_vec()),
        (Kind::Vm, vm.encode_to_vec()),
        (Kind::Scsi, scsi.encode_to_vec()),
        (Kind::Plan9, plan9.encode_to_vec()),
        (Kind::Pod, pod.encode_to_vec()),
        (Kind::LinuxContainer, container.encode_to_vec()),
        (Kind::Process, process.encode_to_vec()),
        (Kind::Vpci, b"\x08\x01".to_vec()),
    ];
    payloads.push((Kind::Network, pod.network.unwrap().value));
    assert_eq!(payloads.len(), Kind::ALL.len());
    for (kind, bytes) in payloads {
        // prost does not write a map's default key and value; the codec does.
        let bytes = verify(kind, &bytes).unwrap();
        assert_eq!(verify(kind, &bytes).unwrap(), bytes, "{kind}");
        let any = Any { type_url: kind.type_url().to_owned(), value: bytes };
        let bytes = any.encode_to_vec();
        assert_eq!(Kind::of_any(&bytes).unwrap(), kind);
        assert_eq!(verify_any(&bytes).unwrap(), bytes, "{kind}");
        assert_eq!(split_any(&bytes).unwrap().0, kind.type_url());
        assert_eq!(kind.to_string().parse::<Kind>().unwrap(), kind);
    }
    let saved = saved();
    assert_eq!(verify(Kind::Sandbox, &saved).unwrap(), saved);
}

#[test]
fn a_type_url_of_no_kind_is_refused() {
    for url in ["", "type.googleapis.com/lcow.v1.Nothing", "lcow.v1.VmSnapshot"] {
        let any = Any { type_url: url.to_owned(), value: b"\x08\x01".to_vec() };
        let error: Error = verify_any(&any.encode_to_vec()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().starts_with("has "), "{error}");
    }
    let error = "migration".parse::<Kind>().unwrap_err().to_string();
    assert!(error.starts_with("\"migration\" is not a kind of payload: sandbox, vm"), "{error}");
}

#[test]
fn a_container_or_process_can_only_name_existing_parts_of_the_vm() {
    let id = "00000000-0000-0000-0000-00000000000a";
    let at = "scsi_reservation_ids[0]";
    wrong(|parts| parts.container.scsi_reservation_ids = vec![id.into()], &[at, id]);
    let at = "plan9_reservation_ids[0]";
    wrong(|parts| parts.container.plan9_reservation_ids = vec![id.into()], &[at, id]);
    let at = "vpci_vmbus_guids[0]";
    wrong(|parts| parts.container.vpci_vmbus_guids = vec![id.into()], &[at, id]);
    wrong(|parts| parts.process.stdout_port = u32::MAX, &["stdout_port", "is 4294967295"]);
    wrong(|parts| parts.process.wait_call_id = i64::MAX, &["wait_call_id", "bridge"]);
}

#[test]
fn a_reservation_can_only_name_existing_parts_of_its_device() {
    wrong(
        |parts| drop(parts.scsi.disks.pop_last()),
        &["vm/scsi", "reservations", "refers to scsi.disk"],
    );
    wrong(|parts| parts.scsi.num_controllers = 0, &["scsi", "disks", "is beyond the last slot"]);
    let held_once_more = |parts: &mut Parts| {
        let mount = parts.scsi.disks.values_mut().find_map(|disk| disk.mounts.values_mut().next());
        mount.unwrap().ref_count += 1;
    };
    wrong(held_once_more, &["scsi", "ref_count", "1 reservations hold the mount"]);
    let reservation = ("00000000-0000-0000-0000-00000000000b".into(), "/shared".into());
    wrong(
        |parts| parts.plan9.reservations.extend([reservation]),
        &["vm/plan9", "refers to plan9.share"],
    );
}

#[test]
fn a_duplicate_id_or_an_id_under_another_name_is_refused() {
    wrong(|parts| parts.sandbox.pods.push(parts.sandbox.pods[0].clone()), &["pod_id", "already"]);
    wrong(
        |parts| parts.pod.containers.push(parts.pod.containers[0].clone()),
        &["container_id", "already"],
    );
    wrong(|parts| parts.process.exec_id = "other".into(), &["processes", "other"]);
}

#[test]
fn a_payload_is_read_in_every_saved_stage() {
    let mut parts = parts();
    parts.container.state = container_snapshot::Stage::Stopped.into();
    let bytes = parts.whole();
    assert!(verify(Kind::Sandbox, &bytes).is_ok());
}
