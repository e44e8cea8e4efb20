//! The traits of one value on the wire.

use super::{Reader, Sealed, Writer};
use crate::error::Error;
use crate::schema::kind::Kind;
use crate::schema::{StatesInside, ValueForm};
use crate::visit::Visit;

/// A Rust type that can be one value of the proto kind `K`.
///
/// Derived for structs, enums and newtypes; for other types `#[snapshot(with = module)]` is the
/// way. Only this crate and the derive implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved as the proto kind `{K}`",
    label = "does not fit the kind of the proto field",
    note = "choose a Rust type that fits the kind, or convert it: `#[snapshot(with = module)]`"
)]
pub trait Wire<K: Kind>: Sealed + Sized {
    /// Whether no controller and no reference can be inside, so that a walk over a large collection
    /// passes it by.
    #[doc(hidden)]
    const LEAF: bool = false;

    /// The values of the kind that the type takes.
    #[doc(hidden)]
    const FORM: ValueForm = ValueForm::OWN;

    /// The states inside, whose fields may have notes.
    #[doc(hidden)]
    const INSIDE: StatesInside = StatesInside::Nothing;

    /// Whether the value is slow to move as a `Result`, so that a field takes it by `take_into`.
    #[doc(hidden)]
    const IN_PLACE: bool = false;

    /// Puts the value; of a length-delimited kind, with its length.
    #[doc(hidden)]
    fn put(&self, w: &mut Writer) -> Result<(), Error>;

    /// Puts the value with its tag: the same bytes as both one after the other, with less work.
    #[doc(hidden)]
    #[inline]
    fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
        self.put(w)?;
        w.tag(number, K::WIRE_TYPE);
        Ok(())
    }

    /// Leaves the value out, since it is the default of a field without presence.
    #[doc(hidden)]
    #[inline]
    fn leave_out(&self, w: &mut Writer) -> Result<(), Error> {
        let _ = w;
        Ok(())
    }

    /// How many bytes `put` will put; 0 if that takes more than a look.
    #[doc(hidden)]
    #[inline]
    fn size(&self) -> usize {
        0
    }

    /// Takes the value; the tag was taken and its wire type is right.
    #[doc(hidden)]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error>;

    /// Takes the value into `slot`, which must be empty. The same as `take`, for types that are slow to
    /// move as a `Result`.
    #[doc(hidden)]
    #[inline]
    fn take_into(slot: &mut Option<Self>, r: &mut Reader<'_>) -> Result<(), Error> {
        match Self::take(r) {
            Ok(value) => {
                // There is nothing to drop, which an assignment would look for.
                std::mem::forget(slot.replace(value));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the value is the proto3 default, which a field with implicit presence leaves out.
    #[doc(hidden)]
    fn is_default(&self) -> bool;

    /// The value of a field that is not on the wire, where the kind has a default.
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

/// A type that is one value on the wire, neither absent nor many. Sets the values apart from
/// `Option` and the collections, which are made of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a snapshot",
    label = "neither a value that can be saved nor a collection of such values",
    note = "derive `Snapshot` for it, or convert it: `#[snapshot(with = module)]`"
)]
pub trait Single: Sealed {}

/// A value whose encoding is never the proto3 default, so that `Option` of it can be told from
/// absence even where the proto field has no presence of its own: `NonZero`, `Uuid`, `IpAddr`, JSON.
#[diagnostic::on_unimplemented(
    message = "`Option<{Self}>` cannot be told from its default on the wire",
    label = "the proto field has no presence: `Some` of the default would come back as `None`",
    note = "declare the proto field `optional`, or save a plain `{Self}`"
)]
pub trait NeverDefault: Sealed {}

/// A type that can be the key of a proto map of key kind `K`, or an element of a set.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a map key or set element of the proto kind `{K}`",
    label = "needs an order on the wire: integers by value, strings by bytes"
)]
pub trait WireKey<K: Kind>: Wire<K> {
    /// The order of two keys on the wire: integers by value, strings by bytes.
    #[doc(hidden)]
    fn wire_cmp(&self, other: &Self) -> std::cmp::Ordering;
    /// A number that says what it can of the order: of two keys whose prefixes differ, the one with
    /// the lesser comes first. Spares a sort most looks at the keys themselves.
    #[doc(hidden)]
    fn wire_prefix(&self) -> u64 {
        0
    }
    /// The key as text, for paths and controller ids.
    #[doc(hidden)]
    fn key_text(&self) -> String;
}

/// The [`WireKey::wire_prefix`] of keys that are ordered by these bytes.
#[inline]
pub(super) fn prefix_of_bytes(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => bytes.iter().rev().fold(0, |prefix, &byte| prefix >> 8 | u64::from(byte) << 56),
    }
}
