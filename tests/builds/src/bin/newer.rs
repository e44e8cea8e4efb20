//! Is version 2: a number, a value of the enum and a member of the oneof are new.

use snapshot_build_tests::value::{NewerPlace, NewerPower};

snapshot_build_tests::build! {
    #[snapshot(version = 2, accept(version = 1))]
    Newer {
        #[snapshot(since = 2, default = 1000)]
        number: u64,
        power: NewerPower,
        place: Option<NewerPlace>,
    }
}
