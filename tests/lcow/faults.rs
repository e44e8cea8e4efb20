//! Every controller of a sandbox × every hook × every fault.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_executor::block_on;
use snapshot_core::{
    Code, Controller, ControllerId, Fault, Frozen, Imported, Incoming, Patched, Phase, Session,
    Snapshot, Source,
};
use snapshot_examples::lcow::{FakeHost, Sandbox, World};

use super::fixture::{plan, save, saved, session, start};

const FAULTS: [Fault; 4] = [Fault::Error, Fault::Panic, Fault::Hang, Fault::Cancel];

/// The limit of a hanging hook. All others end at once and never reach it.
const PATIENCE: Duration = Duration::from_millis(250);

/// The phases in which something goes wrong, and whether the destination was prepared before.
const PHASES: [(Phase, bool); 11] = [
    (Phase::Freeze, false),
    (Phase::Thaw, false),
    (Phase::Commit, false),
    (Phase::Patch, false),
    (Phase::Resume, false),
    (Phase::Abort, false),
    (Phase::Prepare, true),
    (Phase::Refresh, true),
    (Phase::Patch, true),
    (Phase::Resume, true),
    (Phase::Abort, true),
];

/// One case.
#[derive(Clone, Debug)]
struct Case {
    phase: Phase,
    /// Whether the destination is prepared by a rehearsal.
    rehearsed: bool,
    id: ControllerId,
    fault: Fault,
}

impl Case {
    /// The session that causes the fault.
    fn trouble(&self, session: Session) -> Session {
        let session = session.fault_at(self.phase, self.id.clone(), self.fault);
        match self.fault {
            Fault::Hang => session.hook_deadline(PATIENCE).undo_deadline(PATIENCE),
            _ => session.grace(PATIENCE),
        }
    }

    /// Whether the phase still succeeds: an undo and a commit are not cancelled.
    fn is_harmless(&self) -> bool {
        self.fault == Fault::Cancel
            && matches!(self.phase, Phase::Thaw | Phase::Commit | Phase::Abort)
    }

    fn code(&self) -> Code {
        match self.fault {
            // It has no hooks, so every fault except a panic is an error.
            _ if self.phase == Phase::Refresh => Code::Internal,
            Fault::Hang => Code::DeadlineExceeded,
            Fault::Cancel => Code::Cancelled,
            _ => Code::Internal,
        }
    }

    /// Asserts that the failure has the right code, names the controller, and has no failed undo.
    fn assert_failure(&self, failure: &snapshot_core::Failure) {
        assert_eq!(failure.phase(), self.phase, "{self:?}: {failure:?}");
        assert_eq!(failure.code(), self.code(), "{self:?}: {failure:?}");
        assert!(failure.undo_error().is_none(), "{self:?}: {failure:?}");
        let report = failure.controllers().iter().find(|report| report.id == self.id);
        assert!(report.is_some(), "{self:?}: {failure:?}");
        if self.fault == Fault::Cancel && self.phase != Phase::Refresh {
            // The operator is the cause; the report names the interrupted controller.
            assert_ne!(report.unwrap().outcome, snapshot_core::Outcome::Done, "{self:?}");
        } else {
            let named = failure.cause().first().controller().map(ToString::to_string);
            assert_eq!(named.as_deref(), Some(self.id.as_str()), "{self:?}: {failure:?}");
        }
    }
}

/// The ids of all controllers in a snapshot.
fn ids(snapshot: &Snapshot) -> Vec<ControllerId> {
    let preview = Incoming::from(snapshot.clone()).check::<Sandbox>().unwrap();
    preview.controllers.into_iter().map(|controller| controller.id).collect()
}

/// All observable state of a sandbox and its host.
#[derive(Debug, PartialEq)]
struct Everything {
    saved: Vec<u8>,
    /// The parts that are not saved: stages, flags, bindings.
    states: String,
    world: World,
}

impl Everything {
    fn of(sandbox: &Arc<Sandbox>, host: &FakeHost) -> Self {
        Self { saved: saved(sandbox), states: states(sandbox), world: host.world() }
    }
}

/// All states, including the skipped fields. One line per controller.
fn states(sandbox: &Sandbox) -> String {
    let mut all = String::new();
    writeln!(all, "{:?}", sandbox.is_migrating()).unwrap();
    let vm = sandbox.vm().unwrap();
    writeln!(all, "{:?}", *vm.state()).unwrap();
    writeln!(all, "{:?}", *vm.scsi().unwrap().state()).unwrap();
    writeln!(all, "{:?}", *vm.vpci().unwrap().state()).unwrap();
    writeln!(all, "{:?}", *vm.plan9().unwrap().state()).unwrap();
    for pod in sandbox.pods() {
        writeln!(all, "{:?}", pod.is_migrating()).unwrap();
        writeln!(all, "{:?}", *pod.network().unwrap().state()).unwrap();
        for container in pod.containers() {
            writeln!(all, "{:?}", *container.state()).unwrap();
            for (_, process) in container.processes() {
                writeln!(all, "{:?}", *process.state()).unwrap();
            }
        }
    }
    all
}

fn freeze(sandbox: &Arc<Sandbox>, session: &Session) -> Frozen<Sandbox> {
    block_on(Source::new(sandbox).freeze(session)).unwrap()
}

/// Runs the whole migration.
fn move_it(source: &Arc<Sandbox>, there: &Arc<FakeHost>) {
    let frozen = freeze(source, &Session::new());
    let theirs = session(there, plan());
    let imported: Imported<Sandbox> = Incoming::from(frozen.save().unwrap()).import().unwrap();
    let patched = block_on(imported.patch(&theirs)).unwrap();
    let live = block_on(patched.resume(&theirs)).unwrap();
    block_on(frozen.commit()).unwrap();
    assert!(live.pods()[0].network().is_some());
    assert!(there.world().vms[&"sandbox-2@vm".into()].started);
}

/// The source as it is now, for a destination to prepare.
fn rehearsal(source: &Arc<Sandbox>) -> Incoming {
    let manifest = snapshot_core::registry::registry().unwrap().manifest();
    Incoming::from(Source::new(source).rehearse(&manifest).unwrap())
}

/// A patched destination on this host.
fn patch(snapshot: &Snapshot, session: &Session) -> Patched<Sandbox> {
    let imported: Imported<Sandbox> = Incoming::from(snapshot.clone()).import().unwrap();
    block_on(imported.patch(session)).unwrap()
}

fn goes_wrong(case: &Case) {
    let (here, there) = (FakeHost::new(), FakeHost::new());
    let source = start(&here);
    let before = Everything::of(&source, &here);
    let ours = case.trouble(Session::new());
    let theirs = case.trouble(session(&there, plan()));
    match case.phase {
        Phase::Freeze => {
            let failure = block_on(Source::new(&source).freeze(&ours)).unwrap_err();
            case.assert_failure(&failure);
        }
        Phase::Thaw => {
            let ended = block_on(freeze(&source, &ours).rollback());
            if case.is_harmless() {
                ended.unwrap();
            } else {
                case.assert_failure(&ended.unwrap_err());
                // The undo after the failure.
                block_on(Source::recover(&source, &Session::new())).unwrap();
            }
        }
        Phase::Commit => {
            // There is no undo: in any case, the destination is live and the source has ended.
            let frozen = freeze(&source, &ours);
            let quiet = session(&there, plan());
            let patched = patch(&frozen.save().unwrap(), &quiet);
            let live = block_on(patched.resume(&quiet)).unwrap();
            let ended = block_on(frozen.commit());
            if case.is_harmless() {
                ended.unwrap();
            } else {
                case.assert_failure(&ended.unwrap_err());
            }
            assert_eq!(here.world(), World::default(), "{case:?}");
            let again = block_on(Source::new(&source).freeze(&Session::new())).unwrap_err();
            assert_eq!(again.code(), Code::FailedPrecondition, "{case:?}: {again}");
            assert!(there.world().vms[&"sandbox-2@vm".into()].started, "{case:?}");
            drop(live);
            return;
        }
        Phase::Prepare => {
            let imported = rehearsal(&source).import::<Sandbox>().unwrap();
            let failure = block_on(imported.prepare(&theirs)).unwrap_err();
            case.assert_failure(&failure);
        }
        Phase::Refresh | Phase::Patch | Phase::Resume | Phase::Abort if case.rehearsed => {
            let imported = rehearsal(&source).import::<Sandbox>().unwrap();
            let quiet = session(&there, plan());
            let prepared = block_on(imported.prepare(&quiet)).unwrap();
            let frozen = freeze(&source, &Session::new());
            let last = Incoming::from(frozen.save().unwrap());
            let failure = match case.phase {
                Phase::Refresh | Phase::Patch => block_on(prepared.patch(last, &theirs)).map(drop),
                Phase::Resume => {
                    let patched = block_on(prepared.patch(last, &quiet)).unwrap();
                    block_on(patched.resume(&theirs)).map(drop)
                }
                _ => block_on(block_on(prepared.patch(last, &theirs)).unwrap().abort()),
            };
            match case.is_harmless() {
                true => failure.unwrap(),
                false => case.assert_failure(&failure.unwrap_err()),
            }
            assert_eq!(there.world(), World::default(), "{case:?}");
            block_on(frozen.rollback()).unwrap();
        }
        Phase::Patch | Phase::Resume | Phase::Abort => {
            let frozen = freeze(&source, &Session::new());
            let incoming = Incoming::from(frozen.save().unwrap());
            let imported: Imported<Sandbox> = incoming.import().unwrap();
            let root = Arc::clone(imported.root());
            let failure = match case.phase {
                Phase::Patch => block_on(imported.patch(&theirs)).map(drop),
                Phase::Resume => {
                    let patched = block_on(imported.patch(&theirs)).unwrap();
                    block_on(patched.resume(&theirs)).map(drop)
                }
                _ => block_on(block_on(imported.patch(&theirs)).unwrap().abort()),
            };
            if case.is_harmless() {
                failure.unwrap();
            } else {
                case.assert_failure(&failure.unwrap_err());
            }
            assert_eq!(there.world(), World::default(), "{case:?}");
            // The imported tree is aborted: its VM is in the stage after an abort.
            if case.phase != Phase::Abort {
                let stage = root.vm().unwrap().stage();
                assert_eq!(stage, snapshot_examples::lcow::VmStage::Terminated, "{case:?}");
            }
            block_on(frozen.rollback()).unwrap();
        }
        _ => unreachable!("not a hook"),
    }
    assert_eq!(Everything::of(&source, &here), before, "{case:?}");
    assert_eq!(there.world(), World::default(), "{case:?}");
    // The same source and the same hosts work as if there had been no attempt.
    move_it(&source, &there);
    assert_eq!(here.world(), World::default(), "{case:?}");
}

#[test]
fn whatever_goes_wrong_with_any_hook_of_any_controller_both_sides_are_as_before() {
    let all = ids(&save(&start(&FakeHost::new())));
    assert_eq!(all.len(), 11, "every kind of controller is there: {all:?}");
    let mut cases = Vec::new();
    for (phase, rehearsed) in PHASES {
        for id in &all {
            cases.extend(FAULTS.map(|fault| Case { phase, rehearsed, id: id.clone(), fault }));
        }
    }
    // A hanging hook spends most of its time waiting.
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    goes_wrong(case);
                }
            });
        }
    });
    println!(
        "{} cases: {} controllers × {} phases × {} faults",
        cases.len(),
        all.len(),
        PHASES.len(),
        FAULTS.len()
    );
    assert_eq!(cases.len(), 484);
}

#[test]
fn five_failures_in_a_row_leave_nothing_behind_on_the_same_objects() {
    let (here, there) = (FakeHost::new(), FakeHost::new());
    let source = start(&here);
    let before = Everything::of(&source, &here);
    for (phase, id, fault) in [
        (Phase::Freeze, "vm", Fault::Error),
        (Phase::Freeze, "pods/web/network", Fault::Panic),
        (Phase::Save, "vm/scsi", Fault::Error),
        (Phase::Patch, "pods/web/containers/app", Fault::Cancel),
        (Phase::Resume, "pods/web/containers/web", Fault::Error),
    ] {
        let case = Case { phase, rehearsed: false, id: id.into(), fault };
        let theirs = case.trouble(session(&there, plan()));
        match block_on(Source::new(&source).freeze(&case.trouble(Session::new()))) {
            Err(failure) => case.assert_failure(&failure),
            Ok(frozen) => {
                match frozen.save() {
                    Err(error) => {
                        assert_eq!(error.first().controller().unwrap().as_str(), id, "{error}");
                    }
                    Ok(snapshot) => {
                        let imported: Imported<Sandbox> =
                            Incoming::from(snapshot).import().unwrap();
                        let patched = block_on(imported.patch(&theirs));
                        let ended = patched.and_then(|patched| block_on(patched.resume(&theirs)));
                        case.assert_failure(&ended.unwrap_err());
                    }
                }
                block_on(frozen.rollback()).unwrap();
            }
        }
        assert_eq!(Everything::of(&source, &here), before, "{case:?}");
        assert_eq!(there.world(), World::default(), "{case:?}");
    }
    move_it(&source, &there);
}
