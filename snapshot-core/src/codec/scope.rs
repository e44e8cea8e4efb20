//! The scope of a save or a read. The rooms above implement it; the codec asks once per payload or
//! controller, never per field.

use std::any::Any;
use std::fmt;
use std::ops::Range;

use crate::error::Error;
use crate::schema::MessageDescriptor;
use crate::visit::ChildCell;

/// The scope of a save: that of a frozen tree, that for an older peer, that without controllers.
pub(crate) trait SaveScope: Any + fmt::Debug + Send + Sync {
    /// Returns the schema version in which payloads of this type are saved; 0 for the current one.
    fn version_of(&self, type_url: &str) -> u32 {
        let _ = type_url;
        0
    }

    /// Returns the type URL that payloads of this type are saved under, if that is an earlier one.
    fn type_url_of(&self, own: &'static str) -> &'static str {
        own
    }

    /// A value that only older payloads are without is not there, where `position` bytes are written.
    /// Returns whether that is noted; otherwise the value must be there.
    fn absent(&mut self, position: usize) -> bool {
        let _ = position;
        false
    }

    /// Returns whether the destination has no controllers of some types that may stay behind.
    fn has_unknown_types(&self) -> bool {
        false
    }

    /// Returns whether the destination has no controller of this child's type.
    fn is_unknown(&self, child: &dyn ChildCell) -> bool {
        let _ = child;
        false
    }

    /// A field stays behind. Returns whether that is noted; otherwise it must not stay behind.
    fn leave_behind(&mut self, left: LeftBehind) -> bool {
        let _ = left;
        false
    }

    /// Announces that a controller is about to be written.
    ///
    /// # Errors
    ///
    /// If it must not be written.
    fn child(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Begins the payload of the controller at this address, which was found in the stage `found`.
    /// Returns the stage in which it is saved, if that may be another one.
    fn enter(&mut self, address: usize, type_url: &'static str, found: Option<i32>) -> Option<i32> {
        let _ = (address, type_url, found);
        None
    }

    /// Ends the payload of the controller, which was written from one position to the other.
    fn leave(&mut self, address: usize, written: Range<usize>) {
        let _ = (address, written);
    }
}

/// A field that stays behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftBehind {
    /// The name of the proto field.
    pub(crate) field: &'static str,
    /// The addresses of the controllers in it, in the order of the field, without those inside of them.
    pub(crate) children: Vec<usize>,
    /// Whether the destination has the field, and only not the controllers in it.
    pub(crate) for_its_controllers: bool,
}

/// The scope of a read: a search for all errors, or a read that is observed.
pub(crate) trait ReadScope: fmt::Debug {
    /// Announces that a payload of this type is about to be read.
    fn payload(&self, type_url: &'static str, message: &'static MessageDescriptor) {
        let _ = (type_url, message);
    }

    /// Returns whether panics in payloads are ordinary errors, because all errors are wanted.
    fn looks_closely(&self) -> bool {
        false
    }

    /// Returns whether a payload refuses a stage that may not be saved. Normally the stages are
    /// checked when the whole tree is read; but if that fails, there is no tree in which to check
    /// them.
    fn checks_stages(&self) -> bool {
        false
    }

    /// Returns whether unreadable controllers are left out.
    fn leaves_out(&self) -> bool {
        false
    }

    /// Returns whether the program already has a controller with exactly this payload for the place of
    /// `child`. The scope then has put it there, and the payload is not read.
    ///
    /// # Errors
    ///
    /// If the read is to end.
    fn has_already(
        &self,
        type_url: &str,
        payload: &[u8],
        child: &dyn ChildCell,
    ) -> Result<bool, Error> {
        let _ = (type_url, payload, child);
        Ok(false)
    }

    /// Announces an ignored or discarded field, whose tag starts at `offset`.
    fn ignored(&self, offset: usize) {
        let _ = offset;
    }
}
