//! Has all values of the enum in every version.

use snapshot_build_tests::value::{NewerPlace, Power};

snapshot_build_tests::build! {
    #[snapshot(version = 2, accept(version = 1))]
    Newer {
        #[snapshot(since = 2, default = 1000)]
        number: u64,
        power: Power,
        place: Option<NewerPlace>,
    }
}
