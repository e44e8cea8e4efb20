//! Keeps the fields with `skip` when a later state replaces an earlier one.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// A type that may have fields with `skip` inside: every state, and every type that may hold one. A
/// type that does not implement it has no such fields.
pub trait Keep {
    /// Takes the fields with `skip` from the replaced state, here and in nested states.
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
        // A value that somebody else holds, too, cannot be taken apart.
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

/// A value and the one that it replaces. The compiler chooses `keep` by whether the type is
/// [`Keep`]: it prefers the receiver by value.
pub struct Later<'s, T>(pub &'s mut T, pub &'s mut T);

/// For values with fields that stay.
pub trait Keeps {
    /// Takes these fields from the earlier value.
    fn keep(self);
}

impl<T: Keep> Keeps for Later<'_, T> {
    fn keep(self) {
        self.0.keep_from(self.1);
    }
}

/// For values without fields that stay.
pub trait KeepsNothing {
    /// Does nothing.
    fn keep(self);
}

impl<T> KeepsNothing for &Later<'_, T> {
    fn keep(self) {}
}
