//! Says of its plain number that it is in milliseconds.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        #[snapshot(form = "milliseconds")]
        number: u64,
        other: u64,
    }
}
