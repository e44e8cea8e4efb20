//! Is named by its name, and is in the stage of now.

use snapshot_build_tests::value::Power;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Parts {
        #[snapshot(id)]
        name: String,
        alias: String,
        #[snapshot(stage)]
        now: Power,
        before: Power,
    }
}
