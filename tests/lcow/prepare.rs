//! Rehearsed migrations: the destination prepares its host while the source runs.

use std::sync::Arc;

use futures_executor::block_on;
use snapshot_core::{Code, Controller, Incoming, Prepared, Session, Source};
use snapshot_examples::lcow::host::{Exit, ProcessKey};
use snapshot_examples::lcow::{
    ContainerId, ContainerPlan, DiskConfig, ExecId, FakeHost, NewContainer, PatchPlan, Placement,
    Sandbox, World,
};

use super::fixture::{plan, refused, save, saved, session, start};

/// Plans the resources that the plan of the fixture does not name.
#[derive(Debug)]
struct Others;

impl Placement for Others {
    fn container(
        &self,
        source: &ContainerId,
    ) -> Result<Option<ContainerPlan>, snapshot_core::Error> {
        let id = format!("{source}-2");
        let bundle = format!("/bundles-2/{source}").into();
        Ok(Some(ContainerPlan { id: id.into(), bundle, ..ContainerPlan::default() }))
    }
}

fn theirs(host: &Arc<FakeHost>) -> Session {
    session(host, plan().with_placement(Arc::new(Others)))
}

/// The source as it is now, while it runs.
fn rehearsal(source: &Arc<Sandbox>) -> Incoming {
    let manifest = snapshot_core::registry::registry().unwrap().manifest();
    Incoming::from(Source::new(source).rehearse(&manifest).unwrap())
}

fn prepare(source: &Arc<Sandbox>, session: &Session) -> Prepared<Sandbox> {
    block_on(rehearsal(source).import::<Sandbox>().unwrap().prepare(session)).unwrap()
}

fn finish(prepared: Prepared<Sandbox>, source: &Arc<Sandbox>, session: &Session) -> Arc<Sandbox> {
    let patched = block_on(prepared.patch(Incoming::from(save(source)), session)).unwrap();
    block_on(patched.resume(session)).unwrap()
}

/// How often each of these operations was called.
fn count(host: &FakeHost, operations: &[&str]) -> Vec<usize> {
    let calls = host.calls();
    let of = |operation: &str| {
        calls.iter().filter(|call| call.split(' ').next() == Some(operation)).count()
    };
    operations.iter().map(|operation| of(operation)).collect()
}

/// Starts a container with a disk of its own.
fn add(source: &Sandbox, id: &str) {
    let new = NewContainer {
        id: id.into(),
        gcs_id: id.into(),
        ro_layers: vec![DiskConfig::image(format!("/layers/{id}.vhd"), true)],
        ..NewContainer::default()
    };
    let container = source.new_container(&"web".into(), new).unwrap();
    container.create().unwrap();
    container.start().unwrap();
}

/// Ends a container and deletes it.
fn remove(source: &Sandbox, host: &FakeHost, id: &str) {
    let container = source.container(&id.into()).unwrap();
    let (vm, gcs_id, exec) = (source.vm().unwrap().id(), container.gcs_id(), ExecId::default());
    let key = ProcessKey { vm: &vm, container: &gcs_id, exec: &exec };
    assert!(host.exit(key, Exit { code: 0, at: std::time::SystemTime::UNIX_EPOCH }));
    source.pods()[0].delete_container(&id.into()).unwrap();
}

#[test]
fn everything_that_can_be_opened_is_opened_at_the_rehearsal() {
    let (here, there) = (FakeHost::new(), FakeHost::new());
    let source = start(&here);
    let (before, world) = (saved(&source), here.world());
    let session = theirs(&there);
    let prepared = prepare(&source, &session);
    let opened = ["adopt_process", "prepare_disk", "grant_access"];
    // Two processes; the three layers and the data disk. The boot disk is not in the plan.
    assert_eq!(count(&there, &opened), [2, 4, 4]);
    assert_eq!(count(&there, &["create_vm", "resume_process"]), [0, 0]);
    assert_eq!((saved(&source), here.world()), (before, world), "the source is as it was");

    there.clear_calls();
    let live = finish(prepared, &source, &session);
    assert_eq!(count(&there, &opened), [0, 0, 1], "the boot disk is left for the resume");
    let rehearsed = there.world();
    assert!(rehearsed.prepared_disks.is_empty());
    assert_eq!(live.vm().unwrap().id().as_str(), "sandbox-2@vm");
    let app = live.container(&"app-2".into()).unwrap().init().unwrap();
    assert_eq!(app.io().stdout.unwrap().to_str(), Some("/io-2/app"));

    // The same as without a rehearsal, but for the new ids of the adapters.
    let cold = FakeHost::new();
    super::fixture::restore(save(&source), &theirs(&cold)).unwrap();
    let mut worlds = [rehearsed, cold.world()];
    for world in &mut worlds {
        for vm in world.vms.values_mut() {
            vm.nics = Default::default();
        }
    }
    assert_eq!(worlds[0], worlds[1]);
}

#[test]
fn a_further_rehearsal_opens_nothing_twice() {
    let (here, there) = (FakeHost::new(), FakeHost::new());
    let source = start(&here);
    let mut prepared = prepare(&source, &theirs(&there));
    let world = there.world();
    there.clear_calls();
    for _ in 0..3 {
        prepared = block_on(prepared.prepare_again(rehearsal(&source), &theirs(&there))).unwrap();
    }
    let opened = ["adopt_process", "prepare_disk", "grant_access", "release_process"];
    assert_eq!(count(&there, &opened), [0; 4]);
    assert_eq!(there.world(), world);
    block_on(prepared.abort()).unwrap();
    assert_eq!(there.world(), World::default());
}

#[test]
fn containers_that_come_and_go_after_the_rehearsal_do_so_at_the_destination() {
    for again in [false, true] {
        let (here, there) = (FakeHost::new(), FakeHost::new());
        let source = start(&here);
        add(&source, "old");
        let session = theirs(&there);
        let mut prepared = prepare(&source, &session);
        assert!(there.world().open_io.iter().any(|process| process.contains("/old/")));
        remove(&source, &here, "old");
        add(&source, "new");
        if again {
            let later = rehearsal(&source);
            prepared = block_on(prepared.prepare_again(later, &session)).unwrap();
            let open_io = there.world().open_io;
            assert!(!open_io.iter().any(|process| process.contains("/old/")), "{open_io:?}");
            assert!(open_io.iter().any(|process| process.contains("/new/")), "{open_io:?}");
        }
        let live = finish(prepared, &source, &session);
        let pod = live.pod(&"web-2".into()).unwrap();
        let ids: Vec<_> = pod.containers().iter().map(|c| c.id().to_string()).collect();
        assert_eq!(ids, ["app-2", "new-2", "web-2"]);
        let world = there.world();
        assert_eq!(world.open_io.len(), 3, "{:?}", world.open_io);
        let disks = &world.vms[&"sandbox-2@vm".into()].disks;
        let has = |name: &str| disks.values().any(|path| path.ends_with(name));
        assert!(has("new.vhd") && !has("old.vhd"), "{disks:?}");
        let access: Vec<_> = world.access.iter().map(|(_, path)| path.clone()).collect();
        assert_eq!(access.len(), disks.len(), "{access:?}");
        assert!(world.prepared_disks.is_empty());
    }
}

#[test]
fn a_process_that_was_replaced_under_its_id_is_adopted_anew() {
    let (here, there) = (FakeHost::new(), FakeHost::new());
    let source = start(&here);
    add(&source, "again");
    let session = theirs(&there);
    let prepared = prepare(&source, &session);
    remove(&source, &here, "again");
    add(&source, "again");
    there.clear_calls();
    let live = finish(prepared, &source, &session);
    assert_eq!(count(&there, &["release_process", "adopt_process"]), [1, 1]);
    let pid = |sandbox: &Sandbox, id: &str| {
        sandbox.container(&id.into()).unwrap().init().unwrap().pid().unwrap()
    };
    assert_eq!(pid(&live, "again-2"), pid(&source, "again"));
}

#[test]
fn a_rehearsed_migration_that_fails_at_any_call_leaves_the_destination_as_it_was() {
    let whole = |host: &Arc<FakeHost>| {
        let source = start(&FakeHost::new());
        let session = theirs(host);
        let imported = rehearsal(&source).import::<Sandbox>().unwrap();
        let prepared = block_on(imported.prepare(&session))?;
        add(&source, "late");
        let last = Incoming::from(save(&source));
        let patched = block_on(prepared.patch(last, &session))?;
        block_on(patched.resume(&session))
    };
    let counting = FakeHost::new();
    whole(&counting).unwrap();
    let calls = counting.calls();
    let mut tried = 0;
    let mut operations: Vec<_> =
        calls.iter().map(|call| call.split(' ').next().unwrap().to_owned()).collect();
    operations.sort_unstable();
    operations.dedup();
    for operation in operations {
        for nth in 1..=count(&counting, &[&operation])[0] {
            let host = FakeHost::new();
            host.fail(&operation, nth);
            let failure = whole(&host).unwrap_err();
            assert!(failure.undo_error().is_none(), "{operation}, call {nth}: {failure:?}");
            refused::<()>(Err(failure.into_error()), Code::Internal, "configured to fail");
            assert_eq!(host.world(), World::default(), "{operation}, call {nth}");
            tried += 1;
        }
    }
    assert_eq!(tried, calls.len());
    assert!(tried >= 25, "{calls:?}");
}

#[test]
fn a_plan_that_does_not_fit_is_refused_at_the_rehearsal() {
    let source = start(&FakeHost::new());
    let host = FakeHost::new();
    let refuses = |plan: PatchPlan, words: &str| {
        let imported = rehearsal(&source).import::<Sandbox>().unwrap();
        let result = block_on(imported.prepare(&session(&host, plan)));
        let result = result.map_err(snapshot_core::Failure::into_error);
        refused(result, Code::InvalidArgument, words);
        assert_eq!(host.world(), World::default());
    };
    let mut without_app = plan();
    without_app.containers.remove(&"app".into());
    refuses(without_app, "has no entry for container app");
    let mut without_namespace = plan();
    without_namespace.pods.get_mut(&"web".into()).unwrap().namespace = None;
    refuses(without_namespace, "no network namespace");
    let mut short = plan();
    let app = short.containers.get_mut(&"app".into()).unwrap();
    app.layers.as_mut().unwrap().read_only.pop();
    refuses(short, "has 2 read-only layers and 1 scratch");
}

#[test]
fn the_vm_has_one_id_in_all_plans_of_a_migration() {
    let source = start(&FakeHost::new());
    let host = FakeHost::new();
    let prepared = prepare(&source, &session(&host, plan()));
    let mut other = plan();
    other.vm = Some("another@vm".into());
    let later = block_on(prepared.prepare_again(rehearsal(&source), &session(&host, other)));
    let result = later.map_err(snapshot_core::Failure::into_error);
    refused(result, Code::FailedPrecondition, "is prepared for VM sandbox-2@vm");
    assert_eq!(host.world(), World::default());
}

#[test]
fn a_later_state_is_checked_as_an_import_is() {
    let here = FakeHost::new();
    let source = start(&here);
    let host = FakeHost::new();
    let prepared = prepare(&source, &theirs(&host));
    source.vm().unwrap().scsi().unwrap().state().num_controllers = 0;
    let last = Incoming::from(
        snapshot_core::Snapshot::from_any(&prost_types::Any {
            type_url: <snapshot_examples::lcow::SandboxState as snapshot_core::Payload>::TYPE_URL
                .to_owned(),
            value: saved(&source),
        })
        .unwrap(),
    );
    let result = block_on(prepared.patch(last, &theirs(&host)));
    let result = result.map_err(snapshot_core::Failure::into_error);
    refused(result, Code::InvalidArgument, "is beyond the last slot");
    assert_eq!(host.world(), World::default());
}
