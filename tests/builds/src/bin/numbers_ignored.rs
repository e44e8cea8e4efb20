//! Ignores the number.

snapshot_build_tests::build! {
    #[snapshot(version = 1, ignore(number))]
    Numbers {
        other: u64,
    }
}
