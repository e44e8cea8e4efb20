//! Takes 3 elements.

use std::collections::BTreeMap;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Lists {
        list: [u32; 3],
        map: BTreeMap<String, u32>,
    }
}
