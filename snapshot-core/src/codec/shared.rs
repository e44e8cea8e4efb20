//! Finds values behind an `Arc` that one save meets more than once.

use std::collections::HashMap;

use crate::Error;

/// The values so far, by their addresses. Only those whose `Arc` is held more than once are
/// recorded, so a save without such values pays nothing.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The position of each in the output.
    #[expect(clippy::box_collection, reason = "each writer has the field, few have a value in it")]
    met: Option<Box<HashMap<usize, usize>>>,
    /// Whether the value that is written now may be in other places too.
    paused: bool,
}

impl Shared {
    /// Records that the value at this address is written at `position`.
    ///
    /// # Errors
    ///
    /// If it was written before.
    #[cold]
    pub(super) fn meet(&mut self, address: usize, position: usize) -> Result<(), Error> {
        if self.paused {
            return Ok(());
        }
        match self.met.get_or_insert_default().insert(address, position) {
            None => Ok(()),
            Some(_) => Err(Error::invalid(
                "its `Arc` is also in another place of the tree, and each place would get a \
                 separate value: hold it once and refer to it, or allow a separate value here: \
                 #[snapshot(unshared)]",
            )),
        }
    }

    /// Forgets the values that were written after `mark`.
    pub(super) fn rewind(&mut self, mark: usize) {
        if let Some(met) = &mut self.met {
            met.retain(|_, position| *position < mark);
        }
    }

    /// Stops or continues to record values. Returns the previous setting.
    pub(super) fn pause(&mut self, paused: bool) -> bool {
        std::mem::replace(&mut self.paused, paused)
    }
}
