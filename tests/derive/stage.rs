//! `stage` enums, and the stage rules of structs.

use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::testing::contract;
use snapshot_core::{Code, Payload, Snapshot, Stage as _};
use snapshot_proto::fixture::v1 as pb;
use snapshot_proto::lcow::v1::scsi_snapshot as scsi;

use super::{assert_saved_as, assert_saved_as_but, encoded, refusal};

#[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]
#[snapshot(stage = pb::counter_snapshot::Stage)]
enum Stage {
    #[default]
    Idle,
    #[snapshot(transient)]
    Frozen = 17,
    #[snapshot(rename = Counting)]
    Running = 1,
    Done,
    #[snapshot(transient)]
    Imported = -1,
}

#[test]
fn a_stage_knows_its_variants_and_numbers() {
    let variants: Vec<_> =
        Stage::VARIANTS.iter().map(|v| (v.name, v.number, v.transient)).collect();
    assert_eq!(
        variants,
        [
            ("Idle", 0, false),
            ("Frozen", 17, true),
            ("Running", 1, false),
            ("Done", 2, false),
            ("Imported", -1, true),
        ]
    );
    for variant in Stage::VARIANTS {
        assert_eq!(Stage::from_number(variant.number).unwrap().number(), variant.number);
    }
    assert_eq!(Stage::from_number(3), None);
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(
    message = pb::CounterSnapshot,
    version = 2,
    save_from(Running, Done),
    freeze_to = Frozen,
    import_as = Imported,
    abort_to = Done
)]
struct Counter {
    value: u64,
    label: String,
    #[snapshot(stage)]
    stage: Stage,
}

fn counter(stage: Stage) -> Counter {
    Counter { value: 1, label: "l".into(), stage }
}

fn message(stage: i32) -> pb::CounterSnapshot {
    pb::CounterSnapshot { schema_version: 2, value: 1, label: "l".into(), stage }
}

#[test]
fn the_rules_are_the_discriminants_of_the_named_stages() {
    let rules = Counter::STAGE_RULES.unwrap();
    assert_eq!(rules.save_from, [1, 2]);
    assert_eq!((rules.freeze_to, rules.import_as, rules.abort_to), (Some(17), Some(-1), Some(2)));
    assert!(rules.carried);
    assert_eq!(rules.variants, Stage::VARIANTS);
}

#[test]
fn the_stage_is_read_and_set_by_its_number() {
    let mut state = counter(Stage::Running);
    assert_eq!(state.stage_number(), Some(1));
    state.set_stage_number(17).unwrap();
    assert_eq!(state.stage, Stage::Frozen);
    let error = state.set_stage_number(99).unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert_eq!(state.stage, Stage::Frozen);
}

#[test]
fn an_allowed_stage_is_restored() {
    assert_saved_as(&counter(Stage::Running), &message(1));
    assert_saved_as(&counter(Stage::Done), &message(2));
}

/// The orchestrator checks `save_from` before the freeze and on import. The codec alone reads a payload in
/// any stage.
#[test]
fn a_payload_in_another_stage_can_be_looked_at() {
    assert_saved_as(&counter(Stage::Idle), &message(0));
    let error = to_bytes(&counter(Stage::Frozen)).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(error.to_string(), "stage: is Frozen, a transient stage, which cannot be saved");
    let rules = Counter::STAGE_RULES.unwrap();
    let error = rules.check(counter(Stage::Idle).stage_number()).unwrap_err();
    assert_eq!(error.to_string(), "is in stage Idle, but can be saved only in Running or Done");
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = scsi::DiskState, save_from(Attached), ignore(config, mounts))]
struct AttachedDisk {
    #[snapshot(stage, field = state)]
    stage: DiskStage,
}

#[test]
fn a_struct_without_a_version_is_neither_saved_nor_restored_in_another_stage() {
    let disk = |stage: i32| scsi::DiskState { state: stage, ..Default::default() };
    assert_saved_as_but(&AttachedDisk { stage: DiskStage::Attached }, &disk(1), &["state"]);
    let error = to_bytes(&AttachedDisk { stage: DiskStage::Reserved }).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(error.to_string(), "state: is Reserved, but can be saved only in Attached");
    assert_eq!(
        refusal::<AttachedDisk>(&disk(2)),
        "state: is Ejected, but this build saves and restores only Attached (byte 0 of 2)"
    );
}

#[test]
fn the_number_of_a_transient_stage_is_refused_on_the_wire() {
    for number in [17, -1, 3, i32::MAX, i32::MIN] {
        let error = refusal::<Counter>(&message(number));
        let expected = format!(
            "stage: {number} is not a value of Stage, which has Idle (0), Running (1), Done (2)"
        );
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 2)]
struct AnyStage {
    value: u64,
    label: String,
    #[snapshot(stage)]
    stage: Stage,
}

#[test]
fn without_rules_every_stage_except_transient_ones_can_be_saved() {
    for number in [0, 1, 2] {
        let state = AnyStage::try_from(message(number)).unwrap();
        assert_saved_as(&state, &message(number));
    }
    let state = AnyStage { value: 0, label: String::new(), stage: Stage::Frozen };
    let error = to_bytes(&state).unwrap_err().to_string();
    assert_eq!(error, "stage: is Frozen, a transient stage, which cannot be saved");
    assert!(AnyStage::STAGE_RULES.unwrap().save_from.is_empty());
}

/// A stage without `stage` has no rules, but a transient variant still has no number on the wire.
#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 2)]
struct Unmarked {
    value: u64,
    label: String,
    stage: Stage,
}

#[test]
fn a_transient_stage_is_never_saved() {
    let state = Unmarked { value: 0, label: String::new(), stage: Stage::Frozen };
    let error = to_bytes(&state).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(error.to_string(), "stage: is Frozen, a transient stage, which cannot be saved");
    assert_eq!(state.stage_number(), None);
    assert!(Unmarked::STAGE_RULES.is_none());
    contract([Unmarked { stage: Stage::Done, ..state }]);
}

/// The stage is not on the wire, so it can only be the stage in `save_from`.
#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = scsi::Reservation, save_from(Attached), live = Attached)]
struct NotCarried {
    slot: u32,
    partition: u64,
    #[snapshot(stage, skip)]
    stage: DiskStage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]
#[snapshot(stage = scsi::DiskStage)]
enum DiskStage {
    #[default]
    Reserved,
    Attached,
    Ejected,
    Detached,
}

#[test]
fn a_stage_that_is_not_saved_is_restored_as_the_only_allowed_stage() {
    let state = NotCarried { slot: 1, partition: 2, stage: DiskStage::Attached };
    assert_saved_as(&state, &scsi::Reservation { slot: 1, partition: 2 });
    let reserved = NotCarried { stage: DiskStage::Reserved, ..state };
    let error = to_bytes(&reserved).unwrap_err().to_string();
    assert_eq!(error, "stage: is Reserved, but can be saved only in Attached");
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, save_from(Running), ignore(stage))]
struct PayloadNotCarried {
    value: u64,
    label: String,
    #[snapshot(stage, skip)]
    progress: Stage,
}

#[test]
fn a_payload_says_that_its_stage_is_not_carried() {
    let rules = PayloadNotCarried::STAGE_RULES.unwrap();
    assert!(!rules.carried);
    assert_eq!(rules.save_from, [1]);
    let state: PayloadNotCarried =
        from_bytes(&encoded(&pb::CounterSnapshot { schema_version: 1, ..Default::default() }))
            .unwrap();
    assert_eq!(state.progress, Stage::Running);
    contract([state]);
}

/// Numbers that take ten bytes, in every place where an enum can be.
#[derive(Clone, Copy, Debug, PartialEq, Snapshot)]
#[snapshot(enumeration = pb::Signed)]
enum Signed {
    Zero,
    PlusOne,
    MinusOne = -1,
    Min = i32::MIN as isize,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Enums, ignore(sparse, color, level, inner_level, inner))]
struct Enums {
    signed: Signed,
    maybe: Option<Signed>,
    list: Vec<Signed>,
    by_number: std::collections::BTreeMap<i32, Signed>,
}

#[test]
fn an_enum_fits_at_every_place_of_a_proto_enum() {
    let state = Enums {
        signed: Signed::MinusOne,
        maybe: Some(Signed::Zero),
        list: vec![Signed::Min, Signed::Zero, Signed::PlusOne],
        by_number: [(-5, Signed::Min)].into(),
    };
    let message = pb::Enums {
        signed: -1,
        maybe: Some(0),
        list: vec![i32::MIN, 0, 1],
        by_number: [(-5, i32::MIN)].into(),
        ..Default::default()
    };
    assert_saved_as(&state, &message);
    // A number of 64 bits is not truncated to a known one.
    let error = from_bytes::<Enums>(&[0x10, 0x80, 0x80, 0x80, 0x80, 0x10]).unwrap_err().to_string();
    assert!(error.starts_with("signed: 4294967296 is not a value of Signed"), "{error}");
}
