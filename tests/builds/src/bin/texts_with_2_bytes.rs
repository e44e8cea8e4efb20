//! Takes 2 bytes.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Texts {
        text: String,
        data: [u8; 2],
    }
}
