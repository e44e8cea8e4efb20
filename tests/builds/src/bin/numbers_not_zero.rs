//! Takes every number but 0.

use std::num::NonZero;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        number: NonZero<u64>,
        other: u64,
    }
}
