//! Plans that do not match the sandbox, and the errors of the patch.

use snapshot_core::Code;
use snapshot_examples::lcow::{
    ContainerPlan, DiskConfig, FakeHost, LayerPaths, NewContainer, PatchPlan, World,
};

use super::fixture::{plan, refused, restore, save, session, start};

/// Changes the plan and returns the error of the patch.
fn patch_refused(change: impl FnOnce(&mut PatchPlan), words: &str) {
    let snapshot = save(&start(&FakeHost::new()));
    let host = FakeHost::new();
    let mut plan = plan();
    change(&mut plan);
    refused(restore(snapshot, &session(&host, plan)), Code::InvalidArgument, words);
    assert_eq!(host.world(), World::default());
}

#[test]
fn a_plan_that_does_not_fit_is_refused() {
    patch_refused(|plan| plan.pods.clear(), "has no entry for pod web");
    patch_refused(|plan| plan.containers.clear(), "has no entry for container app");
    patch_refused(
        |plan| plan.containers.get_mut(&"app".into()).unwrap().id = "web-2".into(),
        "two containers the id web-2",
    );
    patch_refused(
        |plan| plan.containers.get_mut(&"web".into()).unwrap().id = "other".into(),
        "has its pod's id",
    );
    patch_refused(
        |plan| plan.pods.get_mut(&"web".into()).unwrap().namespace = None,
        "no network namespace",
    );
    patch_refused(
        |plan| plan.pods.get_mut(&"web".into()).unwrap().namespace = Some("".into()),
        "no network namespace",
    );
    let layers = |plan: &mut PatchPlan| {
        plan.containers.get_mut(&"app".into()).unwrap().layers.as_mut().unwrap().read_only.pop()
    };
    patch_refused(|plan| drop(layers(plan)), "has 2 read-only layers and 1 scratch");
    patch_refused(
        |plan| {
            plan.containers.get_mut(&"web".into()).unwrap().layers = Some(LayerPaths::default());
        },
        "but the container has none",
    );
}

#[test]
fn an_empty_id_in_a_plan_is_refused() {
    patch_refused(|plan| plan.vm = Some("".into()), "gives the VM an empty id");
    patch_refused(
        |plan| plan.pods.get_mut(&"web".into()).unwrap().id = "".into(),
        "gives pod web an empty id",
    );
    patch_refused(
        |plan| plan.containers.get_mut(&"app".into()).unwrap().id = "".into(),
        "gives container app an empty id",
    );
}

#[test]
fn a_disk_that_two_containers_place_in_two_files_is_refused() {
    let source = start(&FakeHost::new());
    let mut new = NewContainer { id: "app2".into(), gcs_id: "app2".into(), ..Default::default() };
    new.ro_layers = vec![DiskConfig::image("/layers/1.vhd", true)];
    let container = source.new_container(&"web".into(), new).unwrap();
    container.create().unwrap();
    container.start().unwrap();
    let snapshot = save(&source);
    let mut plan = plan();
    let mut app2 = ContainerPlan { id: "app2-2".into(), ..ContainerPlan::default() };
    let layers = |path: &str| Some(LayerPaths { read_only: vec![path.into()], scratch: None });
    app2.layers = layers("/elsewhere/1.vhd");
    plan.containers.insert("app2".into(), app2.clone());
    let host = FakeHost::new();
    let result = restore(snapshot.clone(), &session(&host, plan.clone()));
    refused(result, Code::InvalidArgument, "give it one path");
    assert_eq!(host.world(), World::default());
    app2.layers = layers("/images/1.vhd");
    plan.containers.insert("app2".into(), app2);
    restore(snapshot, &session(&host, plan)).unwrap();
}

#[test]
fn a_terminal_with_a_standard_error_is_refused() {
    let snapshot = save(&start(&FakeHost::new()));
    let mut plan = plan();
    let io = &mut plan.containers.get_mut(&"app".into()).unwrap().io;
    io.terminal = true;
    io.stderr = Some("/io/stderr".into());
    let host = FakeHost::new();
    let result = restore(snapshot, &session(&host, plan));
    refused(result, Code::FailedPrecondition, "has one output");
    assert_eq!(host.world(), World::default());
}
