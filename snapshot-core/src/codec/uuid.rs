//! UUIDs, as their hyphenated text.

use std::cmp::Ordering;

use ::uuid::Uuid;

use super::text::is_not;
use super::{
    NeverDefault, Reader, Single, Wire, WireKey, Writer, form, is_not_canonical, missing,
    prefix_of_bytes, size, uuid_text,
};
use crate::Error;
use crate::schema::{ValueForm, kind};

impl Single for Uuid {}
impl NeverDefault for Uuid {}

/// Hyphenated and lower case, `67e55044-10b1-426f-9247-bb680e5fe0c8`. Another form is refused,
/// because it would be written back in this one; [`lenient_text`](super::lenient_text) reads all
/// forms. The nil UUID is written like any other.
impl Wire<kind::String> for Uuid {
    const LEAF: bool = true;
    const IN_PLACE: bool = true;
    const FORM: ValueForm = ValueForm::named(form::UUID);

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

    // In a `Result` with an `Error`, its bytes are moved in four pieces of 1, 7, 8 and 1 bytes, and
    // the processor has to wait for all of them before it loads them as one.
    #[inline]
    fn take_into(slot: &mut Option<Self>, r: &mut Reader<'_>) -> Result<(), Error> {
        let text = r.bytes()?;
        let mut bytes = [0; 16];
        // Only the hyphenated form has this length: braces, URNs and bare digits are longer or
        // shorter. The decoded text is ASCII and needs no check for UTF-8.
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
        Ok(text) => match Uuid::try_parse(text) {
            Ok(uuid) => is_not_canonical(text, &uuid),
            Err(_) => is_not(text, "a UUID"),
        },
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

#[cfg(test)]
mod tests {
    use ::uuid::uuid;

    use super::super::field_tests::{refusal, round_trip, text_field as field};
    use super::*;
    use crate::schema::kind::Singular;

    type Text = Singular<kind::String>;

    const ID: Uuid = uuid!("67e55044-10b1-426f-9247-bb680e5fe0c8");

    #[test]
    fn a_uuid_is_hyphenated_and_lower_case() {
        round_trip::<Text, Uuid>(&ID, &field("67e55044-10b1-426f-9247-bb680e5fe0c8"));
        let nil = "00000000-0000-0000-0000-000000000000";
        round_trip::<Text, Option<Uuid>>(&Some(Uuid::nil()), &field(nil));
        round_trip::<Text, Option<Uuid>>(&None, &[]);
    }

    #[test]
    fn no_other_form_of_a_uuid_is_read() {
        for text in [
            "",
            "zz",
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
        for text in [
            "67E55044-10B1-426F-9247-BB680E5FE0C8",
            "67e55044-10b1-426f-9247-bb680e5fe0C8",
            "67e5504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
        ] {
            let bytes = field(text);
            let expected = format!(
                "{text:?} would be written back as \"{ID}\": write it in that form, or read other \
                 forms with `with = codec::lenient_text` (byte 1 of {})",
                bytes.len()
            );
            assert_eq!(refusal::<Text, Uuid>(&bytes), expected);
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
