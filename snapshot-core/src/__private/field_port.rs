//! One field on its way between a struct and the wire: it is written, and its occurrences are collected
//! while its message is read.

use std::marker::PhantomData;

use super::answer::Answer;
use super::field::{is_member, place};
use super::put::Putting;
use super::take::Taking;
use crate::Error;
use crate::codec::{Reader, Tag, WireField};
use crate::schema::kind::{FieldKind, Frame};
use crate::schema::{Field, FieldShape, StatesInside};
use crate::visit::Visit;

/// The field `F` of a message, for a type that depends on parameters: only the compiler itself can
/// check that it fits.
pub struct Of<F>(PhantomData<fn() -> F>);

/// The kind of a field must be known before the compiler looks for its type. Otherwise, for a type
/// that fits only one kind, the compiler concludes that the field has that kind.
pub const fn of<F>(_: &Field<F>) -> Of<F> {
    Of(PhantomData)
}

impl<F> Of<F> {
    /// Refuses a type that does not fit the field. Otherwise returns the states inside.
    pub const fn fits<T: WireField<F>>(self) -> StatesInside {
        T::INSIDE
    }
}

/// A field that a `T` holds. It is a [`Port`], or [`Never`](super::Never) if the type does not fit.
pub trait Planned<T>: Answer + Copy {
    /// Collects the occurrences of the field while its message is read.
    type Open: Default;

    /// Writes the field.
    fn put<const N: usize>(self, value: &T, put: &mut Putting<'_, N>);

    /// Returns the number of bytes that `put` will write. A part that is expensive to compute counts as 0.
    fn size(self, value: &T) -> usize;

    /// Reads the next values in canonical encoding, as far as they belong to this field.
    fn open(self, open: &mut Self::Open, take: &mut Taking, r: &mut Reader<'_>);

    /// Reads the occurrence after `tag`, if it belongs to this field.
    fn offer(self, open: &mut Self::Open, take: &mut Taking, tag: Tag, r: &mut Reader<'_>) -> bool;

    /// The same for a field that exists from version `since` on.
    fn offer_since(
        self,
        since: u32,
        open: &mut Self::Open,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool;

    /// Returns the value; `None` after an error, or a default that is never used.
    fn finish(self, open: Self::Open, take: &mut Taking) -> Option<T>;

    /// Shows the controllers and the names in the field to `visit`.
    fn visit(self, value: &T, visit: &mut Visit<'_>) -> Result<(), Error>;
}

/// The field `F` of a message, whose value is a `T`.
pub struct Port<F: 'static, T> {
    pub(super) field: &'static Field<F>,
    held: PhantomData<fn() -> T>,
}

impl<F, T> Clone for Port<F, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F, T> Copy for Port<F, T> {}

/// Returns the port of a field.
pub const fn port<F, T>(field: &'static Field<F>) -> Port<F, T> {
    Port { field, held: PhantomData }
}

// Inlined in release builds only: in a debug build it would be more code to compile for each struct.
impl<F: FieldKind, T: WireField<F>> Planned<T> for Port<F, T> {
    type Open = T::Slot;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn put<const N: usize>(self, value: &T, put: &mut Putting<'_, N>) {
        match value.put_field(self.field.number(), put.w) {
            Ok(number) => put.mark(number),
            Err(error) => put.fail_at(self.field, error),
        }
    }

    #[inline]
    fn size(self, value: &T) -> usize {
        value.field_size(self.field.number())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn open(self, slot: &mut T::Slot, take: &mut Taking, r: &mut Reader<'_>) {
        let Some(Frame { wire_type, repeats }) = F::FRAME else { return };
        let tag = Tag { number: self.field.number(), wire_type };
        let left = r.remaining();
        if !r.passes_tag(tag.number, wire_type) {
            return;
        }
        if repeats {
            take.left = left;
            return Self::take_run(slot, self.field, take, tag, r);
        }
        if let Err(error) = T::take_field(slot, tag, r) {
            take.left = left;
            take.failed(place(self.field, error), tag, r);
        }
    }

    // Inlined, so that the tag is compared with constants.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn offer(self, slot: &mut T::Slot, take: &mut Taking, tag: Tag, r: &mut Reader<'_>) -> bool {
        if !is_member(self.field, tag.number) {
            return false;
        }
        match F::FRAME {
            Some(Frame { repeats: true, .. }) => Self::take_run(slot, self.field, take, tag, r),
            _ => *slot = Self::take_late(std::mem::take(slot), self.field, take, tag, r),
        }
        true
    }

    #[inline]
    fn offer_since(
        self,
        since: u32,
        slot: &mut T::Slot,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool {
        if is_member(self.field, tag.number) && r.version() < since {
            take.newer(self.field, since, tag, r);
            return true;
        }
        self.offer(slot, take, tag, r)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn finish(self, slot: T::Slot, take: &mut Taking) -> Option<T> {
        let mut error = None;
        let value = T::finish_field(slot, &mut error);
        if let Some(error) = error {
            take.unfinished(self.field, error);
        }
        value
    }

    fn visit(self, value: &T, visit: &mut Visit<'_>) -> Result<(), Error> {
        if T::LEAF {
            return Ok(());
        }
        match F::SHAPE {
            // The member names itself.
            FieldShape::Oneof(_) => value.visit_field(visit),
            _ => visit.field(self.field.name(), |visit| value.visit_field(visit)),
        }
    }
}

impl<F: FieldKind, T: WireField<F>> Port<F, T> {
    /// Reads the occurrence after `tag` and the occurrences that follow it.
    // The code that reads an element is inlined here, with its closures: a call takes a tenth of the time
    // of a small element.
    #[inline(never)]
    fn take_run(
        slot: &mut T::Slot,
        field: &Field<F>,
        take: &mut Taking,
        mut tag: Tag,
        r: &mut Reader<'_>,
    ) {
        let Some(Frame { wire_type, .. }) = F::FRAME else { return };
        if tag.wire_type == wire_type {
            T::make_room(slot, tag.number, r);
        }
        loop {
            if let Err(error) = T::take_field(slot, tag, r) {
                take.failed(place(field, error), tag, r);
            }
            take.left = r.remaining();
            if !r.passes_tag(tag.number, wire_type) {
                return;
            }
            tag.wire_type = wire_type;
        }
    }

    /// Reads an occurrence that is not at its place in canonical encoding. The slot is passed by value,
    /// because a slot whose address escapes cannot stay in registers.
    #[cold]
    #[inline(never)]
    fn take_late(
        mut slot: T::Slot,
        field: &Field<F>,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> T::Slot {
        if let Err(error) = T::take_field(&mut slot, tag, r) {
            take.failed(place(field, error), tag, r);
        }
        slot
    }
}
