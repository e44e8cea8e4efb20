//! The codes that a server would return, for every class of error.

use futures_executor::block_on;
use prost_types::Any;
use snapshot_core::{Code, Controller, Error, Fault, Incoming, Phase, Session, Snapshot, Source};
use snapshot_examples::lcow::{FakeHost, NewContainer, NewProcess, Sandbox, VmStage};

use super::fixture::{plan, restore, save, session, start};

const TYPE_URL: &str = "type.googleapis.com/lcow.v1.SandboxSnapshot";

fn import(type_url: &str, value: &[u8]) -> Error {
    let any = Any { type_url: type_url.to_owned(), value: value.to_vec() };
    Incoming::from(Snapshot::from_any(&any).unwrap()).import::<Sandbox>().unwrap_err()
}

#[track_caller]
fn has(error: &Error, code: Code) {
    assert_eq!(error.code(), code, "{error}");
}

#[test]
fn a_wrong_type_is_an_invalid_argument() {
    has(&import("type.googleapis.com/lcow.v1.ScsiSnapshot", b"\x08\x01"), Code::InvalidArgument);
}

#[test]
fn a_foreign_version_or_type_is_unimplemented() {
    has(&import(TYPE_URL, b"\x08\x02"), Code::Unimplemented);
    has(&import(TYPE_URL, b""), Code::Unimplemented);
    let any = Any { type_url: "type.googleapis.com/no.Such".to_owned(), value: Vec::new() };
    has(
        &Incoming::from(Snapshot::from_any(&any).unwrap()).preview().unwrap_err(),
        Code::Unimplemented,
    );
}

#[test]
fn bytes_that_cannot_be_read_are_data_loss() {
    // After the version, which is checked first.
    for damaged in [&b"\x08\x01\x12"[..], b"\x08\x01\x12\xff", b"\x08\x01\xff"] {
        has(&import(TYPE_URL, damaged), Code::DataLoss);
    }
    let snapshot = save(&start(&FakeHost::new()));
    let bytes = snapshot.as_bytes();
    for damaged in [&bytes[..bytes.len() - 1], &bytes[..3], &b""[..]] {
        has(&Incoming::open(damaged.to_vec()).unwrap_err(), Code::DataLoss);
    }
}

#[test]
fn an_operation_that_is_not_possible_now_is_a_failed_precondition() {
    // A container that is created but not running.
    let source = start(&FakeHost::new());
    let new = NewContainer { id: "late".into(), gcs_id: "late".into(), ..Default::default() };
    source.new_container(&"web".into(), new).unwrap().create().unwrap();
    let failure = block_on(Source::new(&source).freeze(&Session::new())).unwrap_err();
    has(failure.cause(), Code::FailedPrecondition);

    // An exec in addition to the init process.
    let source = start(&FakeHost::new());
    source.container(&"app".into()).unwrap().exec("sh".into(), NewProcess::default()).unwrap();
    let failure = block_on(Source::new(&source).freeze(&Session::new())).unwrap_err();
    has(failure.cause(), Code::FailedPrecondition);

    // A second migration of a source during the first one.
    let source = start(&FakeHost::new());
    let frozen = block_on(Source::new(&source).freeze(&Session::new())).unwrap();
    let failure = block_on(Source::new(&source).freeze(&Session::new())).unwrap_err();
    has(failure.cause(), Code::FailedPrecondition);
    // An operation of the sandbox while it is frozen.
    has(&source.vm().unwrap().terminate().unwrap_err(), Code::FailedPrecondition);
    block_on(frozen.rollback()).unwrap();

    // A session without the host.
    let snapshot = save(&source);
    has(&restore(snapshot, &Session::new()).unwrap_err(), Code::FailedPrecondition);

    // A stage that cannot be resumed.
    let source = start(&FakeHost::new());
    source.vm().unwrap().state().stage = VmStage::Created;
    let bytes = snapshot_core::codec::to_bytes(&*source.state()).unwrap();
    has(&import(TYPE_URL, &bytes), Code::FailedPrecondition);
}

#[test]
fn a_plan_or_a_reference_that_is_wrong_is_an_invalid_argument() {
    let snapshot = save(&start(&FakeHost::new()));
    let mut without = plan();
    without.containers.clear();
    let refused = restore(snapshot, &session(&FakeHost::new(), without)).unwrap_err();
    has(&refused, Code::InvalidArgument);

    let source = start(&FakeHost::new());
    let app = source.container(&"app".into()).unwrap();
    app.state().scsi_reservation_ids[0] = uuid::Uuid::from_u128(7);
    let bytes = snapshot_core::codec::to_bytes(&*source.state()).unwrap();
    has(&import(TYPE_URL, &bytes), Code::InvalidArgument);
}

#[test]
fn a_deadline_a_cancel_and_a_panic_have_codes_of_their_own() {
    for (fault, code) in [
        (Fault::Hang, Code::DeadlineExceeded),
        (Fault::Cancel, Code::Cancelled),
        (Fault::Panic, Code::Internal),
        (Fault::Error, Code::Internal),
    ] {
        let source = start(&FakeHost::new());
        let session = Session::new().fault_at(Phase::Freeze, "vm", fault).hook_deadline(
            std::time::Duration::from_millis(match fault {
                Fault::Hang => 50,
                _ => 60_000,
            }),
        );
        let failure = block_on(Source::new(&source).freeze(&session)).unwrap_err();
        assert_eq!(failure.code(), code, "{failure}");
    }
}
