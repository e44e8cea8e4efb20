//! Network addresses, as their usual text.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::text::is_not;
use super::{NeverDefault, Reader, Single, Wire, WireKey, Writer, form, is_not_canonical};
use crate::Error;
use crate::schema::{ValueForm, kind};

/// The text of a value, on the stack. The longest is a `SocketAddr` with a scope: 8 groups of 4
/// digits or a mapped IPv4 address, brackets, a scope of 10 digits, a port of 5: under 80 bytes.
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
    ($($address:ident $form:ident $what:literal, $check:expr;)*) => {$(
        impl Single for $address {}
        impl NeverDefault for $address {}

        impl Wire<kind::String> for $address {
            const LEAF: bool = true;
            const FORM: ValueForm = ValueForm::named(form::$form);

            // Writes the one form of `Display`: for IPv6, the shortest address, in lower case.
            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                let check: fn(&Self) -> Result<(), Error> = $check;
                check(self)?;
                w.length_delimited(ShortText::of(self)?.as_bytes());
                Ok(())
            }

            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                let text = r.text()?;
                let Ok(address) = text.parse() else { return Err(is_not(text, $what)) };
                match ShortText::of(&address)?.as_bytes() == text.as_bytes() {
                    true => Ok(address),
                    false => Err(is_not_canonical(text, &address)),
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
                    // This cannot occur: `put` refuses both.
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
    IpAddr IP "an IP address", |_| Ok(());
    Ipv4Addr IPV4 "an IPv4 address", |_| Ok(());
    Ipv6Addr IPV6 "an IPv6 address", |_| Ok(());
    SocketAddr SOCKET_ADDRESS "a socket address", check_flow;
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
    use super::super::field_tests::{refusal, round_trip, text_field as field};
    use super::*;
    use crate::schema::kind::Singular;

    type Text = Singular<kind::String>;

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
    fn an_address_in_another_form_is_refused_with_the_canonical_one() {
        for (text, canonical) in [
            ("0:0::1", "::1"),
            ("::0001", "::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("::ffff:c000:280", "::ffff:192.0.2.128"),
        ] {
            let bytes = field(text);
            let expected = format!(
                "{text:?} would be written back as {canonical:?}: write it in that form, or read \
                 other forms with `with = codec::lenient_text` (byte 1 of {})",
                bytes.len()
            );
            assert_eq!(refusal::<Text, IpAddr>(&bytes), expected);
            assert_eq!(refusal::<Text, Ipv6Addr>(&bytes), expected);
        }
        for text in ["[0::1]:80", "10.0.0.1:080", "[::1%01]:80"] {
            let error = refusal::<Text, SocketAddr>(&field(text));
            assert!(error.contains("would be written back as"), "{error}");
        }
    }

    #[test]
    fn addresses_are_ordered_as_their_text() {
        let mut addresses = ["9.0.0.1", "10.0.0.1", "::1"].map(|a| a.parse::<IpAddr>().unwrap());
        addresses.sort_by(WireKey::<kind::String>::wire_cmp);
        assert_eq!(addresses.map(|a| a.to_string()), ["10.0.0.1", "9.0.0.1", "::1"]);
    }
}
