//! Takes numbers of 8 bits.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        number: u8,
        other: u64,
    }
}
