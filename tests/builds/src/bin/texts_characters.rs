//! Takes text of one character.

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Texts {
        text: char,
        data: Vec<u8>,
    }
}
