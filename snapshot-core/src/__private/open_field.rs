//! One field while its message is read: collects its occurrences, until it is finished.
//!
//! [`Port::open`](super::Port::open) is called in a way that always compiles. These methods need no
//! such care, because a type that does not fit gets [`Closed`], another type. So the compiler
//! searches only once for each field.

use std::marker::PhantomData;

use super::field::{is_member, place};
use super::take::Taking;
use crate::Error;
use crate::caught::InAdapter;
use crate::codec::{Reader, Tag, WireField};
use crate::schema::Field;
use crate::schema::kind::{FieldKind, Frame};

/// The field `F` of a message, whose value is a `T`. The field itself is passed to each method:
/// there its number is a constant, and in here it would be a variable.
pub struct Open<F: 'static, T: WireField<F>> {
    pub(super) slot: T::Slot,
}

impl<F, T: WireField<F>> Default for Open<F, T> {
    #[inline(always)]
    fn default() -> Self {
        Self { slot: T::Slot::default() }
    }
}

impl<F: FieldKind, T: WireField<F>> Open<F, T> {
    /// Reads the next occurrences of the field, framed as in canonical encoding.
    #[inline(always)]
    pub(super) fn take_expected(
        &mut self,
        field: &Field<F>,
        take: &mut Taking,
        r: &mut Reader<'_>,
    ) {
        let Some(Frame { wire_type, repeats }) = F::FRAME else { return };
        let tag = Tag { number: field.number(), wire_type };
        let left = r.remaining();
        if !r.passes_tag(tag.number, wire_type) {
            return;
        }
        if repeats {
            take.left = left;
            return Self::take_run(&mut self.slot, field, take, tag, r);
        }
        if let Err(error) = T::take_field(&mut self.slot, tag, r) {
            take.left = left;
            take.failed(place(field, error), tag, r);
        }
    }

    /// Reads the occurrence after `tag` and those that follow it.
    // The read of an element is inlined here, closures included: a call takes a tenth of the time
    // of reading a small one.
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

    /// Reads the occurrence after `tag`, if it belongs to this field.
    // Inlined, so that a tag is compared with constants. A debug build would only compile more for
    // each struct.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn offer(
        &mut self,
        field: &Field<F>,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool {
        if !is_member(field, tag.number) {
            return false;
        }
        match F::FRAME {
            Some(Frame { repeats: true, .. }) => {
                Self::take_run(&mut self.slot, field, take, tag, r);
            }
            _ => self.slot = Self::take(std::mem::take(&mut self.slot), field, take, tag, r),
        }
        true
    }

    /// Does the same for a field that exists from version `since` on.
    #[inline]
    pub fn offer_since(
        &mut self,
        field: &Field<F>,
        since: u32,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool {
        if is_member(field, tag.number) && r.version() < since {
            take.newer(field, since, tag, r);
            return true;
        }
        self.offer(field, take, tag, r)
    }

    /// Reads an occurrence that is not at its place in canonical encoding. By value, because a slot
    /// whose address is passed on cannot stay in registers.
    /// address is given away cannot stay in registers.
    #[cold]
    #[inline(never)]
    fn take(
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

    /// Returns the value; `None` after an error, or a default that is never used.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn finish(self, field: &Field<F>, take: &mut Taking, _: &Reader<'_>) -> Option<T> {
        self.value(field, take)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn value(self, field: &Field<F>, take: &mut Taking) -> Option<T> {
        let mut error = None;
        let value = T::finish_field(self.slot, &mut error);
        if let Some(error) = error {
            take.unfinished(field, error);
        }
        value
    }
}

/// The field `F` of a message, read as a `W`, which becomes a `T`.
pub struct OpenAdapter<F: 'static, W: WireField<F>, T, Take> {
    pub(super) open: Open<F, W>,
    pub(super) take: Take,
    // A pointer, so that these methods have no bounds on `Take`: its errors are reported once.
    pub(super) convert: fn(Take, W) -> Result<T, Error>,
}

impl<F: FieldKind, W: WireField<F>, T, Take> OpenAdapter<F, W, T, Take> {
    #[inline]
    pub fn offer(
        &mut self,
        field: &Field<F>,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool {
        self.open.offer(field, take, tag, r)
    }

    pub fn offer_since(
        &mut self,
        field: &Field<F>,
        since: u32,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool {
        self.open.offer_since(field, since, take, tag, r)
    }

    pub fn finish(self, field: &Field<F>, take: &mut Taking, r: &Reader<'_>) -> Option<T> {
        // The adapter needs the value.
        let value = self.open.value(field, take).filter(|_| take.is_known(field))?;
        let converting = InAdapter::of(field.name());
        let converted = (self.convert)(self.take, value);
        converting.end();
        match converted {
            Ok(value) => Some(value),
            Err(error) => {
                let error = take.at_field(field, error, r);
                take.unfinished(field, error);
                None
            }
        }
    }
}

/// The stand-in for a type that does not fit. It never runs, because the program does not compile.
pub struct Closed<T>(pub(super) PhantomData<fn() -> T>);

impl<T> Closed<T> {
    pub fn offer<F>(&mut self, _: F, _: &mut Taking, _: Tag, _: &mut Reader<'_>) -> bool {
        false
    }

    pub fn offer_since<F>(
        &mut self,
        _: F,
        _: u32,
        _: &mut Taking,
        _: Tag,
        _: &mut Reader<'_>,
    ) -> bool {
        false
    }

    pub fn finish<F>(self, _: F, _: &mut Taking, _: &Reader<'_>) -> Option<T> {
        None
    }
}
