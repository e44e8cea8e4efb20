//! Takes text of at most 3 bytes.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Texts {
        #[snapshot(max = 3)]
        text: String,
        data: Vec<u8>,
    }
}
