//! Takes the numbers from 1 to 100.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        #[snapshot(range = 1..=100)]
        number: u64,
        other: u64,
    }
}
