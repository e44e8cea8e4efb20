//! Values behind an `Arc` that one save meets more than once.

use std::collections::HashMap;

use crate::Error;

/// The values that were met, by their addresses. Only those whose `Arc` is held more than once are
/// noted, so a save without such values pays nothing.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Where in the output each was put.
    #[expect(clippy::box_collection, reason = "each writer has the field, few have a value in it")]
    met: Option<Box<HashMap<usize, usize>>>,
    /// Whether what is put now may be in other places too.
    paused: bool,
}

impl Shared {
    /// Notes that the value at this address is put at `position`.
    ///
    /// # Errors
    ///
    /// It was put before.
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

    /// Forgets the values that were put after `mark`.
    pub(super) fn rewind(&mut self, mark: usize) {
        if let Some(met) = &mut self.met {
            met.retain(|_, position| *position < mark);
        }
    }

    /// Stops or continues to note values. Returns what it did before.
    pub(super) fn pause(&mut self, paused: bool) -> bool {
        std::mem::replace(&mut self.paused, paused)
    }
}
