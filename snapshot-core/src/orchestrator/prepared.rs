//! A destination that is prepared while the source still runs, and accepts later states.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::build::{Rebuilt, rebuild};
use super::changes::When;
use super::claims::Claim;
use super::destination::{Imported, Incoming, Patched};
use super::end::End;
use super::importing::Importing;
use super::journal::Journal;
use super::preview;
use super::progress::{self, Entered, tell};
use super::session::Session;
use super::transaction::Transaction;
use super::tree::Tree;
use super::unchanged::{Changed, PreparedBytes};
use super::waiting::Waiting;
use super::{Failure, Phase};
use crate::controller::{Hook, Loaded};
use crate::panics::{caught, quietly};
use crate::{Controller, Error};

/// A tree whose host is ready for it, while the source still runs and owns the described resources.
///
/// It accepts later states: those of further rehearsals by
/// [`prepare_again`](Prepared::prepare_again), and the last one by [`patch`](Prepared::patch). A
/// controller whose id and type are in both snapshots, below the same parents, stays the same: its
/// [`refresh`](Controller::refresh) gets the later state, unless it is in that state already. A new
/// controller is built, and one that is gone is aborted. Before anything changes, the whole snapshot
/// is verified as in [`Incoming::import`], and the new controllers are built.
///
/// It ends by [`patch`](Prepared::patch) or [`abort`](Prepared::abort). If it is dropped instead,
/// an error is logged, and the prepared resources stay until
/// [`Abandoned::abort`](crate::Abandoned::abort).
///
/// ```no_run
/// # use snapshot_core::{Controller, Incoming, Session};
/// # use std::sync::Arc;
/// # async fn take_over<R: Controller>(
/// #     rehearsed: Vec<u8>, receive: impl AsyncFn() -> Vec<u8>,
/// # ) -> Result<Arc<R>, Box<dyn std::error::Error>> {
/// let session = Session::new();
/// // While the source runs.
/// let imported = Incoming::open(rehearsed)?.import::<R>()?;
/// let prepared = imported.prepare(&session).await?;
/// // The source is frozen from here on.
/// let last = Incoming::open(receive().await)?;
/// let patched = prepared.patch(last, &session).await?;
/// Ok(patched.resume(&session).await?)
/// # }
/// ```
#[must_use = "a prepared tree holds resources of this host until it is patched or aborted"]
pub struct Prepared<R: Controller> {
    root: Arc<R>,
    transaction: Transaction,
    /// The tree after its `prepare` hooks, if a later state can be compared with it.
    bytes: Option<PreparedBytes>,
}

impl<R: Controller> Imported<R> {
    /// Gets this host ready for the tree while the source still runs: runs the `prepare` hooks,
    /// parents before children, and each after the controllers that it comes after. The tree then
    /// accepts later states: see [`Prepared`].
    ///
    /// Run it in a task of its own, as [`Imported::patch`].
    ///
    /// # Errors
    ///
    /// As [`Imported::patch`]. Every controller whose prepare had begun is aborted.
    pub async fn prepare(self, session: &Session) -> Result<Prepared<R>, Failure> {
        let Imported { root, tree, claim, stages, began, took, origin } = self;
        let session = Arc::new(session.clone().with_origin_or(&origin));
        session.record_import(began, took);
        let journal = Journal::with_stages(stages);
        let mut transaction = Transaction::new(tree, session, journal, End::Abort, claim);
        let prepared = match transaction.check_unchanged(Phase::Prepare, When::Patch).await {
            Ok(()) => transaction.advance(Hook::Prepare).await,
            Err(failure) => Err(failure),
        };
        Prepared { root, transaction, bytes: None }.unless_failed(prepared).map(Prepared::encoded)
    }
}

impl<R: Controller> Prepared<R> {
    /// Returns the root of the tree.
    pub fn root(&self) -> &Arc<R> {
        &self.root
    }

    /// Accepts the state of a further rehearsal, and runs the `prepare` hooks of all controllers
    /// again.
    ///
    /// Run it in a task of its own, as [`Imported::patch`](crate::Imported::patch).
    ///
    /// # Errors
    ///
    /// As [`patch`](Prepared::patch). To test a snapshot without the risk of losing the prepared
    /// tree, call [`Incoming::check`] first.
    pub async fn prepare_again(
        mut self,
        later: Incoming,
        session: &Session,
    ) -> Result<Self, Failure> {
        self.transaction.session = Arc::new(session.clone().with_origin_or(&later.origin()));
        let prepared = match self.refresh(later).await {
            Ok(()) => self.transaction.advance(Hook::Prepare).await,
            Err(failure) => Err(failure),
        };
        self.unless_failed(prepared).map(Self::encoded)
    }

    /// Accepts the last state, and binds every controller to this host, as
    /// [`Imported::patch`](crate::Imported::patch) does.
    ///
    /// # Errors
    ///
    /// As [`Incoming::import`] and [`Imported::patch`](crate::Imported::patch). Also if a
    /// controller refuses its later state, if its stage has changed since the import, or if a
    /// removed controller cannot be aborted. Every controller that was prepared or patched is
    /// aborted.
    pub async fn patch(mut self, last: Incoming, session: &Session) -> Result<Patched<R>, Failure> {
        self.transaction.session = Arc::new(session.clone().with_origin_or(&last.origin()));
        self.transaction.session.begin_blackout();
        let patched = match self.refresh(last).await {
            Ok(()) => self.transaction.advance(Hook::Patch).await,
            Err(failure) => Err(failure),
        };
        self.unless_failed(patched)
            .map(|Self { root, transaction, .. }| Patched { root, transaction })
    }

    /// Aborts every controller, in reverse: this host is as it was before the import.
    ///
    /// # Errors
    ///
    /// The errors of the hooks; the other hooks still run.
    pub async fn abort(self) -> Result<(), Failure> {
        let Self { root, mut transaction, .. } = self;
        // The tree holds the root too, and handles a panic of its destructor.
        drop(root);
        transaction.finish(End::Abort).await
    }

    fn unless_failed(self, result: Result<(), Failure>) -> Result<Self, Failure> {
        // The root is dropped before the tree, which handles a panic of a destructor.
        let Self { root, transaction, bytes } = self;
        result.map(|()| Self { root, transaction, bytes })
    }

    /// Encodes the prepared tree, so that a later state can be compared with it. The source still runs.
    fn encoded(mut self) -> Self {
        let Transaction { tree, journal, session, .. } = &self.transaction;
        let waiting = Waiting::of_session(Phase::Prepare, session);
        waiting.know(Arc::clone(tree) as _);
        // Without a timer nothing is compared later, and everything is read.
        let watch = waiting.watch();
        let encode = || waiting.during(|| PreparedBytes::keep(tree, journal));
        self.bytes = watch.ok().and_then(|_watch| encode());
        self
    }

    /// Accepts a later snapshot.
    async fn refresh(&mut self, later: Incoming) -> Result<(), Failure> {
        self.transaction.check_unchanged(Phase::Refresh, When::Patch).await?;
        let mut gone = None;
        let refreshed = self.take_in(&later, &mut gone);
        drop(later);
        let aborted = match &mut gone {
            Some(gone) => gone.run_end().await,
            None => Ok(()),
        };
        match (refreshed, aborted) {
            (Ok(()), Ok(())) => Ok(()),
            (Ok(()), Err(cause)) => Err(self.transaction.fail(Phase::Refresh, cause).await),
            (Err(cause), aborted) => {
                let undo = aborted.err();
                Err(self.transaction.fail_with(Phase::Refresh, cause, undo).await)
            }
        }
    }

    /// Does the same, up to the end of the controllers that have no place in the later tree. When
    /// the later tree replaces the earlier one, these are in `gone`.
    fn take_in(&mut self, later: &Incoming, gone: &mut Option<Transaction>) -> Result<(), Error> {
        let phase = Phase::Refresh;
        let session = Arc::clone(&self.transaction.session);
        let span = progress::span(|| tracing::info_span!("phase", phase = phase.as_str()));
        let _in_span = Entered::into(&span);
        let controllers = self.transaction.tree.nodes().len();
        tell(session.observer(), phase, None, |observer| {
            observer.phase_started(phase, controllers);
        });
        let began = Instant::now();
        let result = session.check_cancelled().and_then(|()| {
            let waiting = Waiting::of_session(phase, &session);
            let _watch = waiting.watch()?;
            if let Some(changed) = self.changed(later, &waiting)? {
                return self.accept(changed, &waiting);
            }
            let importing = Importing::new(phase);
            let verified =
                importing.reading(|| caught(|| preview::decode::<R>(later.snapshot())))?;
            let rebuilt = rebuild(verified, &self.transaction.tree, &importing)?;
            self.replace(rebuilt, gone, &waiting)
        });
        quietly(|| match &result {
            Ok(()) => tracing::info!(controllers, took = ?began.elapsed(), "done"),
            Err(error) => {
                tracing::error!(took = ?began.elapsed(), error = %error.on_one_line(), "failed");
            }
        });
        session.record_phase(phase, began.elapsed(), result.is_ok());
        tell(session.observer(), phase, None, |observer| {
            observer.phase_ended(phase, result.as_ref().map(|&()| ()));
        });
        result
    }

    /// Finds the controllers that have changed since the tree was prepared; `None` if the later snapshot
    /// has to be read as a whole.
    fn changed(&mut self, later: &Incoming, waiting: &Waiting) -> Result<Option<Changed>, Error> {
        let Transaction { tree, journal, session, .. } = &self.transaction;
        // Faults are injected at every controller.
        let Some(bytes) = self.bytes.take().filter(|_| session.faults().is_empty()) else {
            return Ok(None);
        };
        waiting.know(Arc::clone(tree) as _);
        waiting
            .during(|| bytes.changed::<R>(tree, journal, later.snapshot(), waiting))
            .map_err(|error| error.named(|address| tree.id_at(address)))
    }

    /// Puts the later states into the controllers that have changed. All others are in theirs.
    fn accept(
        &mut self,
        Changed { stages, later }: Changed,
        waiting: &Waiting,
    ) -> Result<(), Error> {
        let kept: Vec<_> = (0..stages.len()).map(Some).collect();
        let journal = self.transaction.journal.refreshed(&stages, &kept);
        let earlier = std::mem::replace(&mut self.transaction.journal, journal);
        self.put_in(later, (&earlier, &kept), waiting)
    }

    /// Replaces the earlier tree by the later one, and then puts the later states into the
    /// controllers that are in both.
    fn replace(
        &mut self,
        rebuilt: Rebuilt,
        gone: &mut Option<Transaction>,
        waiting: &Waiting,
    ) -> Result<(), Error> {
        let Rebuilt { tree, stages, kept, later } = rebuilt;
        let Transaction { session, claim, .. } = &self.transaction;
        let mut is_kept = vec![false; self.transaction.tree.nodes().len()];
        kept.iter().flatten().for_each(|&unit| is_kept[unit] = true);
        let session = Arc::clone(session);
        if let Some(claim) = claim {
            claim.pass_to(&tree);
        }
        let journal = self.transaction.journal.refreshed(&stages, &kept);
        let earlier_journal = std::mem::replace(&mut self.transaction.journal, journal);
        let earlier = std::mem::replace(&mut self.transaction.tree, Arc::clone(&tree));
        if is_kept.contains(&false) {
            let journal = earlier_journal.clone().of_gone(|unit| !is_kept[unit]);
            let claim = Claim::destination(&earlier);
            let (tree, session) = (Arc::clone(&earlier), Arc::clone(&session));
            *gone = Some(Transaction::new(tree, session, journal, End::Abort, claim));
        }
        waiting.know(tree as _);
        self.put_in(later, (&earlier_journal, &kept), waiting)
    }

    /// Puts later states into the controllers of these units. `kept` has for each its unit in the earlier
    /// journal.
    fn put_in(
        &self,
        later: Vec<(usize, Box<dyn Loaded>)>,
        (earlier, kept): (&Journal, &[Option<usize>]),
        waiting: &Waiting,
    ) -> Result<(), Error> {
        let Transaction { tree, session, .. } = &self.transaction;
        waiting
            .during(|| {
                for (unit, state) in later {
                    refresh_one(tree, unit, state, (earlier, kept[unit]), session)
                        .map_err(|error| error.at_controller(tree.id(unit)))?;
                }
                tree.check_unchanged(When::Refresh)
            })
            .map_err(|error| error.named(|address| tree.id_at(address)))
    }
}

/// Puts a later state into one controller, which is this unit of an earlier journal.
fn refresh_one(
    tree: &Tree,
    unit: usize,
    state: Box<dyn Loaded>,
    (journal, earlier): (&Journal, Option<usize>),
    session: &Session,
) -> Result<(), Error> {
    session.check_cancelled()?;
    let rules = tree.plan.info(unit).stage_rules;
    let expected = rules.zip(earlier).and_then(|(rules, at)| journal.imported_stage(at, rules));
    tree.nodes()[unit].refresh(state.into_state()?, expected)?;
    match session.faults().is_empty() {
        true => Ok(()),
        false => caught(|| session.faults().check(Phase::Refresh, tree.id(unit))),
    }
}

impl<R: Controller> fmt::Debug for Prepared<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controllers = self.transaction.tree.nodes().len();
        f.debug_struct("Prepared").field("controllers", &controllers).finish_non_exhaustive()
    }
}
