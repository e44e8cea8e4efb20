//! Pairs and triples as keys of a map. Protobuf has no such keys, so they are text: the parts with
//! `/` between them. In the text of a part, `/` is `%2F` and `%` is `%25`.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::text::is_not;
use super::{NeverDefault, Reader, Wire, WireKey, Writer, is_not_canonical, prefix_of_bytes};
use crate::Error;
use crate::schema::{ValueForm, kind};

/// A part of a key.
pub(crate) trait KeyPart: Sized {
    fn write_part(&self, text: &mut String);
    fn read_part(text: &str) -> Option<Self>;
}

macro_rules! displayed {
    ($($ty:ty)*) => {$(
        impl KeyPart for $ty {
            fn write_part(&self, text: &mut String) {
                text.push_str(&self.to_string());
            }

            fn read_part(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}

displayed! { u8 u16 u32 u64 usize i8 i16 i32 i64 isize bool IpAddr Ipv4Addr Ipv6Addr }

#[cfg(feature = "uuid")]
displayed! { ::uuid::Uuid }

impl KeyPart for String {
    fn write_part(&self, text: &mut String) {
        for c in self.chars() {
            match c {
                '/' => text.push_str("%2F"),
                '%' => text.push_str("%25"),
                c => text.push(c),
            }
        }
    }

    fn read_part(text: &str) -> Option<Self> {
        // The check of the whole key finds texts in another form.
        Some(text.replace("%2F", "/").replace("%25", "%"))
    }
}

/// Whether text is a key of the tuple with this name, such as `(u32, String)`. Nothing is known of a part of
/// another name.
pub(super) fn is_key(tuple: &str, text: &str) -> bool {
    fn reads<P: KeyPart>(text: &str) -> bool {
        let written = P::read_part(text).map(|part| {
            let mut written = String::new();
            part.write_part(&mut written);
            written
        });
        written.as_deref() == Some(text)
    }
    let names: Vec<&str> = tuple.trim_matches(['(', ')']).split(", ").collect();
    let parts: Vec<&str> = text.split('/').collect();
    names.len() == parts.len()
        && names.iter().zip(parts).all(|(name, text)| match *name {
            "u8" => reads::<u8>(text),
            "u16" => reads::<u16>(text),
            "u32" => reads::<u32>(text),
            "u64" => reads::<u64>(text),
            "usize" => reads::<usize>(text),
            "i8" => reads::<i8>(text),
            "i16" => reads::<i16>(text),
            "i32" => reads::<i32>(text),
            "i64" => reads::<i64>(text),
            "isize" => reads::<isize>(text),
            "bool" => reads::<bool>(text),
            "IpAddr" => reads::<IpAddr>(text),
            "Ipv4Addr" => reads::<Ipv4Addr>(text),
            "Ipv6Addr" => reads::<Ipv6Addr>(text),
            #[cfg(feature = "uuid")]
            "Uuid" => reads::<::uuid::Uuid>(text),
            "String" => reads::<String>(text),
            _ => true,
        })
}

macro_rules! tuples {
    ($($what:literal [$($part:ident $at:tt)*])*) => {$(
        impl<$($part: KeyPart),*> NeverDefault for ($($part,)*) {}

        #[diagnostic::do_not_recommend]
        impl<$($part: KeyPart),*> Wire<kind::String> for ($($part,)*) {
            const LEAF: bool = true;
            const FORM: ValueForm = ValueForm::of_type::<Self>();

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.length_delimited(self.key_text().as_bytes());
                Ok(())
            }

            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                let text = r.text()?;
                let mut parts = text.split('/');
                let key = ($(
                    match parts.next().and_then($part::read_part) {
                        Some(part) => part,
                        None => return Err(is_not(text, $what)),
                    },
                )*);
                if parts.next().is_some() {
                    return Err(is_not(text, $what));
                }
                let written = key.key_text();
                match written == text {
                    true => Ok(key),
                    false => Err(is_not_canonical(text, &written)),
                }
            }

            fn is_default(&self) -> bool {
                false
            }
        }

        /// Ordered by the text. Rust compares the parts.
        #[diagnostic::do_not_recommend]
        impl<$($part: KeyPart),*> WireKey<kind::String> for ($($part,)*) {
            fn wire_cmp(&self, other: &Self) -> Ordering {
                self.key_text().cmp(&other.key_text())
            }

            fn wire_prefix(&self) -> u64 {
                prefix_of_bytes(self.key_text().as_bytes())
            }

            fn key_text(&self) -> String {
                let mut text = String::new();
                $(
                    if $at > 0 {
                        text.push('/');
                    }
                    self.$at.write_part(&mut text);
                )*
                text
            }
        }
    )*};
}

tuples! {
    "a pair of keys with `/` between them" [A 0 B 1]
    "three keys with `/` between them" [A 0 B 1 C 2]
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::super::field_tests::{refusal, round_trip};
    use crate::schema::kind::{Map, String as Text, Uint32};

    #[test]
    fn a_tuple_is_a_text_key_in_the_order_of_the_text() {
        let map = BTreeMap::from([((2u32, 1u8), 7u32), ((10, 1), 8)]);
        round_trip::<Map<Text, Uint32>, _>(
            &map,
            b"\x0a\x08\x0a\x0410/1\x10\x08\x0a\x07\x0a\x032/1\x10\x07",
        );
        // The text of -1 is less than that of -2, and a minus sign is less than every digit.
        let name = || "a/b%".to_owned();
        let map = HashMap::from([
            ((-2i8, name(), false), 3u8),
            ((1, name(), true), 2),
            ((-1, name(), true), 1),
        ]);
        let mut bytes = Vec::new();
        for (key, value) in
            [("-1/a%2Fb%25/true", 1), ("-2/a%2Fb%25/false", 3), ("1/a%2Fb%25/true", 2)]
        {
            let entry = [&[0x0a, key.len() as u8], key.as_bytes(), &[0x10, value]].concat();
            bytes.extend([0x0a, entry.len() as u8]);
            bytes.extend(entry);
        }
        round_trip::<Map<Text, Uint32>, _>(&map, &bytes);
    }

    #[test]
    fn a_text_that_is_no_such_key_is_refused() {
        type Pairs = BTreeMap<(u32, u32), u32>;
        for (key, reason) in [
            ("1", "\"1\" is not a pair of keys with `/` between them"),
            ("1/2/3", "\"1/2/3\" is not a pair of keys with `/` between them"),
            ("1/x", "\"1/x\" is not a pair of keys with `/` between them"),
            ("1/02", "\"1/02\" would be written back as \"1/2\""),
        ] {
            let mut bytes = vec![0x0a, key.len() as u8 + 4, 0x0a, key.len() as u8];
            bytes.extend(key.as_bytes());
            bytes.extend([0x10, 1]);
            let error = refusal::<Map<Text, Uint32>, Pairs>(&bytes);
            assert!(error.contains(reason), "{error}");
        }
    }
}
