//! The budget of memory for a read. It counts the parts that can outgrow their bytes.
//!
//! The budget counts the buffers of lists, maps and sets when they grow, values behind a `Box` or
//! an `Arc`, and the loaded states of controllers with the orchestrator's data for each. It does
//! not count parts that cannot outgrow the input: text and bytes, which are copied once, and
//! messages, which are a part of the value that holds them. So counting an element of a list costs
//! nothing, and the bound still holds.

use crate::error::{Error, plural};

/// The budget of a read besides a multiple of its input.
pub(crate) const FLOOR: u64 = 64 << 20;

/// The budget of a read for each byte of its input.
pub(crate) const MULTIPLE: u64 = 16;

/// The cost of an allocation besides its content: the allocator's own words, and rounding.
const ALLOCATION: usize = 16;

/// The cost of a controller besides its state: its entries in the lists of the orchestrator.
const CONTROLLER: usize = 384;

/// Returns the default budget of a read of this many bytes.
pub(crate) const fn default_budget(input: usize) -> u64 {
    FLOOR.saturating_add(MULTIPLE.saturating_mul(input as u64))
}

/// The rest of a read's budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    budget: u64,
    /// 0 after something did not fit: nothing more is read then.
    left: u64,
}

impl Memory {
    pub(super) const fn new(budget: u64) -> Self {
        Self { budget, left: budget }
    }

    /// Returns the rest of the budget.
    pub(super) fn left(self) -> u64 {
        self.left
    }

    /// Returns whether something did not fit.
    pub(super) fn is_exhausted(self) -> bool {
        self.left == 0
    }

    #[inline]
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Error> {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.exhaust()),
        }
    }

    pub(super) fn charge_if_it_fits(&mut self, bytes: usize) -> bool {
        let fits = bytes as u64 <= self.left / 2;
        if fits {
            self.left -= bytes as u64;
        }
        fits
    }

    pub(super) fn refund(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(bytes as u64).min(self.budget);
    }

    #[cold]
    #[inline(never)]
    fn exhaust(&mut self) -> Error {
        self.left = 0;
        Error::exhausted(format!(
            "needs more memory than the {} byte{s} that this read may use: raise the limit with \
             `ReadOptions::memory`, if you trust the source of the snapshot",
            self.budget,
            s = plural(self.budget)
        ))
    }
}

/// Returns the memory of a list of this many elements.
fn list_of<T>(capacity: usize) -> usize {
    capacity.saturating_mul(size_of::<T>() + own_allocation::<T>())
}

/// Returns the memory of a hash table for this many entries.
pub(crate) fn table_of<T>(capacity: usize) -> usize {
    match capacity {
        0 => 0,
        // At most 7 of 8 buckets are used, each with a byte of its hash.
        _ => (capacity.saturating_mul(8) / 7)
            .checked_next_power_of_two()
            .unwrap_or(usize::MAX)
            .saturating_mul(size_of::<T>() + 1 + own_allocation::<T>()),
    }
}

/// Returns the cost of the allocator for an element that owns memory.
const fn own_allocation<T>() -> usize {
    if std::mem::needs_drop::<T>() { ALLOCATION } else { 0 }
}

/// Returns the memory of one more entry of a B-tree. Its nodes have 11 entries, and may be less
/// than half full.
pub(crate) const fn tree_entry<T>() -> usize {
    2 * size_of::<T>() + 2 * size_of::<usize>() + own_allocation::<T>()
}

/// Returns the memory of a value behind a pointer.
pub(super) const fn pointer_to<T>() -> usize {
    size_of::<T>() + ALLOCATION
}

/// Returns the memory of a controller with this loaded state.
pub(crate) const fn controller_with<T>() -> usize {
    pointer_to::<T>() + CONTROLLER
}

/// Makes room for more elements in a list that is full.
///
/// # Errors
///
/// If the budget does not allow it. Old and new elements take memory until the old ones are moved.
#[cold]
#[inline(never)]
pub(super) fn grow_list<T>(elements: &mut Vec<T>, memory: &mut Memory) -> Result<(), Error> {
    let old = elements.capacity();
    let new = old.saturating_mul(2).max(4);
    memory.charge(list_of::<T>(new))?;
    elements.reserve_exact(new - elements.len());
    memory.refund(list_of::<T>(old));
    Ok(())
}

/// Makes room for a known number of elements in an empty list, if the budget allows it. Otherwise
/// the list grows with its elements.
pub(super) fn presize_list<T>(elements: &mut Vec<T>, count: usize, memory: &mut Memory) {
    if count > 0 && memory.charge_if_it_fits(list_of::<T>(count)) {
        elements.reserve_exact(count);
    }
}

/// Makes room for more entries in a full hash table; `reserve` allocates it.
///
/// # Errors
///
/// As [`grow_list`].
#[cold]
#[inline(never)]
pub(super) fn grow_table<T>(
    capacity: usize,
    reserve: impl FnOnce(usize),
    memory: &mut Memory,
) -> Result<(), Error> {
    memory.charge(table_of::<T>(capacity.saturating_mul(2).max(3)))?;
    reserve(capacity.max(3));
    memory.refund(table_of::<T>(capacity));
    Ok(())
}

/// Makes room for a known number of entries in an empty hash table, if the budget allows it.
pub(super) fn presize_table<T>(count: usize, reserve: impl FnOnce(usize), memory: &mut Memory) {
    if count > 0 && memory.charge_if_it_fits(table_of::<T>(count)) {
        reserve(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_is_exhausted_stays_so() {
        let mut memory = Memory::new(100);
        memory.charge(60).unwrap();
        memory.refund(30);
        memory.charge(70).unwrap();
        let mut memory = Memory::new(100);
        memory.charge(99).unwrap();
        assert!(!memory.is_exhausted());
        let error = memory.charge(2).unwrap_err();
        assert_eq!(error.code(), crate::Code::ResourceExhausted);
        assert!(error.to_string().contains("more memory than the 100 bytes"), "{error}");
        assert!(memory.is_exhausted());
        memory.charge(1).unwrap_err();
    }

    #[test]
    fn a_list_grows_as_far_as_the_budget_goes() {
        let mut memory = Memory::new(16 * 8 + 8 * 8);
        let mut list: Vec<u64> = Vec::new();
        for capacity in [4, 8, 16] {
            grow_list(&mut list, &mut memory).unwrap();
            assert_eq!(list.capacity(), capacity);
            list.resize(capacity, 0);
        }
        grow_list(&mut list, &mut memory).unwrap_err();
        assert_eq!(list.capacity(), 16);
    }
}
