//! Counts in milliseconds.

use snapshot_core::codec;
use std::time::Duration;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        #[snapshot(with = codec::millis)]
        number: Duration,
        other: u64,
    }
}
