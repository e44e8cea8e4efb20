//! Counts in dozens, by an adapter of its own.

use snapshot_build_tests::value::dozens;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        #[snapshot(with = dozens)]
        number: u64,
        other: u64,
    }
}
