//! The fields with `skip` when a later state takes the place of an earlier one.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// What may have fields with `skip` inside: every state, and what may hold one. Whatever does not implement
/// it has none that can stay.
pub trait Keep {
    /// Takes the fields with `skip` from the state that this one replaces, here and in nested states.
    fn keep_from(&mut self, earlier: &mut Self) {
        let _ = earlier;
    }
}

impl<T: Keep> Keep for Option<T> {
    fn keep_from(&mut self, earlier: &mut Self) {
        if let (Some(later), Some(earlier)) = (self, earlier) {
            later.keep_from(earlier);
        }
    }
}

impl<T: Keep> Keep for Box<T> {
    fn keep_from(&mut self, earlier: &mut Self) {
        (**self).keep_from(earlier);
    }
}

impl<T: Keep> Keep for Arc<T> {
    fn keep_from(&mut self, earlier: &mut Self) {
        // One that somebody else holds cannot be taken apart.
        if let (Some(later), Some(earlier)) = (Arc::get_mut(self), Arc::get_mut(earlier)) {
            later.keep_from(earlier);
        }
    }
}

impl<T: Keep, const N: usize> Keep for [T; N] {
    fn keep_from(&mut self, earlier: &mut Self) {
        self.iter_mut().zip(earlier).for_each(|(later, earlier)| later.keep_from(earlier));
    }
}

impl<K: Eq + Hash, V: Keep, S: BuildHasher> Keep for HashMap<K, V, S> {
    fn keep_from(&mut self, earlier: &mut Self) {
        for (key, later) in self {
            if let Some(earlier) = earlier.get_mut(key) {
                later.keep_from(earlier);
            }
        }
    }
}

impl<K: Ord, V: Keep> Keep for BTreeMap<K, V> {
    fn keep_from(&mut self, earlier: &mut Self) {
        for (key, later) in self {
            if let Some(earlier) = earlier.get_mut(key) {
                later.keep_from(earlier);
            }
        }
    }
}

/// A value and the one that it replaces. Which `keep` is called depends on whether the type is [`Keep`]:
/// the compiler prefers the receiver by value.
pub struct Later<'s, T>(pub &'s mut T, pub &'s mut T);

/// For values with something inside that stays.
pub trait Keeps {
    /// Takes what stays from the earlier value.
    fn keep(self);
}

impl<T: Keep> Keeps for Later<'_, T> {
    #[inline]
    fn keep(self) {
        self.0.keep_from(self.1);
    }
}

/// For values with nothing inside that stays.
pub trait KeepsNothing {
    /// Does nothing.
    fn keep(self);
}

impl<T> KeepsNothing for &Later<'_, T> {
    #[inline]
    fn keep(self) {}
}
