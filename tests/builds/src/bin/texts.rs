//! Takes every text, and bytes of every length.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Texts {
        text: String,
        data: Vec<u8>,
    }
}
