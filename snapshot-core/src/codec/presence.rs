//! Fields of one value: with implicit presence, where the default is not written, or with explicit
//! presence.

use super::{
    NeverDefault, Reader, Single, Tag, Wire, WireField, Writer, duplicate, expect_wire_type,
    missing, size,
};
use crate::Error;
use crate::schema::FieldForm;
use crate::schema::StatesInside;
use crate::schema::kind::{Kind, Optional, Singular};
use crate::visit::Visit;

/// Takes one value of a field that may be there once, where it stands: one function less for each field.
macro_rules! take_once {
    ($kind:ty, $value:ty, $slot:ident, $tag:ident, $r:ident) => {{
        expect_wire_type::<$kind>($tag)?;
        if $slot.is_some() {
            return Err(duplicate());
        }
        if <$value as Wire<$kind>>::IN_PLACE {
            return <$value as Wire<$kind>>::take_into($slot, $r);
        }
        let value = <$value as Wire<$kind>>::take($r)?;
        // There is nothing to drop, which an assignment would look for.
        std::mem::forget($slot.replace(value));
        Ok(())
    }};
}

/// The same as a function.
#[inline]
pub(super) fn take_once<K: Kind, T: Wire<K>>(
    slot: &mut Option<T>,
    tag: Tag,
    r: &mut Reader<'_>,
) -> Result<(), Error> {
    take_once!(K, T, slot, tag, r)
}

/// Reports that a value is missing. The reason why it has no default adds nothing.
#[cold]
#[inline(never)]
fn missing_for(_: Error) -> Error {
    missing()
}

/// Returns whether a type has no value for an absent field.
fn has_no_default<K: Kind, T: Wire<K>>() -> bool {
    T::of_default().is_err()
}

impl<K: Kind, T: Single + Wire<K>> WireField<Singular<K>> for T {
    const LEAF: bool = T::LEAF;
    const FORM: FieldForm = FieldForm::required_if(T::FORM, has_no_default::<K, T>);
    const INSIDE: StatesInside = T::INSIDE;
    type Slot = Option<T>;

    #[inline]
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        match self.is_default() {
            false => self.put_tagged(number, w)?,
            true => self.leave_out(w)?,
        }
        Ok(number)
    }

    #[inline]
    fn field_size(&self, number: u32) -> usize {
        if self.is_default() { 0 } else { size::tag(number) + self.size() }
    }

    #[inline]
    fn take_field(slot: &mut Option<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        take_once!(K, T, slot, tag, r)
    }

    #[inline]
    fn finish_field(slot: Option<T>, error: &mut Option<Error>) -> Option<Self> {
        if slot.is_some() {
            return slot;
        }
        match T::of_default() {
            Ok(value) => Some(value),
            // A type without a default is required.
            Err(reason) => {
                *error = Some(missing_for(reason));
                None
            }
        }
    }
    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        self.visit(visit)
    }
}

/// A field with presence in a type without: it must be present.
impl<K: Kind, T: Single + Wire<K>> WireField<Optional<K>> for T {
    const LEAF: bool = T::LEAF;
    const FORM: FieldForm = FieldForm::required(T::FORM);
    const INSIDE: StatesInside = T::INSIDE;
    type Slot = Option<T>;

    #[inline]
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        self.put_tagged(number, w)?;
        Ok(number)
    }

    #[inline]
    fn field_size(&self, number: u32) -> usize {
        size::tag(number) + self.size()
    }

    #[inline]
    fn take_field(slot: &mut Option<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        take_once!(K, T, slot, tag, r)
    }

    #[inline]
    fn finish_field(slot: Option<T>, error: &mut Option<Error>) -> Option<Self> {
        if slot.is_none() {
            *error = Some(missing());
        }
        slot
    }
    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        self.visit(visit)
    }
}

impl<K: Kind, T: Wire<K>> WireField<Optional<K>> for Option<T> {
    const LEAF: bool = T::LEAF;
    const FORM: FieldForm = FieldForm::optional(T::FORM);
    const INSIDE: StatesInside = T::INSIDE;
    type Slot = Option<T>;

    #[inline]
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        if let Some(value) = self {
            value.put_tagged(number, w)?;
        }
        Ok(number)
    }

    #[inline]
    fn field_size(&self, number: u32) -> usize {
        self.as_ref().map_or(0, |value| size::tag(number) + value.size())
    }

    #[inline]
    fn take_field(slot: &mut Option<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        take_once!(K, T, slot, tag, r)
    }

    #[inline]
    fn finish_field(slot: Option<T>, _: &mut Option<Error>) -> Option<Self> {
        Some(slot)
    }

    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        match self {
            Some(value) => value.visit(visit),
            None => Ok(()),
        }
    }
}

/// Implicit presence is sufficient for a type whose encoding is never the default.
impl<K: Kind, T: NeverDefault + Wire<K>> WireField<Singular<K>> for Option<T> {
    const LEAF: bool = T::LEAF;
    const FORM: FieldForm = FieldForm::optional(T::FORM);
    const INSIDE: StatesInside = T::INSIDE;
    /// The inner `None` is a default that was written, which means the same as an absent value.
    type Slot = Option<Option<T>>;

    #[inline]
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        if let Some(value) = self {
            value.put_tagged(number, w)?;
        }
        Ok(number)
    }

    #[inline]
    fn field_size(&self, number: u32) -> usize {
        self.as_ref().map_or(0, |value| size::tag(number) + value.size())
    }

    #[inline]
    fn take_field(slot: &mut Self::Slot, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        expect_wire_type::<K>(tag)?;
        if slot.is_some() {
            return Err(duplicate());
        }
        *slot = Some(if r.passes_default(K::WIRE_TYPE) { None } else { Some(T::take(r)?) });
        Ok(())
    }

    #[inline]
    fn finish_field(slot: Self::Slot, _: &mut Option<Error>) -> Option<Self> {
        Some(slot.flatten())
    }

    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        match self {
            Some(value) => value.visit(visit),
            None => Ok(()),
        }
    }
}
