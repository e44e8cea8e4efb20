//! Counts in seconds.

use snapshot_core::codec;
use std::time::Duration;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Numbers {
        #[snapshot(with = codec::seconds)]
        number: Duration,
        other: u64,
    }
}
