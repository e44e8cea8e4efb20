//! The source's side before the freeze: preflight, rehearsal, and the freeze itself.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::abandoned;
use super::changes::When;
use super::claims::Claim;
use super::end::End;
use super::frozen::Frozen;
use super::journal::Journal;
use super::left_behind;
use super::preflight::Preflight;
use super::preview;
use super::reference_check::{and_references, check_references};
use super::session::Session;
use super::transaction::Transaction;
use super::tree::{Met, Tree};
use super::tree_save::{Allowances, LeftField, TreeSave, type_url_for};
use super::unwinding;
use super::versions;
use super::waiting::Waiting;
use super::{Failure, Phase};
use crate::codec::Writer;
use crate::controller::lock::Patience;
use crate::controller::{ByAddress, FrozenTree, Hook, Node, address};
use crate::envelope::{ReadOptions, SaveBuffer, Snapshot};
use crate::error::Finding;
use crate::evolution::{Verdict, compatible, judge};
use crate::panics::{caught, drop_of, quietly};
use crate::provenance::Provenance;
use crate::registry::{Manifest, registry};
use crate::{Code, Controller, ControllerId, Error, Payload};

/// A running tree of controllers to be moved away.
///
/// ```no_run
/// # use snapshot_core::{Controller, Session, Snapshot, Source, registry::Manifest};
/// # use std::sync::Arc;
/// # async fn migrate<R: Controller>(
/// #     sandbox: Arc<R>, their_manifest: Manifest, send: impl AsyncFn(&Snapshot) -> bool,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let session = Session::new();
/// let source = Source::new(&sandbox);
/// source.preflight(&their_manifest)?;
/// let frozen = source.freeze(&session).await?;
/// match frozen.save() {
///     // The destination says that it is live.
///     Ok(snapshot) if send(&snapshot).await => frozen.commit().await?,
///     _ => frozen.rollback().await?,
/// }
/// # Ok(())
/// # }
/// ```
pub struct Source<R: Controller> {
    root: Arc<R>,
    name_limit: usize,
    rehearsal: Mutex<Rehearsal>,
    lock_deadline: Duration,
    pub(super) provenance: Option<Provenance>,
}

/// A tree that was saved as a whole while it runs.
struct Whole {
    snapshot: Snapshot,
    /// How long it took to save it.
    save: Duration,
    /// What stays behind.
    left: Vec<LeftField>,
}

/// The result of the last preflight that passed.
#[derive(Clone, Debug, Default)]
struct Rehearsal {
    /// What is saved in another way for the destination.
    allowances: Option<Arc<Allowances>>,
    /// What stays behind.
    left: Vec<LeftField>,
    /// The length of the snapshot in bytes.
    length: usize,
    /// The duration of its save.
    save: Option<Duration>,
}

impl<R: Controller> Source<R> {
    /// Creates a source for the tree under this controller.
    pub fn new(root: &Arc<R>) -> Self {
        unwinding::warn_once();
        Self {
            root: Arc::clone(root),
            name_limit: ReadOptions::DEFAULT_NAME_LIMIT,
            lock_deadline: Waiting::IN_PREFLIGHT,
            rehearsal: Mutex::default(),
            provenance: None,
        }
    }

    /// Sets the maximum length in bytes of a map key or a name that becomes a step of a
    /// controller's id. The default is [`ReadOptions::DEFAULT_NAME_LIMIT`]. Preflight and freeze
    /// refuse a longer one. The destination has its own limit, [`ReadOptions::name_limit`].
    #[must_use]
    pub fn name_limit(mut self, bytes: usize) -> Self {
        self.name_limit = bytes;
        self
    }

    /// Sets how long [`preflight`](Source::preflight) and [`checkpoint`](Source::checkpoint), which
    /// have no session, wait for the state of one controller. When the time is over, the wait is
    /// reported as an error event, and the step fails if the controller has a
    /// [`try_state`](Controller::try_state). The default is 30 s; [`Duration::MAX`] means no
    /// deadline. From the freeze on, the deadlines of the [`Session`] apply.
    #[must_use]
    pub fn lock_deadline(mut self, deadline: Duration) -> Self {
        self.lock_deadline = deadline;
        self
    }

    /// Sets the id and the writer of the next [`checkpoint`](Source::checkpoint). Without a provenance,
    /// the file does not contain them.
    #[must_use]
    pub fn provenance(mut self, provenance: Provenance) -> Self {
        self.provenance = Some(provenance);
        self
    }

    /// Finds out whether a migration can succeed, before anything is frozen:
    ///
    /// - no controller of the tree is in another migration;
    /// - the tree can be put in order, and every controller of it is registered;
    /// - every controller is in a stage that may be saved;
    /// - the destination reads the payloads that would be saved. `theirs` is its
    ///   [`Registry::manifest`](crate::registry::Registry::manifest). A payload whose current
    ///   version it does not read is saved in the highest older version that it reads, if that
    ///   loses nothing;
    /// - saving works, every reference resolves, and this build reads the saved snapshot. For this,
    ///   the whole tree is encoded once, and each controller's lock is held meanwhile;
    /// - the destination accepts every value at hand: each is judged by the meanings in its
    ///   manifest, that is, by its bounds, forms, enum numbers, required fields and lengths. The
    ///   checks of its own code, in `validate`, `import` or an adapter, run only in the import.
    ///   Values that it drops on purpose are in the result;
    /// - the snapshot is within the limits that the manifest states: its length, its memory and the
    ///   names in it. A manifest without limits has the defaults of [`ReadOptions`].
    ///
    /// The save after the freeze is for the destination of the last preflight that passed. Without
    /// a preflight, everything is saved in its current version.
    ///
    /// # Errors
    ///
    /// All obstacles, reported together. They include every value in the tree that cannot be saved,
    /// unless controllers are in stages that cannot be saved at all. The snapshot is read back only
    /// if there is no other obstacle. If the tree is in another migration, in part or as a whole,
    /// only that is reported, because its stages mean nothing then.
    pub fn preflight(&self, theirs: &Manifest) -> Result<Preflight, Error> {
        self.look_ahead_and_keep(theirs).map(|(preflight, _)| preflight)
    }

    /// Finds out whether a migration can succeed, as [`preflight`](Source::preflight) does, and
    /// returns the snapshot of the tree as it is now. The destination verifies it and
    /// [prepares](crate::Imported::prepare) for it. The tree continues to run, and can be rehearsed
    /// again.
    ///
    /// The tree runs meanwhile, so the states of two controllers may be of different moments. Do
    /// not resume from this snapshot.
    ///
    /// # Errors
    ///
    /// As [`preflight`](Source::preflight).
    pub fn rehearse(&self, theirs: &Manifest) -> Result<Snapshot, Error> {
        self.look_ahead_and_keep(theirs).map(|(_, snapshot)| snapshot)
    }

    /// Returns how long the save of the last [rehearsal](Source::rehearse) took, without its
    /// verification; `None` before the first one that has passed.
    pub fn rehearsed_save(&self) -> Option<Duration> {
        self.rehearsal.lock().unwrap_or_else(PoisonError::into_inner).save
    }

    fn look_ahead_and_keep(&self, theirs: &Manifest) -> Result<(Preflight, Snapshot), Error> {
        let (rehearsed, preflight, snapshot) = caught(|| self.look_ahead(theirs))?;
        *self.rehearsal.lock().unwrap_or_else(PoisonError::into_inner) = rehearsed;
        Ok((preflight, snapshot))
    }

    fn look_ahead(&self, theirs: &Manifest) -> Result<(Rehearsal, Preflight, Snapshot), Error> {
        let waiting = self.waiting(Phase::Preflight);
        let _watch = waiting.watch()?;
        let met = waiting.during(|| Met::under(self.node(), self.name_limit));
        Claim::check(&met)?;
        let mut errors = Vec::new();
        errors.extend(check_all(&met).err());
        let ours = registry()?.manifest();
        let mut compatibility = compatible(&ours, theirs);
        let types = || met.controllers().map(|(unit, ..)| *unit.info);
        let versions = versions::choose(types(), theirs);
        let is_missing = |type_url: &str| {
            let mut payloads = compatibility.payloads.iter();
            payloads.any(|one| one.type_url == type_url && one.verdict == Verdict::Missing)
        };
        let unknown = types().map(|info| info.type_url).filter(|url| is_missing(url)).collect();
        let allowances = Arc::new(Allowances { versions, unknown });
        // What stays behind needs no controller at the destination.
        let left_types = waiting.during(|| self.types_left_behind(&allowances));
        let types: HashSet<&str> = types().map(|info| info.type_url).collect();
        compatibility.payloads.retain(|payload| {
            let type_url = payload.type_url.as_str();
            let is_older = matches!(payload.verdict, Verdict::VersionNotAccepted { .. })
                && allowances.versions.contains_key(type_url);
            types.contains(type_url) && !is_older && !left_types.contains(type_url)
        });
        let lost = match met.is_whole() {
            // The rehearsal finds it.
            true => None,
            false => waiting.during(|| versions::check(&met, &allowances)).err(),
        };
        let tree = met.into_tree();
        let is_needed = !allowances.versions.is_empty() || !allowances.unknown.is_empty();
        let allowances = is_needed.then_some(allowances);
        let (mut whole, mut dropped, mut left_behind) = (None, Vec::new(), Vec::new());
        let tree = match tree {
            Ok(tree) => Some(Arc::new(tree)),
            Err(error) => {
                errors.push(error);
                None
            }
        };
        errors.extend(compatibility.check_but_values().err());
        errors.extend(lost);
        if let Some(tree) = tree {
            waiting.know(Arc::clone(&tree) as _);
            let rehearsed = waiting.during(|| match errors.is_empty() {
                true => {
                    let rehearsed =
                        self.rehearse_whole(allowances.clone(), &theirs.read_options(), &tree);
                    rehearsed.and_then(|whole| {
                        dropped = judge(whole.snapshot.any_bytes(), registry()?, theirs)?;
                        left_behind = left_behind::findings(&whole.left, &tree);
                        Ok(Some(whole))
                    })
                }
                false => self.rehearse_in_part(allowances.clone(), &tree, &errors).map(|()| None),
            });
            match rehearsed.map_err(|error| error.named(|address| tree.id_at(address))) {
                Ok(rehearsed) => whole = rehearsed,
                Err(error) => errors.push(error),
            }
        }
        Error::collect(errors)?;
        let whole = whole.ok_or_else(|| Error::internal("nothing was rehearsed"))?;
        let Whole { snapshot, save, left } = whole;
        for finding in &left_behind {
            quietly(|| tracing::warn!(%finding, "stays behind"));
        }
        let length = snapshot.as_bytes().len();
        let rehearsal = Rehearsal { allowances, left, length, save: Some(save) };
        Ok((rehearsal, Preflight { compatibility, dropped, left_behind }, snapshot))
    }

    /// The types without a controller at the destination of which nothing would be saved.
    fn types_left_behind(&self, allowances: &Arc<Allowances>) -> BTreeSet<&'static str> {
        if allowances.unknown.is_empty() {
            return BTreeSet::new();
        }
        let saved = self.rehearse_save(&mut SaveBuffer::new(), Some(Arc::clone(allowances)));
        match saved {
            Ok(scope) => allowances.unknown.difference(&scope.saved_unknown).copied().collect(),
            // The rehearsal says why.
            Err(_) => BTreeSet::new(),
        }
    }

    /// Saves the tree while it runs, and reads it again as a destination of this build does.
    ///
    /// # Errors
    ///
    /// All obstacles, as for [`Source::preflight`].
    pub(super) fn save_running(&self) -> Result<Snapshot, Error> {
        caught(|| {
            let waiting = self.waiting(Phase::Save);
            let _watch = waiting.watch()?;
            let met = waiting.during(|| Met::under(self.node(), self.name_limit));
            Claim::check(&met)?;
            let checked = check_all(&met);
            let tree = match (checked, met.into_tree()) {
                (Ok(()), tree) => Arc::new(tree?),
                (Err(error), Ok(_)) => return Err(error),
                (Err(error), Err(others)) => return Err(error.and(others)),
            };
            waiting.know(Arc::clone(&tree) as _);
            let saved = waiting.during(|| self.rehearse_whole(None, &ReadOptions::new(), &tree));
            let saved = saved.map(|whole| whole.snapshot);
            saved.map_err(|error| error.named(|address| tree.id_at(address)))
        })
    }

    /// Returns the waits of a step that has no session.
    fn waiting(&self, phase: Phase) -> Arc<Waiting> {
        let patience = Patience {
            per_controller: self.lock_deadline,
            due: None,
            is_cancelled: None,
            grace: Duration::MAX,
        };
        Waiting::new(phase, patience)
    }

    /// Saves the tree and reads it again, as a destination with these limits does.
    fn rehearse_whole(
        &self,
        allowances: Option<Arc<Allowances>>,
        theirs: &ReadOptions,
        tree: &Tree,
    ) -> Result<Whole, Error> {
        let mut buffer = SaveBuffer::new();
        let began = Instant::now();
        let left = match self.rehearse_save(&mut buffer, allowances) {
            Ok(scope) => scope.left,
            // The saved bytes cannot be read, so the references are checked in the states.
            Err(error) => return Err(and_references(error, tree, &*self.root)),
        };
        let save = began.elapsed();
        let snapshot = buffer.into_snapshot()?.with_options(theirs);
        let (length, limit) = (snapshot.any_bytes().len() as u64, theirs.length_limit());
        if length > limit {
            return Err(Error::exhausted(format!(
                "the snapshot has {length} bytes, but the destination accepts {limit}: raise its \
                 `ReadOptions::limit` and state it with `Manifest::with_limits`, or move less"
            )));
        }
        preview::decode::<R>(&snapshot)?;
        Ok(Whole { snapshot, save, left })
    }

    /// Does the same for a tree that cannot be moved as it is, to find the other obstacles.
    fn rehearse_in_part(
        &self,
        allowances: Option<Arc<Allowances>>,
        tree: &Tree,
        known: &[Error],
    ) -> Result<(), Error> {
        let saved = self.rehearse_save(&mut SaveBuffer::new(), allowances);
        let referred = check_references(tree, &*self.root);
        // The codec may report the same stage again.
        let refused: HashSet<&ControllerId> = known
            .iter()
            .flat_map(Error::findings)
            .filter(|finding| finding.code() == Code::FailedPrecondition)
            .filter_map(Finding::controller)
            .collect();
        let is_news = |finding: &Finding| {
            finding.code() != Code::FailedPrecondition
                || finding.controller().is_none_or(|id| !refused.contains(id))
        };
        let errors = saved.err().into_iter().chain(referred.err());
        Error::collect(errors.filter_map(|error| error.filtered(is_news)))
    }

    /// Encodes the tree. Returns the scope with the notes of the save.
    fn rehearse_save(
        &self,
        buffer: &mut SaveBuffer,
        allowances: Option<Arc<Allowances>>,
    ) -> Result<TreeSave, Error> {
        let type_url = type_url_for(R::State::TYPE_URL, allowances.as_deref());
        let mut scope = TreeSave::default();
        let payload = |w: &mut Writer| {
            w.set_scope(TreeSave::new(FrozenTree::default(), allowances));
            let put = self.root.put_payload(w).map_err(Error::at_root);
            scope = w.take_scope().map(|scope| *scope).unwrap_or_default();
            put
        };
        caught(|| buffer.fill(type_url, payload).map(drop))?;
        Ok(scope)
    }

    fn node(&self) -> Arc<dyn Node> {
        Arc::clone(&self.root) as _
    }

    /// Freezes every controller, children before parents. Afterwards nothing in the tree changes
    /// until the commit or the rollback.
    ///
    /// Run it in a task of its own: if the future is dropped half-way, the frozen controllers stay
    /// frozen until [`Source::recover`].
    ///
    /// # Errors
    ///
    /// If the tree cannot be saved now (as for [`Source::preflight`], but without the manifest); if
    /// a hook fails, panics, exceeds its deadline or is cancelled; if controllers are added or
    /// removed meanwhile; or if one of the controllers is in another migration. Every controller
    /// whose freeze had begun is thawed and back in its stage. Try again with a new `Source`.
    pub async fn freeze(self, session: &Session) -> Result<Frozen<R>, Failure> {
        let session = Arc::new(session.clone());
        let Self { root, name_limit, rehearsal, .. } = self;
        let Rehearsal { allowances, left: reported, length, .. } =
            rehearsal.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (tree, claim) = match claimed_tree(Arc::clone(&root) as _, name_limit, &session) {
            Ok(claimed) => claimed,
            Err(error) => {
                let dropped =
                    drop_of(root).err().map(|error| error.at_controller(&ControllerId::root()));
                let error = dropped.into_iter().fold(error, Error::and);
                return Err(Failure::before(Phase::Freeze, error));
            }
        };
        let journal = Journal::new(tree.plan.units().len());
        let mut transaction = Transaction::new(tree, session, journal, End::Thaw, claim);
        // Declared after the transaction, and so dropped before it: its tree holds the root too,
        // and handles a panic of a destructor.
        let root = root;
        // Measured while the tree still runs. It may grow a little until it stands still.
        let length = match length {
            0 => guess_length(&transaction.tree),
            rehearsed => rehearsed + rehearsed / 16,
        };
        let buffer = Mutex::new(SaveBuffer::prepared(length));
        transaction.session.begin_blackout();
        transaction.advance(Hook::Freeze).await?;
        let watch = transaction
            .compare(Phase::Freeze, When::Freeze)
            .and_then(|()| transaction.session.watch_blackout());
        match watch {
            Ok(over_budget) => {
                Ok(Frozen { root, transaction, over_budget, allowances, reported, buffer })
            }
            Err(error) => Err(transaction.fail(Phase::Freeze, error).await),
        }
    }

    /// Ends a migration of this tree whose future, or whose [`Frozen`], was dropped. Runs the thaw
    /// hooks of the controllers whose freeze had begun; if [`Frozen::commit`] was called, runs its
    /// remaining hooks. Also tries thaw hooks again that failed before. Does nothing if there is
    /// nothing to end.
    ///
    /// # Errors
    ///
    /// The errors of the hooks; the other hooks still run. Call it again to try the failed ones
    /// again. Also the changes of the tree, as for [`Frozen::commit`] and [`Frozen::rollback`],
    /// except controllers that are gone. If the migration was that of a larger tree around `root`,
    /// or if it still runs, nothing is done and the error says so.
    pub async fn recover(root: &Arc<R>, session: &Session) -> Result<(), Failure> {
        let root: Arc<dyn Node> = Arc::clone(root) as _;
        let session = Arc::new(session.clone());
        let left = abandoned::take_up(&root, &session);
        match left.map_err(|error| Failure::before(Phase::Thaw, error))? {
            Some(mut transaction) => {
                let end = transaction.end;
                transaction.finish(end).await
            }
            None => Ok(()),
        }
    }
}

/// Returns the tree under a root, in order, fit to be saved, and claimed.
fn claimed_tree(
    root: Arc<dyn Node>,
    name_limit: usize,
    session: &Session,
) -> Result<(Arc<Tree>, Claim), Error> {
    let waiting = Waiting::of_session(Phase::Freeze, session);
    let watch = waiting.watch()?;
    let met = caught(|| Ok(waiting.during(|| Met::under(root, name_limit))))?;
    drop(watch);
    // Checked first: in another migration, controllers are in stages that may not be saved.
    Claim::check(&met)?;
    let checked = caught(|| check_all(&met));
    let tree = match (checked, met.into_tree()) {
        (Ok(()), tree) => Arc::new(tree?),
        (Err(error), Ok(_)) => return Err(error),
        (Err(error), Err(others)) => return Err(error.and(others)),
    };
    let claim = Claim::source(&tree)?;
    Ok((tree, claim))
}

/// Estimates the length of a snapshot of small controllers: each payload is as long as the type URL
/// beside it. For larger controllers the buffer grows.
fn guess_length(tree: &Tree) -> usize {
    tree.plan.units().iter().map(|unit| 2 * unit.info.type_url.len()).sum()
}

/// Checks that every controller is registered and in a stage that may be saved.
fn check_all(met: &Met) -> Result<(), Error> {
    let registry = registry()?;
    let mut errors = Vec::new();
    // The registered types, by the addresses of their infos.
    let mut registered: ByAddress<()> = ByAddress::default();
    let (mut last, mut last_stage) = (None, None);
    for (at_unit, (unit, _, stage)) in met.controllers().enumerate() {
        let at = address(unit.info);
        // Most controllers are like the one before them.
        if last == Some(at) && last_stage == Some(stage) {
            continue;
        }
        let mut check = Ok(());
        if last != Some(at) {
            if !registered.contains_key(&at) {
                check = registry.require(&[*unit.info]);
            }
            if check.is_ok() {
                registered.insert(at, ());
                last = Some(at);
            }
        }
        if check.is_ok()
            && let Some(rules) = unit.info.stage_rules
        {
            check = rules.check(stage);
        }
        last_stage = check.is_ok().then_some(stage);
        errors.extend(check.err().map(|error| error.at_controller(met.id(at_unit))));
    }
    Error::collect(errors)
}

impl<R: Controller> fmt::Debug for Source<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}
