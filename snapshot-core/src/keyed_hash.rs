//! A fast hash with secret keys, for text from snapshots: a writer who does not know the keys cannot
//! choose texts whose hashes are equal.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The keys of a hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashKeys {
    seed: u64,
    key: u64,
}

impl HashKeys {
    /// Draws new keys.
    pub(crate) fn random() -> Self {
        let random = RandomState::new();
        Self { seed: random.hash_one(0), key: random.hash_one(1) }
    }

    /// Returns the hash of no text.
    pub(crate) fn none(self) -> u64 {
        self.seed
    }

    /// Returns the hash of some bytes after those with the hash `before`.
    ///
    /// It hashes eight bytes at a time, each folded in by one multiplication, as wyhash does. The
    /// standard hash takes several times as long for short texts.
    #[inline]
    pub(crate) fn after(self, before: u64, bytes: &[u8]) -> u64 {
        let fold = |a: u64, b: u64| {
            let product = u128::from(a) * u128::from(b);
            product as u64 ^ (product >> 64) as u64
        };
        let (words, rest) = bytes.as_chunks::<8>();
        // The last eight bytes, some of them once more, or all if there are fewer.
        let last = match bytes.last_chunk() {
            Some(last) => u64::from_le_bytes(*last),
            None => rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]);
        let hash = words.fold(before, |hash, word| fold(hash ^ word, self.key | 1));
        // The length tells apart texts that have the same words.
        fold(hash ^ bytes.len() as u64, self.seed | 1)
    }
}

impl BuildHasher for HashKeys {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher { keys: *self, hash: self.none() }
    }
}

/// Hashes the bytes that are written to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyedHasher {
    keys: HashKeys,
    hash: u64,
}

impl Hasher for KeyedHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.hash = self.keys.after(self.hash, bytes);
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn different_texts_and_other_keys_have_different_hashes() {
        let keys = HashKeys::random();
        let texts = (0..20).flat_map(|length| [vec![0; length], vec![7; length]]);
        let hashes: HashSet<u64> = texts.map(|text| keys.after(keys.none(), &text)).collect();
        // Two texts are empty, and so have one hash. The others differ, although some are equal but
        // for zeros at their ends.
        assert_eq!(hashes.len(), 39);
        assert!(!hashes.contains(&HashKeys::random().after(keys.none(), b"text")));
        let parts = keys.after(keys.after(keys.none(), b"a"), b"b");
        assert_ne!(parts, keys.after(keys.none(), b"ab"));
    }
}
