//! Tests whether text and bytes are in a form, by its name in manifests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Reader, Wire, Writer, form, tuple_key};
use crate::schema::kind;

/// Returns whether bytes are a value of this form. For an unknown form, all bytes are.
pub(crate) fn is_in_form(name: &str, bytes: &[u8]) -> bool {
    match name {
        form::CHAR => reads::<kind::String, char>(bytes),
        form::IP => reads::<kind::String, IpAddr>(bytes),
        form::IPV4 => reads::<kind::String, Ipv4Addr>(bytes),
        form::IPV6 => reads::<kind::String, Ipv6Addr>(bytes),
        form::SOCKET_ADDRESS => reads::<kind::String, SocketAddr>(bytes),
        #[cfg(feature = "uuid")]
        form::UUID => reads::<kind::String, ::uuid::Uuid>(bytes),
        #[cfg(feature = "json")]
        form::JSON => reads::<kind::Bytes, super::Json<serde::de::IgnoredAny>>(bytes),
        tuple if tuple.starts_with('(') => {
            std::str::from_utf8(bytes).is_ok_and(|text| tuple_key::is_key(tuple, text))
        }
        _ => true,
    }
}

fn reads<K: kind::Kind, T: Wire<K>>(bytes: &[u8]) -> bool {
    let mut writer = Writer::default();
    writer.length_delimited(bytes);
    T::take(&mut Reader::new(writer.as_bytes())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_another_form_is_told_apart() {
        for (name, right, wrong) in [
            (form::CHAR, "a", "ab"),
            (form::IP, "::1", "0:0::1"),
            (form::IPV4, "10.0.0.1", "::1"),
            (form::IPV6, "::1", "10.0.0.1"),
            (form::SOCKET_ADDRESS, "10.0.0.1:80", "10.0.0.1"),
            ("(u8, String)", "255/a%2Fb", "256/a"),
            ("(u8, String)", "1/a", "1/a/b"),
            ("(bool, i8, IpAddr)", "true/-1/::1", "true/-01/::1"),
        ] {
            assert!(is_in_form(name, right.as_bytes()), "{name}");
            assert!(!is_in_form(name, wrong.as_bytes()), "{name}");
        }
        assert!(is_in_form("a form of a later release", b"\xff"));
    }

    #[cfg(feature = "uuid")]
    #[test]
    fn a_uuid_is_text_in_lower_case() {
        let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert!(is_in_form(form::UUID, text.as_bytes()));
        assert!(!is_in_form(form::UUID, text.to_uppercase().as_bytes()));
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_is_a_whole_document() {
        assert!(is_in_form(form::JSON, b"{\"a\": [1]}"));
        assert!(!is_in_form(form::JSON, b"{\"a\": [1]"));
    }
}
