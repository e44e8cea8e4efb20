//! Text and bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;

use super::numbers::required;
use super::place::Places;
use super::twin::{Foreign, Twin};

/// Short text with multi-byte characters, and some text with a length of two bytes.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        2 => "[a-zA-Zжß€𝄞 /.%\"\\\\\0]{0,6}",
        1 => any::<String>(),
        1 => "x{120,140}",
    ]
    .boxed()
}

/// Text that may be the canonical form of a text-like type.
impl Foreign for String {
    fn foreigners() -> BoxedStrategy<Self> {
        prop_oneof![
            3 => text(),
            1 => any::<u128>().prop_map(|bits| Uuid::from_u128(bits).to_string()),
            1 => any::<IpAddr>().prop_map(|address| address.to_string()),
            1 => any::<char>().prop_map(String::from),
            1 => any::<i16>().prop_map(|number| number.to_string()),
        ]
        .boxed()
    }
}

macro_rules! texts {
    ($($ty:ty: $natives:expr, |$this:ident| $to:expr, |$text:ident| $of:expr;)*) => {$(
        impl Twin<String> for $ty {
            fn natives() -> BoxedStrategy<Self> {
                $natives.boxed()
            }

            fn to_prost(&self) -> String {
                let $this = self;
                $to
            }

            fn of_prost($text: &String) -> Result<Self, Places> {
                $of
            }
        }
    )*};
}

/// Without flow information, which cannot be saved.
fn socket_address() -> impl Strategy<Value = SocketAddr> {
    (any::<SocketAddr>()).prop_map(|mut address| {
        if let SocketAddr::V6(v6) = &mut address {
            v6.set_flowinfo(0);
        }
        address
    })
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Places> {
    text.parse().map_err(|_| Places::here())
}

texts! {
    String: text(), |this| this.clone(), |text| Ok(text.clone());
    Box<str>: text().prop_map(Into::into), |this| this.to_string(), |text| Ok((**text).into());
    Arc<str>: text().prop_map(Into::into), |this| this.to_string(), |text| Ok((**text).into());
    PathBuf: text().prop_map(Into::into), |this| this.to_str().unwrap().to_owned(),
        |text| Ok(text.into());
    char: any::<char>(), |this| this.to_string(), |text| parse(text);
    Uuid: any::<u128>().prop_map(Uuid::from_u128), |this| this.to_string(),
        |text| if text.len() == 36 { parse(text) } else { Err(Places::here()) };
    Option<Uuid>: any::<Option<u128>>().prop_map(|bits| bits.map(Uuid::from_u128)),
        |this| this.map_or_else(String::new, |uuid| uuid.to_string()),
        |text| if text.is_empty() { Ok(None) } else { Uuid::of_prost(text).map(Some) };
    IpAddr: any::<IpAddr>(), |this| this.to_string(), |text| parse(text);
    Option<IpAddr>: any::<Option<IpAddr>>(),
        |this| this.map_or_else(String::new, |address| address.to_string()),
        |text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) };
    Ipv4Addr: any::<Ipv4Addr>(), |this| this.to_string(), |text| parse(text);
    Ipv6Addr: any::<Ipv6Addr>(), |this| this.to_string(), |text| parse(text);
    SocketAddr: socket_address(), |this| this.to_string(), |text| parse(text);
}

/// Its code point.
impl Twin<u32> for char {
    fn natives() -> BoxedStrategy<Self> {
        any::<char>().boxed()
    }

    fn to_prost(&self) -> u32 {
        u32::from(*self)
    }

    fn of_prost(prost: &u32) -> Result<Self, Places> {
        char::from_u32(*prost).ok_or_else(Places::here)
    }
}

fn short_bytes() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..6),
        1 => prop::collection::vec(any::<u8>(), 120..140),
    ]
    .boxed()
}

impl Foreign for Vec<u8> {
    fn foreigners() -> BoxedStrategy<Self> {
        short_bytes()
    }
}

impl Foreign for Bytes {
    fn foreigners() -> BoxedStrategy<Self> {
        short_bytes().prop_map(Bytes::from).boxed()
    }
}

macro_rules! byte_strings {
    ($prost:ty: $($ty:ty)*) => {$(
        impl Twin<$prost> for $ty {
            fn natives() -> BoxedStrategy<Self> {
                short_bytes().prop_map(Into::into).boxed()
            }

            fn to_prost(&self) -> $prost {
                <$prost>::from(self.to_vec())
            }

            fn of_prost(prost: &$prost) -> Result<Self, Places> {
                Ok(prost.to_vec().into())
            }
        }
    )*};
}

byte_strings! { Vec<u8>: Vec<u8> Bytes Box<[u8]> Arc<[u8]> }
byte_strings! { Bytes: Vec<u8> Bytes Box<[u8]> Arc<[u8]> }

impl Twin<Vec<u8>> for [u8; 4] {
    fn natives() -> BoxedStrategy<Self> {
        any::<[u8; 4]>().boxed()
    }

    fn to_prost(&self) -> Vec<u8> {
        self.to_vec()
    }

    fn of_prost(prost: &Vec<u8>) -> Result<Self, Places> {
        prost.as_slice().try_into().map_err(|_| Places::here())
    }
}

/// `None` is an empty field.
impl Twin<Vec<u8>> for Option<[u8; 4]> {
    fn natives() -> BoxedStrategy<Self> {
        any::<Option<[u8; 4]>>().boxed()
    }

    fn to_prost(&self) -> Vec<u8> {
        self.map_or_else(Vec::new, |array| array.to_vec())
    }

    fn of_prost(prost: &Vec<u8>) -> Result<Self, Places> {
        match prost.is_empty() {
            true => Ok(None),
            false => <[u8; 4]>::of_prost(prost).map(Some),
        }
    }
}

required! {
    String as String;
    Box<str> as String;
    Arc<str> as String;
    PathBuf as String;
    Uuid as String;
    IpAddr as String;
    char as String;
    Vec<u8> as Vec<u8>;
    Arc<[u8]> as Vec<u8>;
    [u8; 4] as Vec<u8>;
}
