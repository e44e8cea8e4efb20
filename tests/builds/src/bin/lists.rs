//! Takes every list and map.

use std::collections::BTreeMap;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Lists {
        list: Vec<u32>,
        map: BTreeMap<String, u32>,
    }
}
