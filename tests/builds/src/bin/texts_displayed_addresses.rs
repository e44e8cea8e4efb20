//! Takes the text of addresses, by an adapter for every type with a text.

use snapshot_core::codec;
use std::net::IpAddr;

snapshot_build_tests::build! {
    #[snapshot(version = 1)]
    Texts {
        #[snapshot(with = codec::display)]
        text: IpAddr,
        data: Vec<u8>,
    }
}
