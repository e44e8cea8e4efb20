//! Enums without data on the wire: lifecycle stages and others.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::payload::{Stage, StageVariant};
use crate::schema::EnumSchema;

/// An enum without data, mirrored by a proto enum. A lifecycle stage implements it through
/// [`Stage`]. The derive implements it for an enum with `enumeration = path`, which has no
/// transient variants.
pub trait Enumeration: Sized + 'static {
    /// The prost enum.
    type Proto: EnumSchema;
    /// All variants, in declared order.
    const VARIANTS: &'static [StageVariant];
    /// The numbers of the variants that were added later, each with the first schema version that
    /// has it.
    const SINCE: &'static [(i32, u32)] = &[];
    /// Returns the discriminant.
    fn number(&self) -> i32;
    /// Returns the variant with this discriminant.
    fn from_number(number: i32) -> Option<Self>;
}

impl<S: Stage> Enumeration for S {
    type Proto = S::Proto;
    const VARIANTS: &'static [StageVariant] = S::VARIANTS;
    const SINCE: &'static [(i32, u32)] = S::SINCE;
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
    let number = number_to_save(value, w)?;
    w.varint(number);
    Ok(())
}

/// Writes a value as a field.
#[inline]
pub fn put_enumeration_tagged<E: Enumeration>(
    value: &E,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    let value = number_to_save(value, w)?;
    w.varint_field(number, value);
    Ok(())
}

/// Returns the length of the number.
#[inline]
pub fn enumeration_size<E: Enumeration>(value: &E) -> usize {
    crate::codec::varint_size(i64::from(value.number()) as u64)
}

fn number_to_save<E: Enumeration>(value: &E, w: &Writer) -> Result<u64, Error> {
    let number = value.number();
    if let Some(since) = since::<E>(number, w.version()) {
        return Err(not_yet(name_of::<E>(number), since, w.version()));
    }
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

/// Returns the first version that has a value, if it is later than `version`.
fn since<E: Enumeration>(number: i32, version: u32) -> Option<u32> {
    // The compiler knows this, so an enum without `since` pays nothing.
    if E::SINCE.is_empty() {
        return None;
    }
    let (_, since) = E::SINCE.iter().find(|(newer, _)| *newer == number)?;
    Some(*since).filter(|since| *since > version)
}

fn name_of<E: Enumeration>(number: i32) -> &'static str {
    E::VARIANTS.iter().find(|variant| variant.number == number).map_or("(unknown)", |v| v.name)
}

#[cold]
fn not_yet(name: &str, since: u32, version: u32) -> Error {
    Error::precondition(format!(
        "is {name}, which exists from version {since} on: version {version} cannot express it"
    ))
}

/// Reads a value by its number.
pub fn take_enumeration<E: Enumeration>(r: &mut Reader<'_>) -> Result<E, Error> {
    let number = r.varint()? as i64;
    let value: E = from_wire(number)?;
    match since::<E>(value.number(), r.version()) {
        None => Ok(value),
        Some(since) => Err(too_early(name_of::<E>(value.number()), since, r.version())),
    }
}

#[cold]
fn too_early(name: &str, since: u32, version: u32) -> Error {
    Error::invalid(format!(
        "is {name}, which exists from version {since} on, but this payload has version {version}"
    ))
}

/// Returns the value for a number that is not on the wire.
pub fn default_enumeration<E: Enumeration>() -> Result<E, Error> {
    from_wire(0)
}

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
    Error::invalid(format!("{number} is not a value of {proto}, which has {}", known.join(", ")))
}
