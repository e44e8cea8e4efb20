//! Takes a field that may be absent.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Options {
        maybe: Option<u32>,
    }
}
