//! Is in the stage that it was in before.

use snapshot_build_tests::value::Power;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Parts {
        #[snapshot(id)]
        name: String,
        alias: String,
        now: Power,
        #[snapshot(stage)]
        before: Power,
    }
}
