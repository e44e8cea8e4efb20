//! The program's part at the destination, besides the hooks of its controllers.

use std::sync::Arc;

use snapshot_core::{Controller, Error, Session, Snapshot};

use crate::message::Hello;

/// The program's part at the destination, besides the hooks of its controllers. All functions
/// except [`bind`](Host::bind) have a default. A [`Session`] is a host that only binds.
///
/// A panic in one of these functions is an error of the session.
///
/// ```
/// use std::sync::Arc;
/// use snapshot_core::{ControllerSet, Error, Session};
/// use snapshot_handover::{Host, message::Hello};
///
/// struct Node {
///     disks: Arc<Vec<String>>,
/// }
///
/// impl Host<ControllerSet> for Node {
///     fn greet(&mut self, hello: &Hello) -> Result<Vec<u8>, Error> {
///         match hello.note.as_slice() {
///             b"tenant-7" => Ok(Vec::new()),
///             _ => Err(Error::precondition("this node is for tenant-7")),
///         }
///     }
///
///     fn bind(&mut self, _: &Arc<ControllerSet>, _: &[u8]) -> Result<Session, Error> {
///         Ok(Session::new().resource(Arc::clone(&self.disks)))
///     }
/// }
/// ```
pub trait Host<R: Controller>: Send {
    /// Checks the source and gets this host ready. The source still runs. Returns the note of
    /// `Welcome`.
    ///
    /// # Errors
    ///
    /// The reason why this host does not accept the tree. The source receives the reason.
    fn greet(&mut self, hello: &Hello) -> Result<Vec<u8>, Error> {
        let _ = hello;
        Ok(Vec::new())
    }

    /// Keeps the snapshot, which is verified and bound to this host, so that this host can continue
    /// the tree if its process dies after the mark `Live`. Nothing runs yet. See
    /// [`WriteOptions::write_to_path`](snapshot_core::WriteOptions::write_to_path).
    ///
    /// # Errors
    ///
    /// The reason why it cannot be kept. The source receives the reason and keeps the tree.
    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let _ = snapshot;
        Ok(())
    }

    /// Returns the session for the hooks, with the resources of this host. The tree is verified and
    /// built, and inert. `note` came with the bytes.
    ///
    /// It is called for each rehearsal, before the `prepare` hooks, and for the snapshot, before `patch` and
    /// `resume`. The tree is then still as in the last rehearsal.
    ///
    /// # Errors
    ///
    /// The reason why the tree does not fit this host. The source receives the reason.
    fn bind(&mut self, root: &Arc<R>, note: &[u8]) -> Result<Session, Error>;

    /// Starts everything that outlives this process. The mark `Live` is durable, and there is no
    /// way back. Returns the note of `Resumed`.
    ///
    /// A `resume` hook must not start anything that continues if this process is killed, for
    /// example a virtual machine: until the mark is written, the tree may still go back to the
    /// source. Start it here.
    fn go_live(&mut self, root: &Arc<R>) -> Vec<u8> {
        let _ = root;
        Vec::new()
    }

    /// Undoes the resume of a tree, because the mark `Live` could not be written. With the default,
    /// `None`, the `abort` hooks of the tree undo it.
    fn take_back(&mut self, root: &Arc<R>) -> Option<Result<(), Error>> {
        let _ = root;
        None
    }
}

impl<R: Controller> Host<R> for Session {
    fn bind(&mut self, _: &Arc<R>, _: &[u8]) -> Result<Session, Error> {
        Ok(self.clone())
    }
}
