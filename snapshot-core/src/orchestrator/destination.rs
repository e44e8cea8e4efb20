//! The destination's side: open, import, patch, resume.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::build::build;
use super::changes::When;
use super::claims::Claim;
use super::end::End;
use super::importing::Importing;
use super::journal::Journal;
use super::preview::{self, Preview};
use super::progress::{self, Entered};
use super::session::Session;
use super::transaction::Transaction;
use super::tree::Tree;
use super::unwinding;
use super::{Failure, Phase};
use crate::controller::{Hook, Origin};
use crate::envelope::Snapshot;
use crate::panics::{caught, quietly};
use crate::{Controller, Error};

/// A snapshot that has arrived intact: its header, length and digest are right.
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
    /// Accepts the bytes of a snapshot.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::from_bytes`].
    pub fn open(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        Snapshot::from_bytes(bytes).map(Self::from)
    }

    /// Returns the snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the origin of the snapshot, if its provenance states it.
    pub(super) fn origin(&self) -> Origin {
        self.snapshot.shared_provenance().map_or(Origin::Unknown, Origin::Stored)
    }

    /// Verifies the snapshot as [`Incoming::import`] does, without building anything. The root may
    /// be of any registered type. Returns a description of the content.
    ///
    /// # Errors
    ///
    /// All problems of the snapshot, reported together.
    pub fn preview(&self) -> Result<Preview, Error> {
        preview::decode_any(&self.snapshot)
    }

    /// Verifies the snapshot as [`Incoming::import`] does, without building anything. Returns a
    /// description of the content.
    ///
    /// # Errors
    ///
    /// All problems of the snapshot, reported together.
    pub fn check<R: Controller>(&self) -> Result<Preview, Error> {
        preview::decode::<R>(&self.snapshot).map(|verified| verified.preview(&self.snapshot))
    }

    /// Verifies the snapshot and then builds its controllers, children before parents. They are
    /// inert, each in its `import_as` stage: nothing on this host has changed yet.
    ///
    /// # Errors
    ///
    /// All problems of the snapshot, reported together, each with its controller and its field:
    /// wrong values within payloads, and contradictions among the controllers (duplicate ids,
    /// cycles, unresolved references) and their stages. The content of an unreadable payload is not
    /// checked, so references are reported only if all payloads can be read. If the snapshot is
    /// valid: one error for every controller that could not be built. Nothing is left behind.
    pub fn import<R: Controller>(self) -> Result<Imported<R>, Error> {
        unwinding::warn_once();
        let span = progress::span(|| tracing::info_span!("phase", phase = Phase::Import.as_str()));
        let _in_span = Entered::into(&span);
        let began = Instant::now();
        let importing = Importing::new(Phase::Import);
        let read = importing.reading(|| caught(|| preview::decode::<R>(&self.snapshot)));
        match read.and_then(|verified| build(verified, &importing)) {
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

/// A tree of controllers that were verified and built, and are inert. Dropping it undoes the
/// import.
///
/// Until it is live, no controller may be added to it, removed or moved, because an added one would
/// be neither patched nor resumed; and no [`Source`](crate::Source) can freeze one of its
/// controllers.
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
    /// Returns the root of the tree.
    pub fn root(&self) -> &Arc<R> {
        &self.root
    }

    /// Binds every controller to this host, parents before children, and each after the controllers
    /// that it comes after.
    ///
    /// Run it in a task of its own: if the future is dropped half-way, the resources that it has
    /// bound stay bound until [`Abandoned::abort`](crate::Abandoned::abort).
    ///
    /// # Errors
    ///
    /// If a hook fails, panics, exceeds its deadline or is cancelled, or if controllers were added
    /// or removed since the import. Every controller whose patch had begun is aborted.
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
                // Dropped before the tree, which handles a panic of a destructor.
                drop(root);
                Err(failure)
            }
        }
    }

    /// Gives the tree up: every controller goes to its `abort_to` stage. No hook runs, because none
    /// has begun.
    pub fn abort(self) {
        let Imported { root, tree, stages, .. } = self;
        drop(root);
        Journal::with_stages(stages).retire(&tree, &Session::new());
    }
}

/// A tree of controllers that are bound to this host and not yet live.
///
/// It ends by [`resume`](Patched::resume) or [`abort`](Patched::abort). If it is dropped instead,
/// an error is logged, and its resources stay bound until
/// [`Abandoned::abort`](crate::Abandoned::abort).
#[must_use = "a patched tree holds resources of this host until resume or abort"]
pub struct Patched<R: Controller> {
    pub(super) root: Arc<R>,
    pub(super) transaction: Transaction,
}

impl<R: Controller> Patched<R> {
    /// Returns the root of the tree.
    pub fn root(&self) -> &Arc<R> {
        &self.root
    }

    /// Makes every controller live, parents before children, and each after the controllers that it
    /// comes after. Each is in the stage in which it was saved, unless it has entered another one
    /// on its own: see [`Timeline::late_stages`](crate::Timeline::late_stages).
    ///
    /// Run it in a task of its own, as [`Imported::patch`].
    ///
    /// # Errors
    ///
    /// If a hook fails, panics, exceeds its deadline or is cancelled, or if controllers were added
    /// or removed since the patch began. Every controller is aborted.
    pub async fn resume(self, session: &Session) -> Result<Arc<R>, Failure> {
        self.resume_revocably(session).await.map(Resumed::go_live)
    }

    /// Runs the `resume` hooks as [`resume`](Patched::resume) does, but keeps the way back: until
    /// [`Resumed::go_live`] the tree can be aborted. Use it if a second process has the last word,
    /// or if a durable mark must be written first.
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
    /// The errors of the hooks; the other hooks still run.
    pub async fn abort(self) -> Result<(), Failure> {
        let Patched { root, mut transaction } = self;
        // The tree holds the root too, and handles a panic of its destructor.
        drop(root);
        transaction.finish(End::Abort).await
    }
}

/// A tree whose `resume` hooks have run and that can still be aborted: see
/// [`Patched::resume_revocably`].
///
/// It ends by [`go_live`](Resumed::go_live) or [`abort`](Resumed::abort). If it is dropped instead,
/// an error is logged, and it stays as it is until [`Abandoned::abort`](crate::Abandoned::abort).
#[must_use = "a resumed tree is neither live nor given up until `go_live` or `abort`"]
pub struct Resumed<R: Controller> {
    root: Arc<R>,
    transaction: Transaction,
}

impl<R: Controller> Resumed<R> {
    /// Returns the root of the tree.
    pub fn root(&self) -> &Arc<R> {
        &self.root
    }

    /// Declares the tree live: from here there is no way back.
    pub fn go_live(self) -> Arc<R> {
        let Resumed { root, mut transaction } = self;
        transaction.close();
        root
    }

    /// Aborts every controller, in reverse: this host is as it was before the import.
    ///
    /// # Errors
    ///
    /// The errors of the hooks; the other hooks still run.
    pub async fn abort(self) -> Result<(), Failure> {
        let Resumed { root, mut transaction } = self;
        // The tree holds the root too, and handles a panic of its destructor.
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
