//! Takes 2 elements.

use std::collections::BTreeMap;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Lists {
        list: [u32; 2],
        map: BTreeMap<String, u32>,
    }
}
