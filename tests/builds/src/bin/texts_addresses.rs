//! Takes the text of addresses.

use std::net::IpAddr;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Texts {
        text: IpAddr,
        data: Vec<u8>,
    }
}
