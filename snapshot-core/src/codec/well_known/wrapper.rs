//! The scalar wrappers of `google.protobuf`. Their messages are the wrapped Rust types, as in
//! prost.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::{no_such_field, put_member};
use crate::Error;
use crate::codec::{Reader, Wire, Writer, take_once};
use crate::schema::kind::{self, Kind, Message};
use crate::schema::{Schema, ValueForm};

/// Writes a wrapper: a message whose field 1 is the value.
fn put_wrapped<K: Kind, T: Wire<K>>(value: &T, w: &mut Writer) -> Result<(), Error> {
    w.message(|w| put_member::<K, T>(value, 1, w).map_err(|error| error.in_field("value")))
}

fn take_wrapped<M: Schema, K: Kind, T: Wire<K>>(r: &mut Reader<'_>) -> Result<T, Error> {
    r.message(|r| {
        let mut value = None;
        while let Some(tag) = r.tag()? {
            let offset = r.offset();
            if tag.number != 1 {
                let name = (M::DESCRIPTOR.full_name)();
                return Err(r.locate(no_such_field(&name, tag.number), offset));
            }
            take_once::<K, T>(&mut value, tag, r)
                .map_err(|error| r.locate(error, offset).in_field("value"))?;
        }
        match value {
            Some(value) => Ok(value),
            None => T::of_default(),
        }
    })
}

macro_rules! wrappers {
    ($($wrapper:ty as $kind:ident: $($value:ty)*;)*) => {$($(
        // A user whose type does not fit rarely needs a hint about wrappers.
        #[diagnostic::do_not_recommend]
        impl Wire<Message<$wrapper>> for $value {
            const LEAF: bool = true;
            const FORM: ValueForm = <Self as Wire<kind::$kind>>::FORM;

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                put_wrapped::<kind::$kind, Self>(self, w)
            }

            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                take_wrapped::<$wrapper, kind::$kind, Self>(r)
            }

            fn is_default(&self) -> bool {
                Wire::<kind::$kind>::is_default(self)
            }
        }
    )*)*};
}

wrappers! {
    f64 as Double: f64;
    f32 as Float: f32;
    i64 as Int64: i8 i16 i32 i64 isize u8 u16 u32 u64 usize;
    u64 as Uint64: i8 i16 i32 i64 isize u8 u16 u32 u64 usize;
    i32 as Int32: i8 i16 i32 i64 isize u8 u16 u32 u64 usize;
    u32 as Uint32: i8 i16 i32 i64 isize u8 u16 u32 u64 usize;
    bool as Bool: bool;
    String as String: String Box<str> Arc<str> PathBuf;
    Vec<u8> as Bytes: Vec<u8> Box<[u8]> Arc<[u8]> Bytes;
}

#[cfg(feature = "uuid")]
wrappers! { String as String: uuid::Uuid; }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::field_tests::{put_refusal, refusal, round_trip, take};
    use crate::schema::kind::Optional;

    fn message(message: &impl prost::Message) -> Vec<u8> {
        let mut bytes = Vec::new();
        prost::encoding::message::encode(1, message, &mut bytes);
        bytes
    }

    #[test]
    fn wrappers_are_as_prost_writes_them() {
        macro_rules! check {
            ($($wrapper:ty, $value:ty: $($sample:expr)*;)*) => {$($(
                let value: $value = $sample;
                let bytes = message(&<$wrapper>::try_from(value.clone()).unwrap());
                round_trip::<Optional<Message<$wrapper>>, $value>(&value, &bytes);
                round_trip::<Optional<Message<$wrapper>>, Option<$value>>(&Some(value), &bytes);
                round_trip::<Optional<Message<$wrapper>>, Option<$value>>(&None, &[]);
            )*)*};
        }
        check! {
            u64, u64: 0 1 u64::MAX;
            u64, u8: 0 255;
            i64, i64: 0 -1 i64::MIN;
            u32, u16: 0 65_535;
            i32, i32: 0 i32::MIN i32::MAX;
            f64, f64: 0.0 -0.0 1.5;
            f32, f32: 0.0 f32::MIN;
            bool, bool: false true;
            String, String: String::new() "жук".to_owned();
            Vec<u8>, Vec<u8>: vec![] vec![0, 255];
        }
    }

    #[test]
    fn a_wrapper_is_read_strictly() {
        type Wrapped = Optional<Message<u32>>;
        assert_eq!(
            refusal::<Wrapped, u8>(&[0x0a, 3, 0x08, 0x80, 0x02]),
            "value: 256 does not fit in u8, which holds 0 to 255 (byte 3 of 5)"
        );
        assert_eq!(
            refusal::<Wrapped, u32>(&[0x0a, 2, 0x10, 1]),
            "google.protobuf.UInt32Value has no field 2 (byte 3 of 4)"
        );
        assert_eq!(
            refusal::<Wrapped, u32>(&[0x0a, 4, 0x08, 1, 0x08, 1]),
            "value: occurs twice (byte 5 of 6)"
        );
        assert_eq!(take::<Wrapped, u32>(&[0x0a, 2, 0x08, 0]).unwrap(), 0);
        assert_eq!(
            put_refusal::<Wrapped, i8>(&-1),
            "value: -1 does not fit in uint32, which holds 0 to 4294967295"
        );
    }
}
