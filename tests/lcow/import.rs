//! Sandboxes that an import refuses, regardless of the program that saved them.

use std::sync::Arc;

use futures_executor::block_on;
use snapshot_core::{Code, Controller, Incoming, ReadOptions, Session, Snapshot, Source};
use snapshot_examples::lcow::{
    ContainerStage, DiskStage, FakeHost, NetworkStage, NewContainer, NewPod, ProcessStage, Sandbox,
    Slot, VmStage, sample,
};

use super::fixture::{refused, save, saved, start};

/// Breaks a live sandbox, saves it with the codec, without a freeze that would refuse it, and returns the
/// error of the import.
fn import_refused(break_it: impl FnOnce(&Sandbox), words: &str) {
    let sandbox = start(&FakeHost::new());
    break_it(&sandbox);
    let bytes = snapshot_core::codec::to_bytes(&*sandbox.state()).unwrap();
    let any = prost_types::Any {
        type_url: "type.googleapis.com/lcow.v1.SandboxSnapshot".to_owned(),
        value: bytes,
    };
    let snapshot = Snapshot::from_any(&any).unwrap();
    let error = Incoming::from(snapshot).import::<Sandbox>().unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn references_that_do_not_resolve_are_refused_on_import() {
    let app = |sandbox: &Sandbox| sandbox.container(&"app".into()).unwrap();
    let scsi = |sandbox: &Sandbox| sandbox.vm().unwrap().scsi().unwrap();
    import_refused(
        |s| app(s).state().layers.as_mut().unwrap().ro_layers[1].reservation_id = uuid(7),
        "pods/web/containers/app: lcow.v1.ContainerSnapshot.layers.ro_layers[1].reservation_id: \
         refers to scsi.reservation \"00000000-0000-0000-0000-000000000007\", which is not in vm/scsi: \
         lcow.v1.ScsiSnapshot.reservations",
    );
    import_refused(
        |s| app(s).state().layers.as_mut().unwrap().scratch.as_mut().unwrap().guest_path.push('x'),
        "but the reservation's mount is at",
    );
    import_refused(
        |s| app(s).state().scsi_reservation_ids[0] = uuid(7),
        "scsi_reservation_ids[0]: refers to scsi.reservation",
    );
    import_refused(
        |s| app(s).state().plan9_reservation_ids.push(uuid(7)),
        "plan9_reservation_ids[1]: refers to plan9.reservation",
    );
    import_refused(
        |s| app(s).state().vpci_vmbus_guids.push(uuid(7)),
        "vpci_vmbus_guids[1]: refers to vpci.device",
    );
    import_refused(|s| s.vm().unwrap().state().gcs_next_port = 0x4000_0001, "stdout_port");
    import_refused(|s| s.vm().unwrap().state().bridge_next_id = 2, "wait_call_id");
    import_refused(
        |s| app(s).state().container_id = "web".into(),
        "pods/web/containers/web: 2 controllers have this id",
    );
    import_refused(
        |s| {
            let pod = s.new_pod(NewPod { id: "p2".into(), ..NewPod::default() }).unwrap();
            pod.state().pod_id = "web".into();
        },
        "pods/web: 2 controllers have this id",
    );
    import_refused(
        |s| drop(scsi(s).state().disks.remove(&Slot::new(0, 1).unwrap())),
        "slot: refers to scsi.disk \"1\", which is not in lcow.v1.ScsiSnapshot.disks",
    );
    import_refused(
        |s| {
            let scsi = scsi(s);
            let mut state = scsi.state();
            let id = *state.reservations.keys().next().unwrap();
            state.reservations.get_mut(&id).unwrap().partition = u64::MAX;
        },
        "has no mount of partition 18446744073709551615",
    );
    import_refused(
        |s| {
            let scsi = scsi(s);
            let slot = Slot::new(0, 1).unwrap();
            scsi.state().disks.get_mut(&slot).unwrap().mounts.get_mut(&0).unwrap().ref_count = 9;
        },
        "is 9, but 1 reservations hold the mount",
    );
    import_refused(|s| scsi(s).state().num_controllers = 0, "is beyond the last slot");
    import_refused(
        |s| {
            scsi(s).state().disks.get_mut(&Slot::new(0, 1).unwrap()).unwrap().stage =
                DiskStage::Ejected
        },
        "is Ejected",
    );
}

/// Adds an empty pod.
fn second_pod(sandbox: &Sandbox) -> Arc<snapshot_examples::lcow::Pod> {
    sandbox.new_pod(NewPod { id: "p2".into(), ..NewPod::default() }).unwrap()
}

#[test]
fn a_container_in_two_pods_is_refused_on_import_and_names_both() {
    import_refused(
        |s| {
            let twin = NewContainer { id: "new".into(), ..NewContainer::default() };
            second_pod(s);
            let twin = s.new_container(&"p2".into(), twin).unwrap();
            twin.create().unwrap();
            twin.start().unwrap();
            twin.state().container_id = "app".into();
        },
        "pods/p2/containers/app: lcow.v1.ContainerSnapshot.container_id: defines container \
         \"app\", which pods/web/containers/app: lcow.v1.ContainerSnapshot.container_id already \
         defines",
    );
}

#[test]
fn a_share_that_is_held_but_not_there_is_refused_on_import() {
    import_refused(
        |s| {
            let plan9 = s.vm().unwrap().plan9().unwrap();
            let mut state = plan9.state();
            let share = state.shares.remove(std::path::Path::new("/shared")).unwrap();
            state.shares.insert("/other".into(), share);
        },
        "refers to plan9.share \"/shared\", which is not in lcow.v1.Plan9Snapshot.shares",
    );
}

#[test]
fn a_resource_with_two_holders_is_refused_on_import() {
    let app = |sandbox: &Sandbox| sandbox.container(&"app".into()).unwrap();
    import_refused(
        |s| {
            let app = app(s);
            let mut state = app.state();
            let channel = state.vpci_vmbus_guids[0];
            state.vpci_vmbus_guids.push(channel);
        },
        "vpci_vmbus_guids[1]: ",
    );
    import_refused(
        |s| {
            let app = app(s);
            let mut state = app.state();
            let id = state.plan9_reservation_ids[0];
            state.plan9_reservation_ids.push(id);
        },
        "plan9_reservation_ids[1]: ",
    );
}

#[test]
fn a_state_that_a_destination_would_refuse_is_not_saved_and_the_source_continues() {
    let source = start(&FakeHost::new());
    let app = source.container(&"app".into()).unwrap();
    let before = saved(&source);
    app.state().scsi_reservation_ids.push(uuid(7));
    let words = "scsi_reservation_ids[1]: refers to scsi.reservation";
    let manifest = snapshot_core::registry::registry().unwrap().manifest();
    refused(Source::new(&source).preflight(&manifest), Code::InvalidArgument, words);
    block_on(async {
        let frozen = Source::new(&source).freeze(&Session::new()).await.unwrap();
        refused(frozen.save(), Code::InvalidArgument, words);
        frozen.rollback().await.unwrap();
    });
    app.state().scsi_reservation_ids.pop();
    assert_eq!(saved(&source), before);
    save(&source);

    let id = app.state().plan9_reservation_ids[0];
    app.state().plan9_reservation_ids.push(id);
    let failure = block_on(Source::new(&source).freeze(&Session::new())).unwrap_err();
    assert!(failure.to_string().contains("occurs twice"), "{failure}");
    app.state().plan9_reservation_ids.pop();
    save(&source);
}

#[test]
fn the_lists_of_a_container_keep_their_order() {
    use snapshot_examples::lcow::ContainerState;
    let ids = [uuid(9), uuid(1), uuid(5)].map(|id| id.to_string()).to_vec();
    let payload = snapshot_proto::lcow::v1::ContainerSnapshot {
        schema_version: 1,
        container_id: "c".into(),
        scsi_reservation_ids: ids.clone(),
        plan9_reservation_ids: ids.clone(),
        vpci_vmbus_guids: ids,
        ..Default::default()
    };
    let bytes = prost::Message::encode_to_vec(&payload);
    let state: ContainerState = snapshot_core::codec::from_bytes(&bytes).unwrap();
    assert_eq!(snapshot_core::codec::to_bytes(&state).unwrap(), bytes);
}

fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

#[test]
fn stages_that_cannot_move_are_refused_on_import() {
    let web = |sandbox: &Sandbox| sandbox.container(&"web".into()).unwrap();
    import_refused(|s| web(s).state().stage = ContainerStage::Migrating, "Migrating");
    import_refused(|s| s.vm().unwrap().state().stage = VmStage::Migrating, "Migrating");
    import_refused(|s| s.vm().unwrap().state().stage = VmStage::Created, "Created");
    import_refused(
        |s| s.pods()[0].network().unwrap().state().stage = NetworkStage::TornDown,
        "TornDown",
    );
    import_refused(|s| web(s).init().unwrap().state().stage = ProcessStage::Created, "Created");
}

#[test]
fn a_number_of_controllers_that_no_vm_has_is_refused_without_allocating() {
    // schema_version 1, num_controllers 4294967295.
    let payload = b"\x08\x01\x10\xff\xff\xff\xff\x0f";
    let error = snapshot_core::codec::from_bytes::<snapshot_examples::lcow::ScsiState>(payload)
        .unwrap_err();
    assert!(error.to_string().contains("num_controllers"), "{error}");
    let five =
        snapshot_core::codec::from_bytes::<snapshot_examples::lcow::ScsiState>(b"\x08\x01\x10\x05");
    refused(five, Code::InvalidArgument, "num_controllers");
}

#[test]
fn a_sandbox_takes_half_of_the_memory_that_the_default_allows_per_byte() {
    // Without the constant part of the default, which would suffice for a small one.
    for containers in [1, 30, 300] {
        let sandbox = sample::sandbox(containers).unwrap();
        let snapshot = save(&sandbox);
        let length = snapshot.payload().len();
        let per_byte = (ReadOptions::default_memory(length) - ReadOptions::default_memory(0)) / 2;
        let read = |memory: u64| {
            let options = ReadOptions::new().memory(memory);
            Incoming::from(options.from_bytes(snapshot.clone()).unwrap()).check::<Sandbox>()
        };
        read(per_byte).unwrap();
        // The budget is not zero either.
        assert_eq!(read(length as u64 / 2).unwrap_err().code(), Code::ResourceExhausted);
    }
}
