//! Takes elements of 8 bits.

use std::collections::BTreeMap;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Lists {
        list: Vec<u8>,
        map: BTreeMap<String, u32>,
    }
}
