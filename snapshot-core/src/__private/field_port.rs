//! One field on its way between a struct and the wire: what puts it, and what collects its occurrences
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
    /// What collects the field's occurrences while its message is read.
    type Open: Default;

    /// Puts the field.
    fn put<const N: usize>(self, value: &T, put: &mut Putting<'_, N>);

    /// How many bytes `put` will put; what takes more than a look counts as nothing.
    fn size(self, value: &T) -> usize;

    /// Takes what follows of the field, framed as canonical encoding does.
    fn open(self, open: &mut Self::Open, take: &mut Taking, r: &mut Reader<'_>);

    /// Takes what `tag` announces, if it is this field's.
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

    /// The value; `None` after an error, or a default that nobody sees.
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

// A debug build would only compile more if all of it were inlined.
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

    // So that a tag is compared with numbers. A debug build would only compile more for each struct.
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
            // Its member is named.
            FieldShape::Oneof(_) => value.visit_field(visit),
            _ => visit.field(self.field.name(), |visit| value.visit_field(visit)),
        }
    }
}

impl<F: FieldKind, T: WireField<F>> Port<F, T> {
    /// Takes what `tag` announces and the occurrences that follow it.
    // What reads an element is in line in here, closures included: to call it takes a tenth as long
    // as to read a small one.
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

    /// Takes an occurrence that is not where canonical encoding has it. By value, since a slot whose
    /// address is given away cannot stay in registers.
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
