//! The ledger in a folder.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics where it failed")]

use snapshot_core::Code;
use snapshot_handover::SessionId;
use snapshot_handover::decision::{Mark, Written};
use snapshot_handover::ledger::{Certainty, FileStore, Ledger, Role, status};

fn id(text: &str) -> SessionId {
    text.parse().unwrap()
}

#[test]
fn a_mark_is_found_again_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("new/ledger")).unwrap();
    let mut entry = ledger.begin(&id("s"), Role::Destination).unwrap();
    entry.record(Mark::Live, None).unwrap();
    drop((entry, ledger));
    let ledger = Ledger::open(folder.path().join("new/ledger")).unwrap();
    let record = ledger.find(&id("s")).unwrap().unwrap();
    assert_eq!((record.role, record.mark), (Role::Destination, Mark::Live));
    assert_eq!(ledger.sessions().unwrap(), [id("s")]);
    assert_eq!(ledger.find(&id("other")).unwrap(), None);
    assert!(
        ledger.begin(&id("s"), Role::Source).unwrap_err().to_string().contains("was already used")
    );
}

#[test]
fn a_second_process_is_refused_and_a_status_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    ledger.begin(&id("s"), Role::Source).unwrap().finish();
    let error = Ledger::open(folder.path()).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.to_string().contains("another process uses this ledger"), "{error}");

    let all = status(folder.path()).unwrap();
    assert_eq!((all.len(), all[0].alive), (1, true));
    assert_eq!(all[0].side().written, Written::Mark(Mark::Begun));
    drop(ledger);
    assert!(!status(folder.path()).unwrap()[0].alive);
    Ledger::open(folder.path()).unwrap();
}

#[test]
fn a_torn_record_is_refused_by_name_and_never_taken_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let path = store.path(&id("s"));
    let ledger = Ledger::over(store);
    ledger.begin(&id("s"), Role::Source).unwrap().finish();
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = ledger.find(&id("s")).unwrap_err();
        assert!(error.to_string().starts_with("the record of session s cannot be read"), "{error}");
        assert!(ledger.reopen(&id("s")).is_err());
        assert!(ledger.begin(&id("s"), Role::Source).is_err());
        assert_eq!(status(folder.path()).unwrap()[0].side().written, Written::Unreadable);
    }
    for byte in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[byte] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert!(ledger.find(&id("s")).is_err(), "byte {byte}");
    }
    // Another session's record under this name.
    ledger.begin(&id("t"), Role::Source).unwrap().finish();
    let other = std::fs::read(folder.path().join("t.record")).unwrap();
    std::fs::write(&path, other).unwrap();
    let error = ledger.find(&id("s")).unwrap_err();
    assert!(error.to_string().contains("it is the record of session t"), "{error}");
}

#[test]
fn a_write_that_fails_before_the_rename_leaves_the_old_mark_for_sure() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let mut entry = ledger.begin(&id("s"), Role::Source).unwrap();
    // A folder is where the new record would be written.
    std::fs::create_dir(folder.path().join("s.new")).unwrap();
    let unwritten = entry.record(Mark::Given, None).unwrap_err();
    assert_eq!(unwritten.certainty, Certainty::Unchanged);
    assert_eq!(ledger.find(&id("s")).unwrap().unwrap().mark, Mark::Begun);
    entry.finish();
}

#[test]
fn what_a_crash_has_left_of_a_write_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    std::fs::write(folder.path().join("s.new"), "half").unwrap();
    assert!(ledger.sessions().unwrap().is_empty());
    ledger.begin(&id("s"), Role::Source).unwrap().finish();
    assert_eq!(ledger.sessions().unwrap(), [id("s")]);
}

#[test]
fn a_session_that_was_dropped_half_way_stays_held_until_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    drop(ledger.begin(&id("s"), Role::Source).unwrap());
    let error = ledger.reopen(&id("s")).unwrap_err();
    assert!(error.to_string().contains("is not finished in this process"), "{error}");
    ledger.release(&id("s"));
    assert_eq!(ledger.reopen(&id("s")).unwrap().current().mark, Mark::Begun);
}

#[cfg(unix)]
#[test]
fn a_ledger_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("ledger")).unwrap();
    ledger.begin(&id("s"), Role::Source).unwrap().finish();
    let mode = |path: &str| {
        std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode("ledger"), mode("ledger/s.record")), (0o700, 0o600));
}
