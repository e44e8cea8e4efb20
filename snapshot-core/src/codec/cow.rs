//! `Cow` of text and bytes: saved as its content, restored as an owned value.

use std::borrow::Cow;

use super::{Reader, Single, Wire, Writer, size};
use crate::Error;
use crate::schema::kind;

macro_rules! cows {
    ($($kind:ident $borrowed:ty, $bytes:ident, |$r:ident| $take:expr;)*) => {$(
        impl Single for Cow<'_, $borrowed> {}

        impl Wire<kind::$kind> for Cow<'_, $borrowed> {
            const LEAF: bool = true;

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.length_delimited(self.$bytes());
                Ok(())
            }

            fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
                w.bytes_field(number, self.$bytes());
                Ok(())
            }

            fn size(&self) -> usize {
                size::delimited(self.len())
            }

            fn take($r: &mut Reader<'_>) -> Result<Self, Error> {
                Ok(Cow::Owned($take.into()))
            }

            fn of_default() -> Result<Self, Error> {
                Ok(Cow::Owned(Default::default()))
            }

            fn is_default(&self) -> bool {
                self.is_empty()
            }
        }
    )*};
}

cows! {
    String str, as_bytes, |r| r.text()?;
    Bytes [u8], as_ref, |r| r.bytes()?;
}

#[cfg(test)]
mod tests {
    use super::super::field_tests::{refusal, round_trip};
    use super::*;
    use crate::schema::kind::{Bytes, Optional, Singular, String as Text};

    #[test]
    fn a_cow_is_saved_as_what_it_holds() {
        round_trip::<Singular<Text>, Cow<'static, str>>(&Cow::Borrowed("a"), b"\x0a\x01a");
        round_trip::<Singular<Text>, Cow<'static, str>>(&Cow::Owned(String::new()), b"");
        round_trip::<Singular<Bytes>, Cow<'static, [u8]>>(&Cow::Borrowed(b"\xff"), b"\x0a\x01\xff");
        round_trip::<Optional<Text>, Option<Cow<'static, str>>>(&Some("".into()), b"\x0a\0");
        let error = refusal::<Singular<Text>, Cow<'static, str>>(b"\x0a\x01\xff");
        assert_eq!(error, "is not valid UTF-8 (byte 2 of 3)");
    }
}
