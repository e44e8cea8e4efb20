//! Collects the errors of values that are written one after the other, from the last to the first.

use std::collections::VecDeque;

use crate::Error;

/// The errors of the values in one collection, in the order of the wire.
///
/// After an error the writer continues with garbage, which is discarded with the save, so that the
/// errors of other values are found too. The number of errors is limited, however many values are
/// refused.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    kept: VecDeque<Error>,
    /// The number of findings that are not kept: those of the last values.
    dropped: usize,
}

impl Refusals {
    /// Adds the error of a value in front of all that were written so far.
    #[cold]
    #[inline(never)]
    fn add(&mut self, error: Error) {
        self.kept.push_front(error);
        if self.kept.len() > Error::LIMIT
            && let Some(last) = self.kept.pop_back()
        {
            self.dropped += last.findings().count() + last.dropped();
        }
    }

    /// Returns all of them as one error.
    #[cold]
    #[inline(never)]
    fn into_result(self) -> Result<(), Error> {
        Error::collect(self.kept).map_err(|error| error.and_dropped(self.dropped))
    }
}

/// Adds the error of a value in front of all that were written so far. By value, so that nothing is
/// in memory without an error.
#[cold]
#[inline(never)]
pub(crate) fn refuse(refusals: Option<Box<Refusals>>, error: Error) -> Option<Box<Refusals>> {
    let mut refusals = refusals.unwrap_or_default();
    refusals.add(error);
    Some(refusals)
}

/// Returns the result for the whole collection.
#[inline(always)]
pub(crate) fn end(refusals: Option<Box<Refusals>>) -> Result<(), Error> {
    match refusals {
        None => Ok(()),
        Some(refusals) => refusals.into_result(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_in_the_order_of_the_wire_and_those_beyond_the_limit_are_counted() {
        const VALUES: usize = 100_000;
        let mut refusals = None;
        for value in (0..VALUES).rev() {
            let twice = Error::invalid("first").and(Error::invalid("second"));
            refusals = refuse(refusals, twice.in_index(value));
        }
        let error = end(refusals).unwrap_err();
        let texts: Vec<String> = error.findings().map(ToString::to_string).collect();
        assert_eq!(texts.len(), Error::LIMIT);
        assert_eq!(texts[..3], ["[0]: first", "[0]: second", "[1]: first"]);
        assert_eq!(texts.len() + error.dropped(), 2 * VALUES);
        assert!(end(None).is_ok());
    }
}
