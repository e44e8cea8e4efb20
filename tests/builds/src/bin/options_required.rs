//! Takes a field that must be there.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Options {
        maybe: u32,
    }
}
