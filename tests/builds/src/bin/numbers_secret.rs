//! Keeps the number secret.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        #[snapshot(secret)]
        number: u64,
        other: u64,
    }
}
