//! The traits of one value on the wire.

use super::{Reader, Sealed, Writer};
use crate::error::Error;
use crate::schema::kind::Kind;
use crate::schema::{StatesInside, ValueForm};
use crate::visit::Visit;

/// A Rust type that can be one value of the proto kind `K`.
///
/// It is derived for structs, enums and newtypes; for other types use `#[snapshot(with = module)]`.
/// Only this crate and the derive implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved as the proto kind `{K}`",
    label = "does not fit the kind of the proto field",
    note = "choose a Rust type that fits the kind, or convert it: `#[snapshot(with = module)]`"
)]
pub trait Wire<K: Kind>: Sealed + Sized {
    /// Whether the type can contain neither controllers nor references, so that a walk skips even a
    /// large collection of it.
    #[doc(hidden)]
    const LEAF: bool = false;

    /// The values of the kind that the type accepts.
    #[doc(hidden)]
    const FORM: ValueForm = ValueForm::OWN;

    /// The states inside, whose fields may have notes.
    #[doc(hidden)]
    const INSIDE: StatesInside = StatesInside::Nothing;

    /// Whether the value is slow to move as a `Result`, so that a field takes it by `take_into`.
    #[doc(hidden)]
    const IN_PLACE: bool = false;

    /// Writes the value; for a length-delimited kind, with its length.
    #[doc(hidden)]
    fn put(&self, w: &mut Writer) -> Result<(), Error>;

    /// Writes the value with its tag: the same bytes as both one after the other, with less work.
    #[doc(hidden)]
    #[inline]
    fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
        self.put(w)?;
        w.tag(number, K::WIRE_TYPE);
        Ok(())
    }

    /// Omits the value, because it is the default of a field without presence.
    #[doc(hidden)]
    #[inline]
    fn leave_out(&self, w: &mut Writer) -> Result<(), Error> {
        let _ = w;
        Ok(())
    }

    /// Returns the number of bytes that `put` will write, or 0 if that is expensive to compute.
    #[doc(hidden)]
    #[inline]
    fn size(&self) -> usize {
        0
    }

    /// Reads the value, after its tag was read and its wire type was checked.
    #[doc(hidden)]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error>;

    /// Takes the value into `slot`, which must be empty. The same as `take`, for types that are slow to
    /// move as a `Result`.
    #[doc(hidden)]
    #[inline]
    fn take_into(slot: &mut Option<Self>, r: &mut Reader<'_>) -> Result<(), Error> {
        match Self::take(r) {
            Ok(value) => {
                // There is nothing to drop, which an assignment would check.
                std::mem::forget(slot.replace(value));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Returns whether the value is the proto3 default, which a field with implicit presence omits.
    #[doc(hidden)]
    fn is_default(&self) -> bool;

    /// Returns the value of a field that is not on the wire, if the kind has a default.
    #[doc(hidden)]
    fn of_default() -> Result<Self, Error> {
        Self::take(&mut Reader::of_default())
    }

    /// Shows the controllers and the names inside to `visit`.
    #[doc(hidden)]
    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        let _ = visit;
        Ok(())
    }
}

/// A type that is one value on the wire, neither absent nor several. It distinguishes values from
/// `Option` and collections, which consist of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a snapshot",
    label = "neither a value that can be saved nor a collection of such values",
    note = "derive `Snapshot` for it, or convert it: `#[snapshot(with = module)]`"
)]
pub trait Single: Sealed {}

/// A value whose encoding is never the proto3 default. An `Option` of it can therefore be
/// distinguished from absence even if the proto field has no presence: `NonZero`, `Uuid`, `IpAddr`,
/// JSON.
#[diagnostic::on_unimplemented(
    message = "`Option<{Self}>` cannot be distinguished from its default on the wire",
    label = "the proto field has no presence: `Some` of the default would be restored as `None`",
    note = "declare the proto field `optional`, or save a plain `{Self}`"
)]
pub trait NeverDefault {}

/// A type that can be the key of a proto map of key kind `K`, or an element of a set.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a map key or set element of the proto kind `{K}`",
    label = "needs an order on the wire: integers by value, strings by bytes"
)]
pub trait WireKey<K: Kind>: Wire<K> {
    /// Compares two keys by their order on the wire: integers by value, strings by bytes.
    #[doc(hidden)]
    fn wire_cmp(&self, other: &Self) -> std::cmp::Ordering;
    /// Returns a number that approximates the order: of two keys with different prefixes, the one
    /// with the lower prefix comes first. It saves a sort most comparisons of the keys themselves.
    #[doc(hidden)]
    fn wire_prefix(&self) -> u64 {
        0
    }
    /// Returns the key as text, for paths and controller ids.
    #[doc(hidden)]
    fn key_text(&self) -> String;
}

/// Returns the [`WireKey::wire_prefix`] of keys that are ordered by these bytes.
#[inline]
pub(super) fn prefix_of_bytes(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => bytes.iter().rev().fold(0, |prefix, &byte| prefix >> 8 | u64::from(byte) << 56),
    }
}
