//! What the unit tests of the codec share: one field, number 1, put and taken through the traits as
//! the derive's code does it.

use std::fmt::Debug;
use std::sync::Arc;

use super::{Reader, Single, Wire, WireField, Writer};
use crate::Error;
use crate::controller::{ChildCell, Found, Loaded, Node, Walk};
use crate::schema::kind;

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

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        walk.child(self)
    }
}

impl Single for Probe {}

impl ChildCell for Probe {
    fn live(&self) -> Option<Arc<dyn Node>> {
        None
    }

    fn address(&self) -> Option<usize> {
        None
    }

    fn loaded(&mut self) -> Option<&mut dyn Loaded> {
        None
    }

    fn import(&mut self) -> Result<Arc<dyn Node>, Error> {
        Err(Error::internal("a probe is no controller"))
    }

    fn keep(&mut self, _: &Arc<dyn Node>) -> Result<Box<dyn Loaded>, Error> {
        Err(Error::internal("a probe is no controller"))
    }
}

/// The paths of the probes in a field, in the order in which a walk finds them.
pub(super) fn walk<F, T: WireField<F>>(value: &mut T) -> Result<Vec<String>, Error> {
    let mut paths = Vec::new();
    let mut visit = |found: Found<'_>, _: &mut dyn ChildCell| {
        let (mut texts, mut path) = (String::new(), String::new());
        found.spot(&mut texts).put(&texts, &mut path);
        paths.push(path);
        Ok(())
    };
    let mut walk = Walk::new(&mut visit);
    walk.field("f", |walk| value.walk_field(walk))?;
    Ok(paths)
}
