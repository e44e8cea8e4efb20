//! The scope of a save or a read. The rooms above implement it; the codec asks once per payload or
//! controller, never per field.

use std::any::Any;
use std::fmt;

use crate::error::Error;
use crate::schema::MessageDescriptor;

/// The scope of a save: that of a frozen tree, that for an older peer, that without controllers.
pub(crate) trait SaveScope: Any + fmt::Debug + Send + Sync {
    /// Returns the schema version in which payloads of this type are saved; 0 for the current one.
    fn version_of(&self, type_url: &str) -> u32 {
        let _ = type_url;
        0
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

    /// Ends the payload of the controller, which has this many bytes.
    fn leave(&mut self, address: usize, length: usize) {
        let _ = (address, length);
    }
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

    /// Announces an ignored or discarded field, whose tag starts at `offset`.
    fn ignored(&self, offset: usize) {
        let _ = offset;
    }
}
