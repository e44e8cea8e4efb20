//! Aligns the elements of two lists.

use std::hash::Hash;
use std::time::Instant;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

/// Returns the elements that are not in both lists, in the order of the later list: removed elements, added
/// elements, and pairs of replaced elements. Elements with equal keys are the same.
///
/// After the deadline the result is still correct, but can be longer than necessary.
pub(super) fn changes<'a, K: Hash + Eq, T>(
    one: &[K],
    other: &[K],
    a: &'a [T],
    b: &'a [T],
    deadline: Instant,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut pairs = Vec::new();
    for change in capture_diff_slices_deadline(Algorithm::Myers, one, other, Some(deadline)) {
        let (old, new) = match change {
            DiffOp::Equal { .. } => continue,
            DiffOp::Delete { old_index, old_len, new_index } => {
                (old_index..old_index + old_len, new_index..new_index)
            }
            DiffOp::Insert { old_index, new_index, new_len } => {
                (old_index..old_index, new_index..new_index + new_len)
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                (old_index..old_index + old_len, new_index..new_index + new_len)
            }
        };
        let (old, new) = (a.get(old).unwrap_or_default(), b.get(new).unwrap_or_default());
        pairs.extend((0..old.len().max(new.len())).map(|at| (old.get(at), new.get(at))));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn changes(a: &[u32], b: &[u32]) -> Vec<(Option<u32>, Option<u32>)> {
        let deadline = Instant::now() + Duration::from_secs(1);
        let found = super::changes(a, b, a, b, deadline).into_iter();
        found.map(|(a, b)| (a.copied(), b.copied())).collect()
    }

    #[test]
    fn one_inserted_and_one_removed_element_are_two_changes() {
        assert_eq!(changes(&[1, 2, 3], &[0, 1, 2, 3]), [(None, Some(0))]);
        assert_eq!(changes(&[0, 1, 2, 3], &[1, 2, 3]), [(Some(0), None)]);
        assert_eq!(changes(&[1, 2, 3, 4], &[0, 1, 3, 4]), [(None, Some(0)), (Some(2), None)]);
        assert_eq!(changes(&[1, 2, 3], &[1, 9, 3]), [(Some(2), Some(9))]);
        assert_eq!(changes(&[], &[1]), [(None, Some(1))]);
        assert_eq!(changes(&[7, 7], &[7, 7]), []);
    }

    #[test]
    fn long_lists_with_little_in_common_are_compared_to_their_ends() {
        let a: Vec<u32> = (0..50_000).collect();
        let b: Vec<u32> = (500_000..550_000).collect();
        assert_eq!(changes(&a, &b).len(), 50_000);
        // In the opposite order every element is in both lists.
        let reversed: Vec<u32> = a.iter().rev().copied().collect();
        let found = changes(&a, &reversed);
        let old: Vec<u32> = found.iter().filter_map(|(old, _)| *old).collect();
        let new: Vec<u32> = found.iter().filter_map(|(_, new)| *new).collect();
        // A moved element is removed at one place and added at another.
        assert_eq!(old.len(), new.len());
        assert!(old.is_sorted() && new.is_sorted_by(|a, b| a > b));
    }
}
