//! Counts in milliseconds, and rounds.

use snapshot_core::codec;
use std::time::Duration;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        #[snapshot(with = codec::millis_rounded)]
        number: Duration,
        other: u64,
    }
}
