//! The watch over the code of controllers while a snapshot is read and built: their adapters,
//! `validate` and `import`.

use std::sync::Arc;

use super::Phase;
use super::plan::TreePlan;
use super::session::Session;
use super::timer::Watch;
use super::waiting::Waiting;
use crate::ControllerId;
use crate::controller::lock::{Board, KnownNames};

/// The code of controllers that runs while a snapshot becomes a tree. The timer thread reports
/// whatever does not return: a read without an id, because the ids are known only after it.
pub(super) struct Importing {
    waiting: Arc<Waiting>,
    /// `None` if there is no timer. Then nothing is reported, and the import works nevertheless.
    _watch: Option<Watch>,
}

impl Importing {
    pub(super) fn new(phase: Phase) -> Self {
        let waiting = Waiting::of_session(phase, &Session::new());
        let watch = waiting.watch().ok().flatten();
        Self { waiting, _watch: watch }
    }

    pub(super) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// Reads a snapshot.
    pub(super) fn reading<T>(&self, read: impl FnOnce() -> T) -> T {
        self.waiting.reading(read)
    }

    /// Builds the controllers of this plan.
    pub(super) fn building<T>(
        &self,
        plan: &Arc<TreePlan>,
        build: impl FnOnce(&Building<'_>) -> T,
    ) -> T {
        self.waiting.know(Arc::new(UnitMarks(Arc::clone(plan))));
        self.waiting.on(0, || build(&Building(self.waiting.board())))
    }
}

/// A build of controllers.
pub(super) struct Building<'b>(&'b Board);

impl Building<'_> {
    /// Notes that the code of this unit's controller runs next.
    #[inline]
    pub(super) fn begin(&self, unit: usize) {
        self.0.work_on(unit + 1);
    }
}

/// The units of a plan, which have no address yet. Their marks are counted from 1.
struct UnitMarks(Arc<TreePlan>);

impl KnownNames for UnitMarks {
    fn name(&self, mark: usize) -> Option<(ControllerId, &'static str)> {
        let unit = mark.checked_sub(1).filter(|unit| *unit < self.0.units().len())?;
        Some((self.0.id(unit).clone(), self.0.info(unit).type_url))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::controller::lock::Patience;
    use crate::orchestrator::preview;
    use crate::orchestrator::tests::Events;
    use crate::{ControllerSet, Snapshot};

    const SET: &str = "type.googleapis.com/snapshot.v1.ControllerSetSnapshot";

    /// A set with the set `inner`, which is empty.
    fn plan() -> Arc<TreePlan> {
        let payload = [
            &b"\x08\x01\x12\x44\x0a\x05inner\x1a\x3b\x0a\x35"[..],
            SET.as_bytes(),
            &b"\x12\x02\x08\x01"[..],
        ];
        let any = prost_types::Any { type_url: SET.to_owned(), value: payload.concat() };
        let snapshot = Snapshot::from_any(&any).unwrap();
        Arc::new(preview::decode::<ControllerSet>(&snapshot).unwrap().plan)
    }

    #[test]
    fn code_that_does_not_return_is_reported_while_a_snapshot_is_read_and_built() {
        let patience = Patience {
            per_controller: Duration::from_millis(10),
            due: None,
            is_cancelled: None,
            grace: Duration::MAX,
        };
        let (plan, events) = (plan(), Events::default());
        events.capture(|| {
            let waiting = Waiting::new(Phase::Import, patience);
            let importing = Importing { _watch: waiting.watch().unwrap(), waiting };
            let until_reported = |parts: &[&str]| {
                while !events.has(parts) {
                    thread::sleep(Duration::from_millis(1));
                }
            };
            importing.reading(|| until_reported(&["waits for the snapshot to be read", "import"]));
            importing.building(&plan, |building| {
                building.begin(1);
                until_reported(&["code of this controller", "controller=inner", SET]);
                building.begin(0);
                until_reported(&["code of this controller", "controller=. "]);
            });
            assert!(importing.waiting.board().works_on().is_none());
        });
    }
}
