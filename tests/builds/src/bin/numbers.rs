//! Maps both numbers.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        number: u64,
        other: u64,
    }
}
