//! Sorts the entries of a hash map or a set into the order of the wire.

use std::cmp::Ordering;

use super::{WireKey, Writer};
use crate::schema::kind::Kind;

/// A key with its [`WireKey::wire_prefix`], and the value that belongs to it.
pub(super) type Ranked<'a, K, V> = (u64, (&'a K, &'a V));

/// With fewer entries than this, buckets cost more than they save.
const FEW: usize = 64;
const BUCKETS: usize = 1 << 10;
/// With more entries than this, a bucket is too large for an insertion sort.
const CROWD: u32 = 32;

/// Returns the entries in the order of the wire, in memory of the writer. [`give_back`] returns the
/// memory.
pub(super) fn ranked<'a, KK: Kind, K: WireKey<KK> + 'a, V: 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    w: &mut Writer,
) -> Vec<Ranked<'a, K, V>> {
    let mut ranked = take_scratch(w);
    ranked.reserve_exact(entries.size_hint().0);
    ranked.extend(entries.map(|(key, value)| (key.wire_prefix(), (key, value))));
    sort::<KK, K, V>(&mut ranked, w);
    ranked
}

/// Calls `report` with each key that is equal on the wire to the one before it, from the last on.
#[inline]
pub(super) fn each_twin<KK: Kind, K: WireKey<KK>, V>(
    ranked: &[Ranked<'_, K, V>],
    mut report: impl FnMut(&K),
) {
    for pair in ranked.windows(2).rev() {
        if let [(a, (first, _)), (b, (second, _))] = pair
            && a == b
            && first.wire_cmp(second).is_eq()
        {
            report(second);
        }
    }
}

/// Takes the largest memory that the writer has kept.
fn take_scratch<T>(w: &mut Writer) -> Vec<T> {
    let largest = w.scratch.iter_mut().max_by_key(|scratch| scratch.capacity());
    reuse(largest.map(std::mem::take).unwrap_or_default())
}

/// Returns the memory to the writer, which keeps the largest.
pub(super) fn give_back<K, V>(ranked: Vec<Ranked<'_, K, V>>, w: &mut Writer) {
    if let Some(least) = w.scratch.iter_mut().min_by_key(|scratch| scratch.capacity())
        && least.capacity() < ranked.capacity()
    {
        *least = reuse(ranked);
    }
}

/// Reuses the memory of a vector for another one. The standard library collects elements of the
/// same layout in place; if it ever stops to do so, this allocates.
fn reuse<A, B>(mut vector: Vec<A>) -> Vec<B> {
    vector.clear();
    vector.into_iter().filter_map(|_| None).collect()
}

/// Sorts with buckets of near prefixes. Hashed keys are mostly ids, whose prefixes are evenly
/// distributed, so few share a bucket.
fn sort<KK: Kind, K: WireKey<KK>, V>(ranked: &mut Vec<Ranked<'_, K, V>>, w: &mut Writer) {
    let (mut least, mut most) = (u64::MAX, 0);
    for (prefix, _) in &*ranked {
        least = least.min(*prefix);
        most = most.max(*prefix);
    }
    if ranked.len() < FEW || least == most {
        return sort_all::<KK, K, V>(ranked);
    }
    // The highest bits in which the prefixes can differ; as many as it takes to number the buckets.
    let bits = (most - least).ilog2() + 1;
    let shift = bits.saturating_sub(BUCKETS.ilog2());
    let bucket = |prefix: u64| ((prefix - least) >> shift) as usize % BUCKETS;
    let mut ends = [0u32; BUCKETS];
    for (prefix, _) in &*ranked {
        ends[bucket(*prefix)] += 1;
    }
    let (mut end, mut largest) = (0, 0);
    for count in &mut ends {
        largest = largest.max(*count);
        end += *count;
        *count = end;
    }
    let mut sorted = take_scratch(w);
    sorted.extend_from_slice(ranked);
    for entry in &*ranked {
        let end = &mut ends[bucket(entry.0)];
        *end -= 1;
        sorted[*end as usize] = *entry;
    }
    // Now each number is the start of its bucket.
    match largest {
        ..CROWD => insert_all::<KK, K, V>(&mut sorted),
        _ => sort_each::<KK, K, V>(&mut sorted, &ends),
    }
    let unsorted = std::mem::replace(ranked, sorted);
    give_back(unsorted, w);
}

/// Sorts entries that are nearly in order: the distance of an entry from its place is less than a
/// bucket.
fn insert_all<KK: Kind, K: WireKey<KK>, V>(ranked: &mut [Ranked<'_, K, V>]) {
    for mut at in 1..ranked.len() {
        while at > 0 && cmp::<KK, K, V>(&ranked[at], &ranked[at - 1]).is_lt() {
            ranked.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// Sorts each of the buckets, which start at these places.
fn sort_each<KK: Kind, K: WireKey<KK>, V>(ranked: &mut [Ranked<'_, K, V>], starts: &[u32]) {
    let mut rest = ranked;
    let mut taken = 0;
    for start in &starts[1..] {
        let (bucket, after) = rest.split_at_mut((start - taken) as usize);
        sort_all::<KK, K, V>(bucket);
        (rest, taken) = (after, *start);
    }
    sort_all::<KK, K, V>(rest);
}

#[inline]
fn cmp<KK: Kind, K: WireKey<KK>, V>(a: &Ranked<'_, K, V>, b: &Ranked<'_, K, V>) -> Ordering {
    a.0.cmp(&b.0).then_with(|| a.1.0.wire_cmp(b.1.0))
}

fn sort_all<KK: Kind, K: WireKey<KK>, V>(ranked: &mut [Ranked<'_, K, V>]) {
    ranked.sort_unstable_by(cmp::<KK, K, V>);
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::schema::kind::{Sint64, String as Text};

    fn keys_in_order<KK: Kind, K: WireKey<KK> + Clone>(keys: &[K]) -> Vec<K> {
        let mut writer = Writer::default();
        let entries = keys.iter().map(|key| (key, &()));
        let ranked = ranked::<KK, K, ()>(entries, &mut writer);
        ranked.iter().map(|it| it.1.0.clone()).collect()
    }

    /// Numbers that look random, and are always the same.
    fn mixed(count: u64) -> impl Iterator<Item = u64> {
        (1..=count).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    #[test]
    fn any_number_of_keys_however_spread_is_brought_in_order() {
        for count in [0, 1, 2, 63, 64, 65, 700, 5000] {
            for spread in [0, 1, 20, 53, 54, 55, 56] {
                let mut keys: Vec<i64> = mixed(count).map(|n| n as i64 >> spread).collect();
                keys.push(i64::MIN);
                keys.push(i64::MAX);
                keys.sort_unstable();
                keys.dedup();
                let expected = keys.clone();
                keys.reverse();
                assert_eq!(keys_in_order::<Sint64, i64>(&keys), expected, "{count} by {spread}");
            }
        }
    }

    #[test]
    fn keys_with_one_prefix_are_told_apart_by_the_rest() {
        let mut keys: Vec<String> = mixed(500).map(|n| format!("/run/scsi/{n:x}")).collect();
        let unsorted = keys.clone();
        keys.sort_unstable();
        assert_eq!(keys_in_order::<Text, String>(&unsorted), keys);
    }

    #[test]
    fn a_key_that_is_there_twice_is_found_wherever_it_is() {
        for at in [0, 5, 499] {
            let mut keys: Vec<i64> = mixed(500).map(|n| n as i64).collect();
            keys.push(keys[at]);
            let entries = keys.iter().map(|key| (key, &()));
            let ranked = ranked::<Sint64, i64, ()>(entries, &mut Writer::default());
            let mut twins = Vec::new();
            each_twin::<Sint64, i64, ()>(&ranked, |key| twins.push(*key));
            assert_eq!(twins, [keys[at]]);
        }
    }

    #[test]
    fn the_memory_of_one_map_serves_the_next() {
        let map: HashMap<i64, u8> = mixed(500).map(|n| (n as i64, 0)).collect();
        let mut writer = Writer::default();
        let mut sort = || {
            let ranked = ranked::<Sint64, i64, u8>(map.iter(), &mut writer);
            give_back(ranked, &mut writer);
        };
        // The entries, and their buckets.
        assert_eq!(allocation_counter::measure(&mut sort).count_total, 2);
        assert_eq!(allocation_counter::measure(&mut sort).count_total, 0);
    }
}
