//! Conversions to and from the prost message.

use snapshot_core::{Code, Snapshot, State};
use snapshot_proto::lcow::v1::scsi_snapshot as pb;

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::MountState, ignore(config, guest_path))]
struct Mount {
    state: Stage,
    ref_count: u8,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(stage = pb::MountStage)]
enum Stage {
    Reserved,
    Mounted,
    Unmounted,
    #[snapshot(transient)]
    Frozen,
}

#[test]
fn a_state_converts_to_its_message_and_back() {
    let state = Mount { state: Stage::Mounted, ref_count: 3 };
    let message = pb::MountState::from(&state);
    assert_eq!(message.state(), pb::MountStage::Mounted);
    assert_eq!(message.ref_count, 3);
    assert_eq!(state.to_message().unwrap(), message);
    assert_eq!(Mount::from_message(&message).unwrap(), state);
    assert_eq!(Mount::try_from(message).unwrap(), state);
    snapshot_core::testing::contract([state]);
}

#[test]
fn a_message_that_does_not_fit_is_an_error() {
    let message = pb::MountState { ref_count: 256, state: 3, ..Default::default() };
    let error = Mount::try_from(message).unwrap_err();
    assert_eq!(error.findings().count(), 2, "{error}");
    assert!(error.to_string().contains("state: 3 is not a value of MountStage"), "{error}");
}

#[test]
fn a_state_that_cannot_be_saved_has_no_message() {
    let state = Mount { state: Stage::Frozen, ref_count: 3 };
    let error = state.to_message().unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    let panic = std::panic::catch_unwind(|| pb::MountState::from(&state)).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert_eq!(
        text,
        "the state cannot be saved: state: is Frozen, a transient stage, which cannot be saved"
    );
}
