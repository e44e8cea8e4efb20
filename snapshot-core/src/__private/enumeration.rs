//! Enums without data on the wire: lifecycle stages and others.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::payload::{Stage, StageVariant};
use crate::schema::EnumSchema;

/// An enum without data, mirrored by a proto enum. A lifecycle stage is one through [`Stage`]; the
/// derive implements it for an enum with `enumeration = path`, which has no transient variants.
pub trait Enumeration: Sized + 'static {
    /// The prost enum.
    type Proto: EnumSchema;
    /// All variants, in declared order.
    const VARIANTS: &'static [StageVariant];
    /// The discriminant.
    fn number(&self) -> i32;
    /// The variant with this discriminant.
    fn from_number(number: i32) -> Option<Self>;
}

impl<S: Stage> Enumeration for S {
    type Proto = S::Proto;
    const VARIANTS: &'static [StageVariant] = S::VARIANTS;
    #[inline]
    fn number(&self) -> i32 {
        Stage::number(self)
    }
    #[inline]
    fn from_number(number: i32) -> Option<Self> {
        <S as Stage>::from_number(number)
    }
}

/// Writes a value as its number.
pub fn put_enumeration<E: Enumeration>(value: &E, w: &mut Writer) -> Result<(), Error> {
    w.varint(number_to_save(value)?);
    Ok(())
}

/// Writes a value as a field.
#[inline]
pub fn put_enumeration_tagged<E: Enumeration>(
    value: &E,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    w.varint_field(number, number_to_save(value)?);
    Ok(())
}

/// The length of the number.
#[inline]
pub fn enumeration_size<E: Enumeration>(value: &E) -> usize {
    crate::codec::varint_size(i64::from(value.number()) as u64)
}

#[inline]
fn number_to_save<E: Enumeration>(value: &E) -> Result<u64, Error> {
    let number = value.number();
    match E::VARIANTS.iter().find(|variant| variant.number == number) {
        Some(variant) if variant.transient => Err(transient(variant.name)),
        // A negative enum value takes ten bytes, as if it were 64 bits wide.
        _ => Ok(i64::from(number) as u64),
    }
}

#[cold]
fn transient(name: &str) -> Error {
    Error::precondition(format!("is {name}, a transient stage, which cannot be saved"))
}

/// Reads a value by its number.
pub fn take_enumeration<E: Enumeration>(r: &mut Reader<'_>) -> Result<E, Error> {
    from_wire(r.varint()? as i64)
}

/// The value whose number is not on the wire.
pub fn default_enumeration<E: Enumeration>() -> Result<E, Error> {
    from_wire(0)
}

#[inline]
fn from_wire<E: Enumeration>(number: i64) -> Result<E, Error> {
    let known = |number| {
        let variant = E::VARIANTS.iter().find(|variant| variant.number == number)?;
        if variant.transient { None } else { E::from_number(number) }
    };
    i32::try_from(number).ok().and_then(known).ok_or_else(|| unknown::<E>(number))
}

#[cold]
fn unknown<E: Enumeration>(number: i64) -> Error {
    let known = E::VARIANTS.iter().filter(|variant| !variant.transient);
    let known: Vec<String> =
        known.map(|variant| format!("{} ({})", variant.name, variant.number)).collect();
    let proto = E::Proto::DESCRIPTOR.name;
    Error::invalid(format!("{number} is no value of {proto}, it has {}", known.join(", ")))
}
