//! The messages of `google.protobuf` that correspond to a Rust type.
//! Source: <https://protobuf.dev/reference/protobuf/google.protobuf/>.

mod time;
mod wrapper;

use super::list::ListSlot;
use super::{Reader, Single, Wire, WireField, Writer};
use crate::Error;
use crate::schema::kind::{self, Kind, Message, Repeated};

pub(super) use time::since_epoch;

/// Writes a field with implicit presence.
#[inline]
fn put_member<K: Kind, T: Wire<K>>(value: &T, number: u32, w: &mut Writer) -> Result<(), Error> {
    if !value.is_default() {
        value.put_tagged(number, w)?;
    }
    Ok(())
}

#[cold]
#[inline(never)]
fn no_such_field(message: &str, number: u32) -> Error {
    Error::invalid(format!("{message} has no field {number}"))
}

impl Single for () {}

/// `google.protobuf.Empty`.
impl Wire<Message<()>> for () {
    const LEAF: bool = true;

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.message(|_| Ok(()))
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.message(|r| match r.tag()? {
            None => Ok(()),
            Some(tag) => {
                Err(r.locate(no_such_field("google.protobuf.Empty", tag.number), r.offset()))
            }
        })
    }

    fn is_default(&self) -> bool {
        true
    }
}

impl Single for prost_types::FieldMask {}

impl Wire<Message<Self>> for prost_types::FieldMask {
    const LEAF: bool = true;

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.message(|w| {
            WireField::<Repeated<kind::String>>::put_field(&self.paths, 1, w)
                .map(drop)
                .map_err(|error| error.in_field("paths"))
        })
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.message(|r| {
            let mut paths = ListSlot::<String>::default();
            while let Some(tag) = r.tag()? {
                let offset = r.offset();
                if tag.number != 1 {
                    let error = no_such_field("google.protobuf.FieldMask", tag.number);
                    return Err(r.locate(error, offset));
                }
                paths
                    .take::<kind::String>(tag, r)
                    .map_err(|error| r.locate(error, offset).in_field("paths"))?;
            }
            Ok(Self { paths: paths.into_elements() })
        })
    }

    fn is_default(&self) -> bool {
        self.paths.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::field_tests::{refusal, round_trip};
    use super::*;
    use crate::schema::kind::Optional;

    #[test]
    fn an_empty_message_is_a_unit_and_has_no_fields() {
        round_trip::<Optional<Message<()>>, Option<()>>(&Some(()), &[0x0a, 0]);
        round_trip::<Optional<Message<()>>, Option<()>>(&None, &[]);
        round_trip::<Repeated<Message<()>>, Vec<()>>(&vec![(), ()], &[0x0a, 0, 0x0a, 0]);
        assert_eq!(
            refusal::<Optional<Message<()>>, ()>(&[0x0a, 2, 0x08, 1]),
            "google.protobuf.Empty has no field 1 (byte 3 of 4)"
        );
    }

    #[test]
    fn a_field_mask_is_its_paths() {
        type Mask = Optional<Message<prost_types::FieldMask>>;
        let paths = ["a.b", ""].map(String::from).to_vec();
        let mask = prost_types::FieldMask { paths };
        round_trip::<Mask, _>(&Some(mask), b"\x0a\x07\x0a\x03a.b\x0a\0");
        assert_eq!(
            refusal::<Mask, prost_types::FieldMask>(b"\x0a\x03\x0a\x01\xff"),
            "paths[0]: is not valid UTF-8 (byte 4 of 5)"
        );
        assert_eq!(
            refusal::<Mask, prost_types::FieldMask>(b"\x0a\x02\x10\x01"),
            "google.protobuf.FieldMask has no field 2 (byte 3 of 4)"
        );
    }
}
