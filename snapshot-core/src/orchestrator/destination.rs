//! The destination's side: open, import, patch, resume.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::build::build;
use super::changes::When;
use super::claims::Claim;
use super::end::End;
use super::journal::Journal;
use super::preview::{self, Preview};
use super::progress::{self, Entered};
use super::session::Session;
use super::transaction::Transaction;
use super::tree::Tree;
use super::unwinding;
use super::{Failure, Phase};
use crate::caught::{caught, quietly};
use crate::controller::{Hook, Origin};
use crate::envelope::Snapshot;
use crate::{Controller, Error};

/// A snapshot that has arrived and is whole: its header, length and digest are right.
///
/// ```no_run
/// # use snapshot_core::{Controller, Incoming, Session};
/// # use std::sync::Arc;
/// # async fn restore<R: Controller>(bytes: Vec<u8>) -> Result<Arc<R>, Box<dyn std::error::Error>> {
/// let session = Session::new();
/// let imported = Incoming::open(bytes)?.import::<R>()?;
/// let patched = imported.patch(&session).await?;
/// Ok(patched.resume(&session).await?)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Incoming {
    snapshot: Snapshot,
}

impl From<Snapshot> for Incoming {
    fn from(snapshot: Snapshot) -> Self {
        Self { snapshot }
    }
}

impl Incoming {
    /// Takes the bytes of a snapshot.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::from_bytes`].
    pub fn open(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        Snapshot::from_bytes(bytes).map(Self::from)
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Where the snapshot comes from, as far as it says so itself.
    pub(super) fn origin(&self) -> Origin {
        self.snapshot.shared_provenance().map_or(Origin::Unknown, Origin::Stored)
    }

    /// Verifies the snapshot as [`Incoming::import`] does, without building anything, whatever
    /// registered type its root is of; and tells what is in it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the snapshot, at once.
    pub fn preview(&self) -> Result<Preview, Error> {
        preview::decode_any(&self.snapshot)
    }

    /// Verifies the snapshot as [`Incoming::import`] does, without building anything, and tells
    /// what is in it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the snapshot, at once.
    pub fn check<R: Controller>(&self) -> Result<Preview, Error> {
        preview::decode::<R>(&self.snapshot).map(|verified| verified.preview(&self.snapshot))
    }

    /// Verifies the snapshot and then builds its controllers, children before parents. They are
    /// inert, each in its `import_as` stage: nothing on this host has changed yet.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the snapshot, at once, each with its controller and its field:
    /// what is wrong within the payloads, and what does not fit among the controllers (ids that are
    /// there twice, cycles, references to nothing) and their stages. Only what a payload that cannot
    /// be read would have said is not known, and so references are told of when all can be read. If
    /// all fits, every controller that could not be built. Nothing is left behind.
    pub fn import<R: Controller>(self) -> Result<Imported<R>, Error> {
        unwinding::warn_once();
        let span = progress::span(|| tracing::info_span!("phase", phase = Phase::Import.as_str()));
        let _in_span = Entered::into(&span);
        let began = Instant::now();
        match caught(|| preview::decode::<R>(&self.snapshot)).and_then(build) {
            Ok((root, tree, stages)) => {
                let (controllers, bytes) = (tree.nodes().len(), self.snapshot.len());
                quietly(|| tracing::info!(controllers, bytes, took = ?began.elapsed(), "done"));
                let claim = Claim::destination(&tree);
                let (origin, took) = (self.origin(), began.elapsed());
                Ok(Imported { root, claim, tree, stages, took, began, origin })
            }
            Err(error) => {
                quietly(
                    || tracing::error!(took = ?began.elapsed(), error = %error.on_one_line(), "failed"),
                );
                Err(error)
            }
        }
    }
}

/// A tree of controllers that were verified and built, and are inert. Dropping it undoes it.
///
/// Until it is live no controller may be added to it, removed or moved, since that one would be neither
/// patched nor resumed, and no [`Source`](crate::Source) can freeze one of its controllers.
#[must_use = "an imported tree does nothing before patch and resume"]
pub struct Imported<R: Controller> {
    pub(super) root: Arc<R>,
    pub(super) tree: Arc<Tree>,
    pub(super) claim: Claim,
    pub(super) stages: Vec<Option<i32>>,
    pub(super) began: Instant,
    pub(super) took: Duration,
    pub(super) origin: Origin,
}

impl<R: Controller> Imported<R> {
    /// The root of the tree.
    pub fn root(&self) -> &Arc<R> {
        &self.root
    }

    /// Binds every controller to this host, parents before children and each after what it comes
    /// after.
    ///
    /// Run it in a task of its own: if the future is dropped half-way, what was bound stays bound
    /// until [`Abandoned::abort`](crate::Abandoned::abort).
    ///
    /// # Errors
    ///
    /// If a hook fails, panics, passes its deadline or is cancelled, or if controllers came or went since
    /// the import. Every controller whose patch had begun is aborted.
    pub async fn patch(self, session: &Session) -> Result<Patched<R>, Failure> {
        let Imported { root, tree, claim, stages, began, took, origin } = self;
        let session = Arc::new(session.clone().with_origin_or(&origin));
        session.record_import(began, took);
        session.begin_blackout();
        let journal = Journal::with_stages(stages);
        let mut transaction = Transaction::new(tree, session, journal, End::Abort, claim);
        let patched = match transaction.check_unchanged(Phase::Patch, When::Patch).await {
            Ok(()) => transaction.advance(Hook::Patch).await,
            Err(failure) => Err(failure),
        };
        match patched {
            Ok(()) => Ok(Patched { root, transaction }),
            Err(failure) => {
                // Before the tree, which knows what to do if a destructor panics.
                drop(root);
                Err(failure)
            }
        }
    }

    /// Gives the tree up: every controller goes to its `abort_to` stage. No hook runs, since
    /// nothing was begun.
    pub fn abort(self) {
        let Imported { root, tree, stages, .. } = self;
        drop(root);
        Journal::with_stages(stages).retire(&tree, &Session::new());
    }
}

/// A tree of controllers that are bound to this host and not live yet.
///
/// It ends by [`resume`](Patched::resume) or [`abort`](Patched::abort). If it is dropped instead,
/// an error is logged, and what it has bound stays bound until
/// [`Abandoned::abort`](crate::Abandoned::abort).
#[must_use = "a patched tree holds resources of this host until resume or abort"]
pub struct Patched<R: Controller> {
    pub(super) root: Arc<R>,
    pub(super) transaction: Transaction,
}

impl<R: Controller> Patched<R> {
    /// The root of the tree.
    pub fn root(&self) -> &Arc<R> {
        &self.root
    }

    /// Makes every controller live, parents before children and each after what it comes after;
    /// each is in the stage that it was saved in, unless it has entered another one on its own, see
    /// [`Timeline::late_stages`](crate::Timeline::late_stages).
    ///
    /// Run it in a task of its own, as [`Imported::patch`].
    ///
    /// # Errors
    ///
    /// If a hook fails, panics, passes its deadline or is cancelled, or if controllers came or went since
    /// the patch began. Every controller is aborted.
    pub async fn resume(self, session: &Session) -> Result<Arc<R>, Failure> {
        self.resume_revocably(session).await.map(Resumed::go_live)
    }

    /// Runs the `resume` hooks as [`resume`](Patched::resume) does, and keeps the way back: until
    /// [`Resumed::go_live`] the tree can be aborted, as where a second process has the last word, or
    /// a durable mark must be written first.
    ///
    /// # Errors
    ///
    /// As [`resume`](Patched::resume).
    pub async fn resume_revocably(self, session: &Session) -> Result<Resumed<R>, Failure> {
        let Patched { root, mut transaction } = self;
        let origin = transaction.session.find_origin();
        transaction.session = Arc::new(session.clone().with_origin_or(origin));
        let resumed = match transaction.check_unchanged(Phase::Resume, When::Resume).await {
            Ok(()) => transaction.advance(Hook::Resume).await,
            Err(failure) => Err(failure),
        };
        match resumed {
            Ok(()) => Ok(Resumed { root, transaction }),
            Err(failure) => {
                // As after a patch.
                drop(root);
                Err(failure)
            }
        }
    }

    /// Aborts every controller, in reverse: this host is as it was before the patch.
    ///
    /// # Errors
    ///
    /// What the hooks fail with; the others run all the same.
    pub async fn abort(self) -> Result<(), Failure> {
        let Patched { root, mut transaction } = self;
        // The tree has it too, and knows what to do if its destructor panics.
        drop(root);
        transaction.finish(End::Abort).await
    }
}

/// A tree whose `resume` hooks have run and that can still be aborted, see
/// [`Patched::resume_revocably`].
///
/// It ends by [`go_live`](Resumed::go_live) or [`abort`](Resumed::abort). If it is dropped instead, an
/// error is logged, and it stays as it is until [`Abandoned::abort`](crate::Abandoned::abort).
#[must_use = "a resumed tree is neither live nor given up until `go_live` or `abort`"]
pub struct Resumed<R: Controller> {
    root: Arc<R>,
    transaction: Transaction,
}

impl<R: Controller> Resumed<R> {
    /// The root of the tree.
    pub fn root(&self) -> &Arc<R> {
        &self.root
    }

    /// The tree is live: there is no way back any more.
    pub fn go_live(self) -> Arc<R> {
        let Resumed { root, mut transaction } = self;
        transaction.close();
        root
    }

    /// Aborts every controller, in reverse: this host is as it was before the import.
    ///
    /// # Errors
    ///
    /// What the hooks fail with; the others run all the same.
    pub async fn abort(self) -> Result<(), Failure> {
        let Resumed { root, mut transaction } = self;
        // The tree has it too, and knows what to do if its destructor panics.
        drop(root);
        transaction.finish(End::Abort).await
    }
}

impl<R: Controller> fmt::Debug for Resumed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controllers = self.transaction.tree.nodes().len();
        f.debug_struct("Resumed").field("controllers", &controllers).finish_non_exhaustive()
    }
}

impl<R: Controller> fmt::Debug for Imported<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controllers = self.tree.nodes().len();
        f.debug_struct("Imported").field("controllers", &controllers).finish_non_exhaustive()
    }
}

impl<R: Controller> fmt::Debug for Patched<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controllers = self.transaction.tree.nodes().len();
        f.debug_struct("Patched").field("controllers", &controllers).finish_non_exhaustive()
    }
}
