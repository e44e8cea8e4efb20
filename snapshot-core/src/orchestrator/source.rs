//! The source's side: freeze, save, then commit or roll back.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::abandoned;
use super::journal::Journal;
use super::preview;
use super::progress::tell;
use super::session::Session;
use super::timer::Sleep;
use super::transaction::{End, Transaction};
use super::tree::{Met, Tree};
use super::versions;
use super::{Failure, Phase};
use crate::caught::caught;
use crate::codec::{Versions, Writer};
use crate::controller::{ByAddress, FrozenTree, Hook, Node, address};
use crate::envelope::{ReadOptions, SaveBuffer, Snapshot};
use crate::references::check_controller;
use crate::registry::{Manifest, registry};
use crate::schema::{Verdict, compatible};
use crate::{Controller, Error};

/// A running tree of controllers that is to be moved away.
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
}

/// What the last preflight that passed has found out.
#[derive(Clone, Debug, Default)]
struct Rehearsal {
    /// The versions that the destination reads, where it does not read the current ones.
    versions: Option<Arc<Versions>>,
    /// How many bytes the snapshot had.
    length: usize,
}

impl<R: Controller> Source<R> {
    /// The tree under this controller.
    pub fn new(root: &Arc<R>) -> Self {
        let name_limit = ReadOptions::DEFAULT_NAME_LIMIT;
        Self { root: Arc::clone(root), name_limit, rehearsal: Mutex::default() }
    }

    /// The most bytes that a map key or a name may have which becomes a step of a controller's id. By
    /// default [`ReadOptions::DEFAULT_NAME_LIMIT`]. Preflight and freeze refuse a longer one; the
    /// destination has a limit of its own, [`ReadOptions::name_limit`].
    #[must_use]
    pub fn name_limit(mut self, bytes: usize) -> Self {
        self.name_limit = bytes;
        self
    }

    /// Finds out whether a migration can succeed, before anything is frozen:
    ///
    /// - the tree can be put in order, and every controller of it is registered;
    /// - every controller is in a stage that may be saved;
    /// - the destination, whose [`Registry::manifest`](crate::registry::Registry::manifest) this
    ///   is, reads what would be saved. A payload whose current version it does not read is saved in
    ///   the highest older one that it reads, if nothing is lost by that;
    /// - saving works, every reference resolves, and this build reads what was saved. For this the
    ///   whole tree is encoded once; each controller's lock is held meanwhile;
    /// - the snapshot is within the limits that the manifest states: its length, the memory that it
    ///   takes and the names in it. A manifest without limits has the defaults of [`ReadOptions`].
    ///
    /// What is saved after the freeze is for the destination of the last preflight that passed;
    /// without one, everything is saved in its current version.
    ///
    /// # Errors
    ///
    /// Everything that is in the way, at once. Saving is tried if nothing else is.
    pub fn preflight(&self, theirs: &Manifest) -> Result<(), Error> {
        let met = Met::under(self.node(), self.name_limit);
        let mut errors = Vec::new();
        errors.extend(check_all(&met).err());
        let ours = registry()?.manifest();
        let mut compatibility = compatible(&ours, theirs);
        let types = || met.controllers().map(|(unit, ..)| *unit.info);
        let versions = Arc::new(versions::choose(types(), theirs));
        let types: HashSet<&str> = types().map(|info| info.type_url).collect();
        let lost = versions::check(&met, &versions).err();
        errors.extend(met.into_tree().err());
        compatibility.payloads.retain(|payload| {
            let type_url = payload.type_url.as_str();
            let is_older = matches!(payload.verdict, Verdict::VersionNotAccepted { .. })
                && versions.contains_key(type_url);
            types.contains(type_url) && !is_older
        });
        errors.extend(compatibility.check().err());
        errors.extend(lost);
        let versions = (!versions.is_empty()).then_some(versions);
        let mut length = 0;
        if errors.is_empty() {
            match caught(|| self.rehearse(versions.clone(), &theirs.read_options())) {
                Ok(rehearsed) => length = rehearsed,
                Err(error) => errors.push(error),
            }
        }
        Error::collect(errors)?;
        let mut rehearsal = self.rehearsal.lock().unwrap_or_else(PoisonError::into_inner);
        *rehearsal = Rehearsal { versions, length };
        Ok(())
    }

    /// Saves the tree and reads it again, as a destination with these limits does. Returns how many
    /// bytes it takes.
    fn rehearse(
        &self,
        versions: Option<Arc<Versions>>,
        theirs: &ReadOptions,
    ) -> Result<usize, Error> {
        let mut buffer = SaveBuffer::new();
        let payload = |w: &mut Writer| {
            w.set_versions(versions);
            self.root.put_payload(w).map_err(Error::at_root)
        };
        let saved = buffer.fill::<R::State>(payload)?;
        let snapshot = Snapshot::from_bytes(saved.to_vec())?.with_options(theirs);
        let (length, limit) = (snapshot.any_bytes().len() as u64, theirs.length_limit());
        if length > limit {
            return Err(Error::exhausted(format!(
                "the snapshot has {length} bytes, and the destination takes {limit}: raise its \
                 `ReadOptions::limit` and state it with `Manifest::with_limits`, or move less"
            )));
        }
        preview::decode::<R>(&snapshot)?;
        Ok(snapshot.as_bytes().len())
    }

    fn node(&self) -> Arc<dyn Node> {
        Arc::clone(&self.root) as _
    }

    /// Freezes every controller, children before parents. Afterwards nothing in the tree changes
    /// until the commit or the rollback.
    ///
    /// Run it in a task of its own: if the future is dropped half-way, the controllers that it has
    /// frozen stay frozen until [`Source::recover`].
    ///
    /// # Errors
    ///
    /// If the tree cannot be saved now (as [`Source::preflight`] says, but for the manifest), or a
    /// hook fails, panics, passes its deadline or is cancelled, or controllers come and go
    /// meanwhile. Every controller whose freeze had begun is thawed and back in its stage; try again
    /// with a new `Source`.
    pub async fn freeze(self, session: &Session) -> Result<Frozen<R>, Failure> {
        let session = Arc::new(session.clone());
        let root = self.node();
        let rehearsal = self.rehearsal.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Rehearsal { versions, length } = rehearsal;
        let met = Met::under(Arc::clone(&root), self.name_limit);
        let checked = check_all(&met);
        let tree = met
            .into_tree()
            .and_then(|tree| checked.map(|()| tree))
            .and_then(|tree| abandoned::claim(&root).map(|()| tree))
            .map_err(|error| Failure::before(Phase::Freeze, error))?;
        let journal = Journal::new(tree.plan.units().len());
        let mut transaction = Transaction::new(Arc::new(tree), session, journal, End::Thaw);
        // While the tree still runs. It may grow a little until it stands still.
        let length = match length {
            0 => guess_length(&transaction.tree),
            rehearsed => rehearsed + rehearsed / 16,
        };
        let buffer = Mutex::new(SaveBuffer::prepared(length));
        transaction.session.begin_blackout();
        transaction.advance(Hook::Freeze).await?;
        let watch = transaction
            .tree
            .check_unchanged("while the tree was frozen: it must stand still")
            .and_then(|()| transaction.session.watch_blackout());
        match watch {
            Ok(over_budget) => {
                Ok(Frozen { root: self.root, transaction, over_budget, versions, buffer })
            }
            Err(error) => Err(transaction.fail(Phase::Freeze, error).await),
        }
    }

    /// Ends a migration of this tree whose future, or whose [`Frozen`], was dropped: runs the thaw
    /// hooks of the controllers whose freeze had begun, or if a commit had begun, its remaining
    /// hooks. Also tries the thaw hooks again that failed before. Does nothing if there is nothing
    /// to end.
    ///
    /// # Errors
    ///
    /// What the hooks fail with; the others run all the same. Call it again to try those again.
    pub async fn recover(root: &Arc<R>, session: &Session) -> Result<(), Failure> {
        let root: Arc<dyn Node> = Arc::clone(root) as _;
        let session = Arc::new(session.clone());
        match abandoned::reclaim(&root, &session) {
            Some(mut transaction) => {
                let end = transaction.end;
                transaction.finish(end).await
            }
            None => Ok(()),
        }
    }
}

/// How long a snapshot of small controllers is: each payload as long as the type URL beside it. One
/// of larger controllers makes its buffer grow.
fn guess_length(tree: &Tree) -> usize {
    tree.plan.units().iter().map(|unit| 2 * unit.info.type_url.len()).sum()
}

/// Checks that every controller is registered and in a stage that may be saved.
fn check_all(met: &Met) -> Result<(), Error> {
    let registry = registry()?;
    let mut errors = Vec::new();
    // Types that are registered, by the addresses of their infos.
    let mut registered: ByAddress<()> = ByAddress::default();
    let mut last = None;
    for (at_unit, (unit, _, stage)) in met.controllers().enumerate() {
        let at = address(unit.info);
        let mut check = Ok(());
        if last != Some(at) && !registered.contains_key(&at) {
            check = registry.require(&[*unit.info]);
        }
        if check.is_ok() {
            if last.replace(at) != Some(at) {
                registered.insert(at, ());
            }
            if let Some(rules) = unit.info.stage_rules {
                check = rules.check(stage);
            }
        }
        errors.extend(check.err().map(|error| error.at_controller(met.id(at_unit))));
    }
    Error::collect(errors)
}

/// A tree that stands still, ready to be saved; as often as needed.
///
/// It ends by [`commit`](Frozen::commit) or [`rollback`](Frozen::rollback). If it is dropped
/// instead, an error is logged and the controllers stay frozen until [`Source::recover`].
#[must_use = "a frozen source stays frozen until commit or rollback"]
pub struct Frozen<R: Controller> {
    root: Arc<R>,
    transaction: Transaction,
    /// Logs when the blackout budget is used up. Nobody waits for it.
    over_budget: Option<Sleep>,
    /// The versions that the destination reads, where it does not read the current ones.
    versions: Option<Arc<Versions>>,
    /// For the next save, prepared before the freeze.
    buffer: Mutex<SaveBuffer>,
}

impl<R: Controller> Frozen<R> {
    /// The root of the tree.
    pub fn root(&self) -> &Arc<R> {
        &self.root
    }

    /// What is left of the session's blackout budget; `None` if it has none.
    pub fn blackout_left(&self) -> Option<Duration> {
        self.transaction.session.blackout_left()
    }

    /// Encodes the tree, into memory that was prepared before the freeze if there was a
    /// [`Source::preflight`]. Every controller is saved in the stage that it had before the freeze, and
    /// in the schema version that the preflight has found that the destination reads.
    ///
    /// # Errors
    ///
    /// What cannot be encoded, with the controller and the field; what an older version would lose
    /// that the destination asks for; what refers to nothing or is
    /// defined twice; or that the blackout budget is used up. The tree stays frozen: roll back, or try again.
    pub fn save(&self) -> Result<Snapshot, Error> {
        let kept = || self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = std::mem::take(&mut *kept());
        if let Err(error) = self.save_into(&mut buffer) {
            *kept() = buffer;
            return Err(error);
        }
        buffer.into_snapshot()
    }

    /// As [`Frozen::save`], into memory that is used again by the next save.
    ///
    /// # Errors
    ///
    /// As [`Frozen::save`].
    pub fn save_into<'b>(&self, buffer: &'b mut SaveBuffer) -> Result<&'b [u8], Error> {
        let Transaction { session, .. } = &self.transaction;
        let phase = Phase::Save;
        let span = tracing::info_span!("phase", phase = phase.as_str());
        let controllers = self.transaction.tree.nodes().len();
        tell(session.observer(), |observer| observer.phase_started(phase, controllers));
        let began = Instant::now();
        let result = span.in_scope(|| {
            let result = session
                .check_blackout()
                .and_then(|()| caught(|| self.check_faults()))
                .and_then(|()| caught(|| self.encode(buffer)))
                .and_then(|()| caught(|| self.check_references()));
            match &result {
                Ok(()) => {
                    let bytes = buffer.as_bytes().len();
                    tracing::info!(controllers, bytes, took = ?began.elapsed(), "done");
                }
                Err(error) => {
                    tracing::error!(took = ?began.elapsed(), %error, "failed");
                    buffer.clear();
                }
            }
            result
        });
        session.record_phase(phase, began.elapsed(), result.is_ok());
        tell(session.observer(), |observer| {
            observer.phase_ended(phase, result.as_ref().map(|&()| ()));
        });
        result.map(|()| buffer.as_bytes())
    }

    fn check_references(&self) -> Result<(), Error> {
        match self.transaction.tree.has_references {
            true => check_controller(&*self.root),
            false => Ok(()),
        }
    }

    fn check_faults(&self) -> Result<(), Error> {
        let Transaction { tree, session, .. } = &self.transaction;
        if session.faults().is_empty() {
            return Ok(());
        }
        let check = |id| session.faults().check(Phase::Save, id).map_err(|e| e.at_controller(id));
        tree.plan.ids().try_for_each(check)
    }

    fn encode(&self, buffer: &mut SaveBuffer) -> Result<(), Error> {
        let Transaction { tree, journal, session, .. } = &self.transaction;
        let mut frozen = FrozenTree::with_capacity(tree.nodes().len());
        for (unit, (node, planned)) in tree.nodes().iter().zip(tree.plan.units()).enumerate() {
            frozen.push(&**node, planned.parent(), journal.stage(unit));
        }
        let mut saved = FrozenTree::default();
        buffer.fill::<R::State>(|w| {
            w.set_frozen(frozen);
            w.set_versions(self.versions.clone());
            let result = self.root.put_payload(w).map_err(Error::at_root);
            saved = w.take_frozen();
            w.set_versions(None);
            result
        })?;
        let lengths = saved.net_lengths().map_err(|unit| {
            // Found by the walk and not by the save: a state that shows a child and omits it.
            let reason = "is in the tree, but its parent did not save it";
            Error::internal(reason).at_controller(tree.id(unit))
        })?;
        session.record_saved(&tree.plan, lengths);
        Ok(())
    }

    /// The destination is live: every controller lets go of this host's resources. There is no way
    /// back from here, and cancelling has no effect.
    ///
    /// # Errors
    ///
    /// What the hooks fail with; the others run all the same, and every controller is in its
    /// `abort_to` stage.
    pub async fn commit(self) -> Result<(), Failure> {
        self.end(End::Commit).await
    }

    /// Thaws every controller, in reverse: the source goes on as before the freeze. Cancelling has
    /// no effect.
    ///
    /// # Errors
    ///
    /// What the hooks fail with; the others run all the same. A controller whose hook failed stays
    /// frozen: [`Source::recover`] tries again.
    pub async fn rollback(self) -> Result<(), Failure> {
        self.end(End::Thaw).await
    }

    async fn end(self, end: End) -> Result<(), Failure> {
        let Frozen { mut transaction, over_budget, .. } = self;
        drop(over_budget);
        transaction.finish(end).await
    }
}

impl<R: Controller> fmt::Debug for Source<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

impl<R: Controller> fmt::Debug for Frozen<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controllers = self.transaction.tree.nodes().len();
        f.debug_struct("Frozen").field("controllers", &controllers).finish_non_exhaustive()
    }
}
