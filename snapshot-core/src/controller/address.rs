//! The identity of a controller: its address.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Identifies a controller by its address, for as long as somebody holds the controller.
pub(crate) fn address<T: ?Sized>(node: &T) -> usize {
    std::ptr::from_ref(node).cast::<()>().addr()
}

/// A table with an entry for each controller, by [`address`].
pub(crate) type ByAddress<T> = HashMap<usize, T, BuildHasherDefault<AddressHasher>>;

/// Hashes an address by one multiplication. Addresses come from this program's allocator and not
/// from a snapshot, so nobody can provoke collisions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_usize(byte.into());
        }
    }

    fn write_usize(&mut self, address: usize) {
        // The golden ratio. The low bits of an address are zero. The high bits of the product are
        // well mixed, and the table uses both ends.
        let product = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ product.rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
