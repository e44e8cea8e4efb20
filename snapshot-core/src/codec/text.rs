//! Text, and what is text on the wire: paths, UUIDs, network addresses, single characters.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use super::{NeverDefault, Reader, Single, Wire, WireKey, Writer};
use crate::Error;
use crate::schema::kind;

macro_rules! strings {
    ($($string:ty)*) => {$(
        impl Single for $string {}

        impl Wire<kind::String> for $string {
            const LEAF: bool = true;

            #[inline]
            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.length_delimited(self.as_bytes());
                Ok(())
            }

            #[inline]
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                Ok(Self::from(r.text()?))
            }

            #[inline]
            fn is_default(&self) -> bool {
                self.is_empty()
            }
        }

        impl WireKey<kind::String> for $string {
            #[inline]
            fn wire_cmp(&self, other: &Self) -> Ordering {
                self.as_bytes().cmp(other.as_bytes())
            }

            fn key_text(&self) -> String {
                self[..].to_owned()
            }
        }
    )*};
}

strings! { String Box<str> Arc<str> }

/// A path must be UTF-8 to be saved, whatever the system allows.
impl Wire<kind::String> for PathBuf {
    const LEAF: bool = true;

    #[inline]
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        match self.to_str() {
            Some(text) => {
                w.length_delimited(text.as_bytes());
                Ok(())
            }
            None => Err(not_utf8(self)),
        }
    }

    #[inline]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self::from(r.text()?))
    }

    #[inline]
    fn is_default(&self) -> bool {
        self.as_os_str().is_empty()
    }
}

#[cold]
#[inline(never)]
fn not_utf8(path: &PathBuf) -> Error {
    Error::invalid(format!("the path {path:?} is not UTF-8, a proto string must be"))
}

impl Single for PathBuf {}

/// By its text, where Rust compares paths by their components.
impl WireKey<kind::String> for PathBuf {
    #[inline]
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.as_os_str().as_encoded_bytes().cmp(other.as_os_str().as_encoded_bytes())
    }

    fn key_text(&self) -> String {
        self.display().to_string()
    }
}

/// Text as errors quote it: not more of it than helps.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        match self.0.char_indices().nth(SHOWN) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}...", &self.0[..end]),
        }
    }
}

#[cold]
#[inline(never)]
pub(super) fn is_not(text: &str, what: &str) -> Error {
    Error::invalid(format!("{} is not {what}", Quoted(text)))
}

impl Single for char {}

/// A string of exactly one character.
impl Wire<kind::String> for char {
    const LEAF: bool = true;

    #[inline]
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.length_delimited(self.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    #[inline]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let text = r.text()?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(is_not(text, "a single character")),
        }
    }

    #[inline]
    fn is_default(&self) -> bool {
        false
    }
}

impl WireKey<kind::String> for char {
    /// The order of the code points is the order of their UTF-8.
    #[inline]
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn key_text(&self) -> String {
        self.to_string()
    }
}

/// Its code point.
impl Wire<kind::Uint32> for char {
    const LEAF: bool = true;

    #[inline]
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.varint(u64::from(u32::from(*self)));
        Ok(())
    }

    #[inline]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let number = <u32 as Wire<kind::Uint32>>::take(r)?;
        match Self::from_u32(number) {
            Some(value) => Ok(value),
            None => Err(no_code_point(number)),
        }
    }

    #[inline]
    fn is_default(&self) -> bool {
        *self == '\0'
    }
}

#[cold]
#[inline(never)]
fn no_code_point(number: u32) -> Error {
    Error::invalid(format!("{number:#x} is not a Unicode scalar value"))
}

impl WireKey<kind::Uint32> for char {
    #[inline]
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn key_text(&self) -> String {
        u32::from(*self).to_string()
    }
}

#[cfg(feature = "uuid")]
mod uuid {
    use ::uuid::Uuid;

    use super::*;

    impl Single for Uuid {}
    impl NeverDefault for Uuid {}

    /// Hyphenated and lower case, `67e55044-10b1-426f-9247-bb680e5fe0c8`; upper case is read too.
    /// The nil UUID is written like any other.
    impl Wire<kind::String> for Uuid {
        const LEAF: bool = true;

        #[inline]
        fn put(&self, w: &mut Writer) -> Result<(), Error> {
            self.hyphenated().encode_lower(w.reserve(36));
            w.varint(36);
            Ok(())
        }

        #[inline]
        fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
            let bytes = r.bytes()?;
            // The length leaves only the hyphenated form: braces, URNs and bare digits are longer
            // or shorter.
            if bytes.len() == 36
                && let Ok(uuid) = Self::try_parse_ascii(bytes)
            {
                Ok(uuid)
            } else {
                Err(is_not(&String::from_utf8_lossy(bytes), "a UUID"))
            }
        }

        #[inline]
        fn is_default(&self) -> bool {
            false
        }
    }

    impl WireKey<kind::String> for Uuid {
        /// The order of the bytes is the order of their hexadecimal text.
        #[inline]
        fn wire_cmp(&self, other: &Self) -> Ordering {
            self.as_bytes().cmp(other.as_bytes())
        }

        fn key_text(&self) -> String {
            self.hyphenated().to_string()
        }
    }
}

/// The text of a value, on the stack. The longest is a `SocketAddr` with a scope: 8 groups of 4
/// digits or a mapped IPv4 address, brackets, a scope of 10 digits, a port of 5: under 80.
struct ShortText {
    bytes: [u8; 80],
    length: usize,
}

impl ShortText {
    fn of(value: &impl fmt::Display) -> Result<Self, Error> {
        let mut text = Self { bytes: [0; 80], length: 0 };
        match write!(text, "{value}") {
            Ok(()) => Ok(text),
            Err(_) => Err(Error::internal("an address is longer than any address can be")),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

macro_rules! addresses {
    ($($address:ident $what:literal)*) => {$(
        impl Single for $address {}
        impl NeverDefault for $address {}

        impl Wire<kind::String> for $address {
            const LEAF: bool = true;

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.length_delimited(ShortText::of(self)?.as_bytes());
                Ok(())
            }

            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                let text = r.text()?;
                match text.parse() {
                    Ok(address) => Ok(address),
                    Err(_) => Err(is_not(text, $what)),
                }
            }

            #[inline]
            fn is_default(&self) -> bool {
                false
            }
        }

        impl WireKey<kind::String> for $address {
            fn wire_cmp(&self, other: &Self) -> Ordering {
                match (ShortText::of(self), ShortText::of(other)) {
                    (Ok(a), Ok(b)) => a.as_bytes().cmp(b.as_bytes()),
                    // Cannot be: `put` would refuse both.
                    _ => Ordering::Equal,
                }
            }

            fn key_text(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

addresses! {
    IpAddr "an IP address"
    Ipv4Addr "an IPv4 address"
    Ipv6Addr "an IPv6 address"
    SocketAddr "a socket address"
}
