//! What a save or a read is a part of. The rooms above implement it; the codec asks once per payload or
//! controller, never per field.

use std::any::Any;
use std::fmt;

use crate::error::Error;
use crate::schema::MessageDescriptor;

/// What a save is a part of: the save of a frozen tree, for an older peer, without controllers.
pub(crate) trait SaveScope: Any + fmt::Debug + Send + Sync {
    /// Returns the schema version in which payloads of this type are saved; 0 for the current one.
    fn version_of(&self, type_url: &str) -> u32 {
        let _ = type_url;
        0
    }

    /// A controller is about to be put.
    ///
    /// # Errors
    ///
    /// It must not be put.
    fn child(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// The payload of the controller at this address is put from now on. It was found in the stage
    /// `found`. Returns the stage that it is saved in, if that may be another one.
    fn enter(&mut self, address: usize, type_url: &'static str, found: Option<i32>) -> Option<i32> {
        let _ = (address, type_url, found);
        None
    }

    /// The payload of a controller was put, which is this many bytes long.
    fn leave(&mut self, address: usize, length: usize) {
        let _ = (address, length);
    }
}

/// What a read is a part of: one that looks for all errors, or one that is watched.
pub(crate) trait ReadScope: fmt::Debug {
    /// A payload of this type is about to be read.
    fn payload(&self, type_url: &'static str, message: &'static MessageDescriptor) {
        let _ = (type_url, message);
    }

    /// Returns whether panics in payloads are errors like others, since all errors are wanted.
    fn looks_closely(&self) -> bool {
        false
    }

    /// Returns whether a payload refuses a stage that it may not be saved in. Normally the stages are
    /// checked when the whole tree is there; but where reading fails there is no tree to check them in.
    fn checks_stages(&self) -> bool {
        false
    }

    /// Returns whether controllers that cannot be read are left out.
    fn leaves_out(&self) -> bool {
        false
    }

    /// An ignored or discarded field, whose tag starts at `offset`, is passed over.
    fn ignored(&self, offset: usize) {
        let _ = offset;
    }
}
