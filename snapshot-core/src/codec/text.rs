//! Text, and what is text on the wire: paths, UUIDs, network addresses, single characters.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use super::{NeverDefault, Reader, Single, Wire, WireKey, Writer, prefix_of_bytes, size};
use crate::Error;
use crate::error::SHOWN;
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
            fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
                w.bytes_field(number, self.as_bytes());
                Ok(())
            }

            #[inline]
            fn size(&self) -> usize {
                size::delimited(self.len())
            }

            #[inline]
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                Ok(Self::from(r.text()?))
            }

            #[inline]
            fn of_default() -> Result<Self, Error> {
                Ok(Self::from(""))
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

            #[inline]
            fn wire_prefix(&self) -> u64 {
                prefix_of_bytes(self.as_bytes())
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
        w.length_delimited(utf8(self)?);
        Ok(())
    }

    #[inline]
    fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
        w.bytes_field(number, utf8(self)?);
        Ok(())
    }

    #[inline]
    fn size(&self) -> usize {
        size::delimited(self.as_os_str().len())
    }

    #[inline]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self::from(r.text()?))
    }

    #[inline]
    fn of_default() -> Result<Self, Error> {
        Ok(Self::new())
    }

    #[inline]
    fn is_default(&self) -> bool {
        self.as_os_str().is_empty()
    }
}

/// The bytes of a path, which must be UTF-8. Most are ASCII, which is quicker to tell.
#[inline]
fn utf8(path: &PathBuf) -> Result<&[u8], Error> {
    let bytes = path.as_os_str().as_encoded_bytes();
    match bytes.is_ascii() || path.to_str().is_some() {
        true => Ok(bytes),
        false => Err(not_utf8(path)),
    }
}

#[cold]
#[inline(never)]
fn not_utf8(path: &PathBuf) -> Error {
    Error::invalid(format!("the path {path:?} is not UTF-8, which a proto string must be"))
}

impl Single for PathBuf {}

/// By its text, where Rust compares paths by their components.
impl WireKey<kind::String> for PathBuf {
    #[inline]
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.as_os_str().as_encoded_bytes().cmp(other.as_os_str().as_encoded_bytes())
    }

    #[inline]
    fn wire_prefix(&self) -> u64 {
        prefix_of_bytes(self.as_os_str().as_encoded_bytes())
    }

    fn key_text(&self) -> String {
        self.display().to_string()
    }
}

/// Text as errors quote it: not more of it than helps.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    use crate::codec::{missing, uuid_text};

    impl Single for Uuid {}
    impl NeverDefault for Uuid {}

    /// Hyphenated and lower case, `67e55044-10b1-426f-9247-bb680e5fe0c8`; upper case is read too.
    /// The nil UUID is written like any other.
    impl Wire<kind::String> for Uuid {
        const LEAF: bool = true;

        #[inline]
        fn put(&self, w: &mut Writer) -> Result<(), Error> {
            uuid_text::encode(self.as_bytes(), w.reserve_array());
            w.varint(uuid_text::LENGTH as u64);
            Ok(())
        }

        #[inline]
        fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
            w.array_field(number, |text| uuid_text::encode(self.as_bytes(), text));
            Ok(())
        }

        #[inline]
        fn size(&self) -> usize {
            size::delimited(uuid_text::LENGTH)
        }

        #[inline]
        fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
            let mut slot = None;
            <Self as Wire<kind::String>>::take_into(&mut slot, r)?;
            slot.ok_or_else(missing)
        }

        // In a `Result`, beside an `Error`, its bytes are moved in four pieces, of 1, 7, 8 and 1
        // bytes, and the processor has to wait for all of them before it loads them as one.
        #[inline]
        fn take_into(slot: &mut Option<Self>, r: &mut Reader<'_>) -> Result<(), Error> {
            let text = r.bytes()?;
            let mut bytes = [0; 16];
            // The length leaves only the hyphenated form: braces, URNs and bare digits are longer
            // or shorter. What parses is ASCII and needs no check for UTF-8.
            match text.try_into() {
                Ok(text) if uuid_text::decode(text, &mut bytes) => {
                    *slot = Some(Self::from_bytes(bytes));
                    Ok(())
                }
                _ => Err(is_no_uuid(text, r)),
            }
        }

        #[cold]
        fn of_default() -> Result<Self, Error> {
            Err(is_not("", "a UUID"))
        }

        #[inline]
        fn is_default(&self) -> bool {
            false
        }
    }

    #[cold]
    #[inline(never)]
    fn is_no_uuid<'a>(text: &'a [u8], r: &Reader<'a>) -> Error {
        match r.utf8(text) {
            Ok(text) => is_not(text, "a UUID"),
            Err(error) => error,
        }
    }

    impl WireKey<kind::String> for Uuid {
        /// The order of the bytes is the order of their hexadecimal text.
        #[inline]
        fn wire_cmp(&self, other: &Self) -> Ordering {
            self.as_bytes().cmp(other.as_bytes())
        }

        #[inline]
        fn wire_prefix(&self) -> u64 {
            prefix_of_bytes(self.as_bytes())
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
    ($($address:ident $what:literal, $check:expr;)*) => {$(
        impl Single for $address {}
        impl NeverDefault for $address {}

        impl Wire<kind::String> for $address {
            const LEAF: bool = true;

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                let check: fn(&Self) -> Result<(), Error> = $check;
                check(self)?;
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
    IpAddr "an IP address", |_| Ok(());
    Ipv4Addr "an IPv4 address", |_| Ok(());
    Ipv6Addr "an IPv6 address", |_| Ok(());
    SocketAddr "a socket address", check_flow;
}

/// The text of a socket address has no place for the flow information that IPv6 allows.
fn check_flow(address: &SocketAddr) -> Result<(), Error> {
    match address {
        SocketAddr::V6(v6) if v6.flowinfo() != 0 => Err(has_flow(v6.flowinfo())),
        _ => Ok(()),
    }
}

#[cold]
#[inline(never)]
fn has_flow(flow: u32) -> Error {
    Error::invalid(format!("has the flow information {flow}, which its text would lose"))
}

#[cfg(test)]
mod tests {
    use prost::encoding;

    use super::super::field_tests::{refusal, round_trip, take};
    use super::*;
    use crate::schema::kind::{Optional, Singular};

    type Text = Singular<kind::String>;

    /// The bytes of a message whose field 1 is this text, as prost writes it.
    fn field(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoding::string::encode(1, &text.to_owned(), &mut bytes);
        bytes
    }

    #[test]
    fn every_string_is_as_prost_writes_it() {
        for text in ["a", "\0", "жук", "\u{10ffff}", &"x".repeat(128)] {
            round_trip::<Text, String>(&text.to_owned(), &field(text));
            round_trip::<Text, Box<str>>(&Box::from(text), &field(text));
            round_trip::<Text, Arc<str>>(&Arc::from(text), &field(text));
            round_trip::<Text, PathBuf>(&PathBuf::from(text), &field(text));
        }
        round_trip::<Text, String>(&String::new(), &[]);
        round_trip::<Text, PathBuf>(&PathBuf::new(), &[]);
        round_trip::<Optional<kind::String>, Option<Box<str>>>(&Some(Box::from("")), &[0x0a, 0]);
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_at_its_byte() {
        let error = refusal::<Text, String>(b"\x0a\x04ab\xffc");
        assert_eq!(error, "is not valid UTF-8 (byte 4 of 6)");
        let error = refusal::<Text, PathBuf>(b"\x0a\x02\xc3\x28");
        assert_eq!(error, "is not valid UTF-8 (byte 2 of 4)");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_is_not_saved() {
        use std::os::unix::ffi::OsStringExt;

        use super::super::field_tests::put_refusal;

        let path = PathBuf::from(std::ffi::OsString::from_vec(b"/a/\xff".to_vec()));
        assert_eq!(
            put_refusal::<Text, PathBuf>(&path),
            r#"the path "/a/\xFF" is not UTF-8, which a proto string must be"#
        );
    }

    #[test]
    fn a_path_survives_byte_for_byte() {
        for text in ["/a//b/./c/", "../x", "C:\\x"] {
            let path: PathBuf = take::<Text, _>(&field(text)).unwrap();
            assert_eq!(path.to_str(), Some(text));
        }
    }

    #[test]
    fn a_char_is_a_string_of_one_or_its_code_point() {
        for value in ['a', '\0', 'ж', '\u{10ffff}'] {
            round_trip::<Text, char>(&value, &field(&value.to_string()));
        }
        assert_eq!(
            refusal::<Text, char>(&field("")),
            "\"\" is not a single character (byte 1 of 2)"
        );
        assert_eq!(
            refusal::<Text, char>(&field("ab")),
            "\"ab\" is not a single character (byte 1 of 4)"
        );
        assert_eq!(refusal::<Text, char>(&[]), "is missing");
        round_trip::<Singular<kind::Uint32>, char>(&'a', &[0x08, 97]);
        round_trip::<Singular<kind::Uint32>, char>(&'\0', &[]);
        assert_eq!(
            refusal::<Singular<kind::Uint32>, char>(&[0x08, 0x80, 0xb0, 0x03]),
            "0xd800 is not a Unicode scalar value (byte 1 of 4)"
        );
    }

    #[cfg(feature = "uuid")]
    mod uuids {
        use ::uuid::{Uuid, uuid};

        use super::*;

        const ID: Uuid = uuid!("67e55044-10b1-426f-9247-bb680e5fe0c8");

        #[test]
        fn a_uuid_is_hyphenated_and_lower_case() {
            round_trip::<Text, Uuid>(&ID, &field("67e55044-10b1-426f-9247-bb680e5fe0c8"));
            let nil = "00000000-0000-0000-0000-000000000000";
            round_trip::<Text, Option<Uuid>>(&Some(Uuid::nil()), &field(nil));
            round_trip::<Text, Option<Uuid>>(&None, &[]);
            let upper = field("67E55044-10B1-426F-9247-BB680E5FE0C8");
            assert_eq!(take::<Text, Uuid>(&upper).unwrap(), ID);
        }

        #[test]
        fn no_other_form_of_a_uuid_is_read() {
            for text in [
                "",
                "zz",
                "67e5504410b1426f9247bb680e5fe0c8",
                "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
                "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
                "67e55044-10b1-426f-9247-bb680e5fe0cg",
                "67e5504-410b1-426f-9247-bb680e5fe0c8",
                "67e55044010b10426f09247-bb680e5fe0c8",
                "67e55044-10b1-426f-9247-bb680e5fe0c8 ",
                "{67e5504410b1426f9247bb680e5fe0c8}zz",
            ] {
                let bytes = field(text);
                assert_eq!(
                    refusal::<Text, Uuid>(&bytes),
                    format!("{text:?} is not a UUID (byte 1 of {})", bytes.len())
                );
            }
            assert_eq!(refusal::<Text, Uuid>(&[]), "is missing");
            let error = refusal::<Text, Uuid>(b"\x0a\x02\xff\xff");
            assert_eq!(error, "is not valid UTF-8 (byte 2 of 4)");
        }

        #[test]
        fn uuids_are_ordered_as_their_text() {
            let mut ids = [Uuid::max(), ID, Uuid::nil(), Uuid::from_u128(0xa << 64)];
            ids.sort_by(WireKey::<kind::String>::wire_cmp);
            let texts = ids.map(|id| id.to_string());
            assert!(texts.is_sorted(), "{texts:?}");
        }
    }

    #[test]
    fn prefixes_are_in_the_order_of_the_texts() {
        let mut texts = ["", "\0", "a", "a\0", "aaaaaaa", "aaaaaaaa", "aaaaaaaab", "b", "ж"];
        let prefixes = texts.map(|text| WireKey::<kind::String>::wire_prefix(&text.to_owned()));
        assert!(prefixes.is_sorted(), "{prefixes:x?}");
        assert!(prefixes[2] < prefixes[4] && prefixes[6] < prefixes[7]);
        texts.reverse();
        texts.sort_by(|a, b| WireKey::<kind::String>::wire_cmp(&(*a).to_owned(), &(*b).to_owned()));
        assert!(texts.is_sorted());
    }

    #[test]
    fn addresses_are_in_their_usual_form() {
        for text in ["10.0.0.1", "::1", "2001:db8::ff00:42:8329", "::ffff:192.0.2.128"] {
            let address: IpAddr = text.parse().unwrap();
            round_trip::<Text, IpAddr>(&address, &field(text));
        }
        round_trip::<Text, Ipv4Addr>(&Ipv4Addr::UNSPECIFIED, &field("0.0.0.0"));
        round_trip::<Text, Option<Ipv6Addr>>(&Some(Ipv6Addr::UNSPECIFIED), &field("::"));
        round_trip::<Text, Option<Ipv6Addr>>(&None, &[]);
        let full = "[1111:2222:3333:4444:5555:6666:7777:8888%4294967295]:65535";
        round_trip::<Text, SocketAddr>(&full.parse().unwrap(), &field(full));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(
            refusal::<Text, IpAddr>(&field("10.0.0.256")),
            "\"10.0.0.256\" is not an IP address (byte 1 of 12)"
        );
        assert_eq!(
            refusal::<Text, Ipv4Addr>(&field("::1")),
            "\"::1\" is not an IPv4 address (byte 1 of 5)"
        );
        assert_eq!(
            refusal::<Text, SocketAddr>(&field("10.0.0.1")),
            "\"10.0.0.1\" is not a socket address (byte 1 of 10)"
        );
        let error = refusal::<Text, IpAddr>(&field(&"1".repeat(10_000)));
        assert!(error.len() < 150, "the whole input is quoted: {error}");
    }

    #[test]
    fn addresses_and_paths_are_ordered_as_their_text() {
        let mut addresses = ["9.0.0.1", "10.0.0.1", "::1"].map(|a| a.parse::<IpAddr>().unwrap());
        addresses.sort_by(WireKey::<kind::String>::wire_cmp);
        assert_eq!(addresses.map(|a| a.to_string()), ["10.0.0.1", "9.0.0.1", "::1"]);
        // By components, Rust has it the other way around.
        let (a, b) = (PathBuf::from("a/b"), PathBuf::from("a-b"));
        assert!(a < b);
        assert!(WireKey::<kind::String>::wire_cmp(&a, &b).is_gt());
    }
}
