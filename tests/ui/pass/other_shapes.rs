//! Stages, oneofs and newtypes with each of their attributes, and structs that hold them.

use std::collections::{BTreeMap, BTreeSet};

use snapshot_core::{Snapshot, codec};
use snapshot_proto::example::v1::{self as pb, nic_snapshot};
use snapshot_proto::fixture::v1::{self as fixture, choice, signal};
use snapshot_proto::lcow::v1::scsi_snapshot;

/// Negative numbers and gaps; no default.
#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(stage = fixture::Signed)]
#[repr(i32)]
enum Signed {
    Min = i32::MIN,
    #[snapshot(rename = MinusOne)]
    Below = -1,
    Zero = 0,
    #[snapshot(transient)]
    Between = 7,
    #[snapshot(rename = PlusOne)]
    Above = 1,
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(oneof = nic_snapshot::Link)]
enum Link {
    #[snapshot(rename = Bridge)]
    Switch(Name),
    PassThrough(Device),
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(oneof = choice::Interleaved, ignore(Low, High))]
enum OneOfThree {
    Middle(Name),
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(oneof = signal::Signal)]
enum Signal {
    Start,
    Stop,
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = nic_snapshot::PassThrough)]
struct Device {
    pci_address: Name,
    virtual_function: u8,
}

#[derive(Snapshot, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[snapshot(transparent, validate = is_a_name)]
struct Name(String);

fn is_a_name(name: &Name) -> Result<(), &'static str> {
    if name.0.is_empty() { Err("is empty") } else { Ok(()) }
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(transparent)]
struct Names {
    all: BTreeSet<Name>,
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::NicSnapshot, ignore(schema_version, timeout, driver_settings))]
struct Nic {
    #[snapshot(max = 17)]
    mac: Name,
    mtu: u16,
    addresses: Names,
    link: Option<Link>,
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = fixture::Choice, ignore(before, kind, between, after, last))]
struct Choice {
    interleaved: OneOfThree,
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = fixture::Signal)]
struct Signalled {
    signal: Option<Signal>,
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = fixture::Enums)]
#[snapshot(ignore(sparse, color, level, inner_level, inner))]
struct Enums {
    signed: Signed,
    maybe: Option<Signed>,
    list: Vec<Signed>,
    by_number: BTreeMap<i8, Signed>,
}

/// A type may hold itself.
#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = fixture::recursive::Node, ignore(by_name, link))]
struct Node {
    name: String,
    next: Option<Box<Self>>,
    children: Vec<Node>,
}

/// A bound is all that the parameters of a struct need.
#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = scsi_snapshot::Reservation)]
struct Reservation<S, const N: usize>
where
    S: codec::Single + codec::Wire<snapshot_core::schema::kind::Uint32>,
{
    slot: S,
    partition: u64,
    #[snapshot(skip = [0; N])]
    handles: [u8; N],
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = fixture::Blank)]
struct Blank {}

fn main() {
    let name = |text: &str| Name(text.to_owned());
    let link = Link::PassThrough(Device { pci_address: name("0:0"), virtual_function: 1 });
    let addresses = Names { all: [name("b"), name("a")].into() };
    let nic = Nic { mac: name("m"), mtu: 1500, addresses, link: Some(link) };
    assert_eq!(codec::from_bytes::<Nic>(&codec::to_bytes(&nic).unwrap()).unwrap(), nic);
    let enums = Enums {
        signed: Signed::Min,
        maybe: Some(Signed::Zero),
        list: vec![Signed::Below, Signed::Above],
        by_number: [(-1, Signed::Zero)].into(),
    };
    assert_eq!(codec::from_bytes::<Enums>(&codec::to_bytes(&enums).unwrap()).unwrap(), enums);
    let leaf = || Node { name: "leaf".to_owned(), next: None, children: vec![] };
    let node = Node { name: String::new(), next: Some(Box::new(leaf())), children: vec![leaf()] };
    assert_eq!(codec::from_bytes::<Node>(&codec::to_bytes(&node).unwrap()).unwrap(), node);
    let reservation = Reservation { slot: 3_u16, partition: 4, handles: [0; 2] };
    let bytes = codec::to_bytes(&reservation).unwrap();
    assert_eq!(codec::from_bytes::<Reservation<u16, 2>>(&bytes).unwrap(), reservation);
    let _ = (Choice { interleaved: OneOfThree::Middle(name("x")) }, Blank {}, Signal::Start);
    let _ = (Signalled { signal: Some(Signal::Stop) }, Signed::Between, Link::Switch(name("br0")));
}
