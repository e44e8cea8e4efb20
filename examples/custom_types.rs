//! Teaches: native types in a snapshot. An adapter (`with`), a oneof, ranges, a checked newtype,
//! JSON.
//!
//! `cargo run --example custom_types`

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use snapshot_core::{Error, Snapshot, codec};
use snapshot_proto::example::v1::{self as pb, nic_snapshot};

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::NicSnapshot, version = 1, validate = has_an_address)]
struct NicState {
    /// `Display` and `FromStr` do the conversion.
    #[snapshot(with = codec::display)]
    mac: Mac,
    /// Checked on save and on restore. 68 is the least value that IPv4 allows (RFC 791).
    #[snapshot(range = 68..=65_535)]
    mtu: u16,
    /// Elements are converted one by one.
    #[snapshot(max = 16)]
    addresses: Vec<IpAddr>,
    link: Link,
    /// `None` if it is absent on the wire. A plain `Duration` would be required.
    timeout: Option<Duration>,
    /// The text stays unchanged; reading it checks that it parses as `Driver`.
    driver_settings: Option<codec::Json<Driver>>,
}

/// Checks the whole struct after decoding.
fn has_an_address(nic: &NicState) -> Result<(), &'static str> {
    if nic.addresses.is_empty() { Err("a network card needs an address") } else { Ok(()) }
}

/// The variants are exactly the members of the proto oneof.
#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(oneof = nic_snapshot::Link)]
enum Link {
    Bridge(BridgeName),
    PassThrough(PassThrough),
}

/// A newtype is saved as the value that it wraps, with a check.
#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(transparent, validate = is_interface_name)]
struct BridgeName(String);

fn is_interface_name(name: &BridgeName) -> Result<(), String> {
    match name.0.len() {
        1..=15 => Ok(()),
        length => Err(format!("an interface name has 1 to 15 bytes, this one {length}")),
    }
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = nic_snapshot::PassThrough)]
struct PassThrough {
    pci_address: String,
    virtual_function: u8, // uint32 on the wire: 256 is refused
}

#[derive(Debug, PartialEq, Clone, Serialize, Deserialize)]
struct Driver {
    queues: u32,
}

#[derive(Debug, PartialEq)]
struct Mac([u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes: Result<Vec<u8>, _> =
            text.split(':').map(|pair| u8::from_str_radix(pair, 16)).collect();
        bytes
            .ok()
            .and_then(|bytes| bytes.try_into().ok().map(Self))
            // `from_str_radix` accepts "3" and "+3" too, which would be written as "03".
            .filter(|mac| mac.to_string() == text)
            .ok_or_else(|| format!("{text:?} is not a MAC address, like 00:15:5d:01:02:03"))
    }
}

fn main() -> Result<(), Error> {
    let nic = NicState {
        mac: Mac([0x00, 0x15, 0x5d, 0x01, 0x02, 0x03]),
        mtu: 1500,
        addresses: vec![IpAddr::from([10, 0, 0, 7])],
        link: Link::Bridge(BridgeName("br0".to_owned())),
        timeout: Some(Duration::from_millis(2500)),
        driver_settings: Some(codec::Json::new(r#"{ "queues": 4, "vendor": "kept" }"#)?),
    };
    let bytes = codec::to_bytes(&nic)?;
    assert_eq!(codec::from_bytes::<NicState>(&bytes)?, nic);
    println!("{} bytes hold {nic:#?}", bytes.len());

    // A message from another producer, built with prost: every mistake is reported with its path.
    let wrong = pb::NicSnapshot {
        schema_version: 1,
        mac: "00:15:5d".to_owned(),
        mtu: 70_000,
        addresses: vec!["10.0.0.7".to_owned(), "10.0.0.300".to_owned()],
        link: None,
        ..Default::default()
    };
    let Err(error) = NicState::try_from(wrong) else {
        unreachable!("a message with four mistakes must be refused");
    };
    println!("refused:\n{error}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use snapshot_core::testing::contract;

    use super::*;

    fn nic(link: Link) -> NicState {
        NicState {
            mac: Mac([0x00, 0x15, 0x5d, 0x01, 0x02, 0x03]),
            mtu: 1500,
            addresses: vec![IpAddr::from([10, 0, 0, 7]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])],
            link,
            timeout: Some(Duration::from_millis(2500)),
            driver_settings: codec::Json::new(r#"{ "queues": 4, "vendor": "kept" }"#).ok(),
        }
    }

    fn pass_through() -> PassThrough {
        PassThrough { pci_address: "0000:3b:00.0".to_owned(), virtual_function: 2 }
    }

    #[test]
    fn a_nic_keeps_the_contract() {
        // One sample for each member of the oneof.
        let bridge = Link::Bridge(BridgeName("br0".to_owned()));
        contract([nic(bridge), nic(Link::PassThrough(pass_through()))]);
        contract([pass_through()]);
    }

    #[test]
    fn a_mac_address_in_another_form_is_refused() {
        for text in ["00:15:5d:01:02:3", "00:15:5d:01:02:+3", "00:15:5D:01:02:03"] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }
}
