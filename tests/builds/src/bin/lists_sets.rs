//! Takes sets.

use std::collections::{BTreeMap, BTreeSet};

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Lists {
        list: BTreeSet<u32>,
        map: BTreeMap<String, u32>,
    }
}
