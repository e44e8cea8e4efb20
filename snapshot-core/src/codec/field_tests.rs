//! What the unit tests of the codec share: one field, number 1, put and taken through the traits as
//! the derive's code does it.

use std::any::Any;
use std::fmt::Debug;

use super::{Reader, Sealed, Single, Wire, WireField, Writer};
use crate::Error;
use crate::schema::kind;
use crate::visit::{ChildCell, Visit, children};

/// The bytes of a message whose field 1 is `value`.
pub(super) fn put<F, T: WireField<F>>(value: &T) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::default();
    value.put_field(1, &mut writer)?;
    let size = value.field_size(1);
    assert!(size <= writer.position(), "{size} bytes were expected, {}", writer.position());
    Ok(writer.into_vec())
}

/// Field 1 of a message that has nothing else.
pub(super) fn take<F, T: WireField<F>>(bytes: &[u8]) -> Result<T, Error> {
    let mut reader = Reader::new(bytes);
    let mut slot = T::Slot::default();
    while let Some(tag) = reader.tag()? {
        assert_eq!(tag.number, 1, "the test's bytes have another field");
        let offset = reader.offset();
        T::take_field(&mut slot, tag, &mut reader).map_err(|e| reader.locate(e, offset))?;
    }
    let mut error = None;
    match (T::finish_field(slot, &mut error), error) {
        (Some(value), None) => Ok(value),
        (None, Some(error)) => Err(error),
        _ => panic!("either a value or an error"),
    }
}

/// The bytes of a message whose field 1 is this text, as prost writes it.
pub(super) fn text_field(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::string::encode(1, &text.to_owned(), &mut bytes);
    bytes
}

/// The value survives, and is written as `expected`.
#[track_caller]
pub(super) fn round_trip<F, T: WireField<F> + PartialEq + Debug>(value: &T, expected: &[u8]) {
    let bytes = put::<F, T>(value).unwrap();
    assert_eq!(bytes, expected, "{value:?} is written differently");
    assert_eq!(take::<F, T>(&bytes).unwrap(), *value);
}

/// Why these bytes are refused.
#[track_caller]
pub(super) fn refusal<F, T: WireField<F> + Debug>(bytes: &[u8]) -> String {
    take::<F, T>(bytes).unwrap_err().to_string()
}

/// Why this value cannot be saved.
#[track_caller]
pub(super) fn put_refusal<F, T: WireField<F>>(value: &T) -> String {
    put::<F, T>(value).unwrap_err().to_string()
}

/// A stand-in for a child controller. Its number tells it from others.
#[derive(Debug, PartialEq)]
pub(super) struct Probe(pub(super) u32);

impl Wire<kind::Uint32> for Probe {
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.before_child()?;
        Wire::<kind::Uint32>::put(&self.0, w)
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        <u32 as Wire<kind::Uint32>>::take(r).map(Self)
    }

    fn is_default(&self) -> bool {
        false
    }

    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        visit.child(self)
    }
}

impl Sealed for Probe {}

impl Single for Probe {}

impl ChildCell for Probe {
    fn address(&self) -> Option<usize> {
        None
    }

    fn own_name(&self) -> Option<String> {
        None
    }

    fn message_name(&self) -> Option<&'static str> {
        None
    }

    fn visit(&self, _: &mut Visit<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn answer(&self, _: &mut dyn Any) {}
}

/// The paths of the probes in a field, in the order in which a visit finds them.
pub(super) fn visited<F, T: WireField<F>>(value: &T) -> Vec<String> {
    let mut paths = Vec::new();
    let mut visitor = children(|place, _| {
        let (mut texts, mut path) = (String::new(), String::new());
        place.spot(&mut texts).put(&texts, &mut path);
        paths.push(path);
        Ok(())
    });
    Visit::new(&mut visitor).field("f", |visit| value.visit_field(visit)).unwrap();
    paths
}
