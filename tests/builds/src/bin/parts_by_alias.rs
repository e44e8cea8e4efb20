//! Is named by its other name.

use snapshot_build_tests::value::Power;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Parts {
        name: String,
        #[snapshot(id)]
        alias: String,
        #[snapshot(stage)]
        now: Power,
        before: Power,
    }
}
