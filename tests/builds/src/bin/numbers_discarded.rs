//! Drops the number on purpose.

snapshot_build_tests::build! {
    #[snapshot(version = 1, discard(number))]
    Numbers {
        other: u64,
    }
}
