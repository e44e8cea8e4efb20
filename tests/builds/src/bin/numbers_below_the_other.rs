//! Takes numbers below the other one.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        #[snapshot(below = other)]
        number: u64,
        other: u64,
    }
}
