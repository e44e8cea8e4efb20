//! Reads 100 for the new number where it is not there.

use snapshot_build_tests::value::{NewerPlace, NewerPower};

snapshot_build_tests::build! {
    #[snapshot(version = 2, accept(version = 1))]
    Newer {
        #[snapshot(since = 2, default = 100)]
        number: u64,
        power: NewerPower,
        place: Option<NewerPlace>,
    }
}
