//! One field on its way between a struct and the wire.
//!
//! A field whose type does not fit should be one error, told by [`super::proof_of_fit`]. So everything else
//! is called in a way that never fails to compile: as the method of a [`Port`], which exists for types
//! that fit, or else as that of [`NoPort`], which is there for all and never runs. (The method of
//! the type itself is taken before that of a trait.)

use std::fmt::Display;
use std::marker::PhantomData;

use super::field::place;
use super::open_field::{Closed, Open, OpenAdapter};
use super::put::Putting;
use super::take::Taking;
use super::validation::refusal;
use crate::Error;
use crate::caught::InAdapter;
use crate::codec::{Reader, WireField};
use crate::schema::kind::FieldKind;
use crate::schema::{Field, FieldShape, StatesInside};
use crate::visit::Visit;

/// The field `F` of a message, for a type that depends on parameters: only the compiler itself can
/// tell whether it fits.
pub struct Of<F>(PhantomData<fn() -> F>);

/// The kind of a field must be known before its type is asked for: else, of a type that fits only
/// one kind, the compiler concludes that the field is of that kind.
pub const fn of<F>(_: &Field<F>) -> Of<F> {
    Of(PhantomData)
}

impl<F> Of<F> {
    /// Refuses a type that does not fit the field. Returns the states inside of one that does.
    pub const fn fits<T: WireField<F>>(self) -> StatesInside {
        T::INSIDE
    }
}

/// The field `F` of a message, held by a `T`.
pub struct Port<F: 'static, T> {
    pub(super) field: &'static Field<F>,
    held: PhantomData<fn() -> T>,
}

/// The port of a field.
pub const fn port<F, T>(field: &'static Field<F>) -> Port<F, T> {
    Port { field, held: PhantomData }
}

impl<F: FieldKind, T: WireField<F>> Port<F, T> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn put<const N: usize>(self, put: &mut Putting<'_, N>, value: &T) {
        match value.put_field(self.field.number(), put.w) {
            Ok(number) => put.mark(number),
            Err(error) => put.fail(self.field.number(), place(self.field, error)),
        }
    }

    #[inline]
    pub fn size(self, value: &T) -> usize {
        value.field_size(self.field.number())
    }

    /// The field while its message is read. Takes what canonical encoding has next, if it is this
    /// field's.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn open(self, take: &mut Taking, r: &mut Reader<'_>) -> Open<F, T> {
        let mut open = Open::default();
        open.take_expected(self.field, take, r);
        open
    }

    /// The same for a field that is there from version `since` on.
    pub fn open_since(self, since: u32, take: &mut Taking, r: &mut Reader<'_>) -> Open<F, T> {
        let mut open = Open::default();
        if r.version() >= since {
            open.take_expected(self.field, take, r);
        }
        open
    }
    pub fn visit(self, value: &T, visit: &mut Visit<'_>) -> Result<(), Error> {
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

/// The field `F` of a message, held by a `T` that is converted to and from a `W` by `with = module`.
pub struct Adapter<F: 'static, W, T, Take> {
    pub(super) field: &'static Field<F>,
    take: Take,
    // What is put is converted between the making of the adapter and the call of `put`.
    converting: InAdapter,
    converted: PhantomData<fn(W) -> T>,
}

/// The adapter of a field. `W` is whatever the module's `from_wire` takes.
pub const fn adapter<F, W, T, E, Take>(
    field: &'static Field<F>,
    take: Take,
) -> Adapter<F, W, T, Take>
where
    Take: FnOnce(W) -> Result<T, E>,
    E: Display + 'static,
{
    Adapter { field, take, converting: InAdapter::of(field.name()), converted: PhantomData }
}

impl<F: FieldKind, W: WireField<F>, T, Take> Adapter<F, W, T, Take> {
    pub fn put<const N: usize, E: Display + 'static>(
        self,
        put: &mut Putting<'_, N>,
        value: Result<W, E>,
    ) {
        self.converting.end();
        match value {
            Ok(value) => port::<F, W>(self.field).put(put, &value),
            Err(error) => {
                let error = refusal(error).in_field(self.field.name());
                put.fail(self.field.number(), error);
            }
        }
    }

    pub fn open<E: Display + 'static>(
        self,
        take: &mut Taking,
        r: &mut Reader<'_>,
    ) -> OpenAdapter<F, W, T, Take>
    where
        Take: FnOnce(W) -> Result<T, E>,
    {
        self.converting.end();
        OpenAdapter {
            open: port::<F, W>(self.field).open(take, r),
            take: self.take,
            convert: |take, value| take(value).map_err(refusal),
        }
    }

    pub fn open_since<E: Display + 'static>(
        self,
        since: u32,
        take: &mut Taking,
        r: &mut Reader<'_>,
    ) -> OpenAdapter<F, W, T, Take>
    where
        Take: FnOnce(W) -> Result<T, E>,
    {
        self.converting.end();
        OpenAdapter {
            open: port::<F, W>(self.field).open_since(since, take, r),
            take: self.take,
            convert: |take, value| take(value).map_err(refusal),
        }
    }

    /// Visits what the adapter makes of the field. It has no controllers, so only names are of
    /// interest, and whether the adapter gives back what it was given. A value that cannot be converted has
    /// none: its save fails and says why.
    pub fn visit_adapter<E>(
        self,
        value: impl FnOnce() -> Option<W>,
        original: &T,
        is_same: impl FnOnce(&T, &T) -> bool,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error>
    where
        Take: FnOnce(W) -> Result<T, E>,
    {
        let wants_names = !W::LEAF && visit.wants_names();
        let value = if wants_names || visit.wants_adapters() { value() } else { None };
        self.converting.end();
        match value {
            Some(value) if wants_names => port::<F, W>(self.field).visit(&value, visit),
            Some(value) => {
                if (self.take)(value).is_ok_and(|twin| !is_same(original, &twin)) {
                    visit.lossy(self.field.name());
                }
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// What the `to_wire` of `with = module` returned.
pub struct Converted<R>(pub R);

impl<W, E> Converted<Result<W, E>> {
    /// What it made of the field, if it could.
    pub fn value(self) -> Option<W> {
        self.0.ok()
    }
}

/// What a `to_wire` that returns no `Result` gets instead; told elsewhere.
pub trait NotConverted: Sized {
    fn value<W>(self) -> Option<W> {
        None
    }
}

impl<R> NotConverted for Converted<R> {}

/// Two values of a type, to be compared as far as the type allows it.
pub struct Twins<'t, T>(pub &'t T, pub &'t T);

impl<T: PartialEq> Twins<'_, T> {
    /// Whether they are equal.
    pub fn are_equal(self) -> bool {
        self.0 == self.1
    }
}

/// What a type without `PartialEq` gets instead: nothing can be said, so nothing is wrong.
pub trait NotCompared: Sized {
    fn are_equal(self) -> bool {
        true
    }
}

impl<T> NotCompared for Twins<'_, T> {}

/// What a type that does not fit gets instead. Never runs: the program does not compile.
pub trait NoPort<T>: Sized {
    fn put<P, V>(self, _: P, _: V) {}

    fn size(self, _: &T) -> usize {
        0
    }

    fn open(self, _: &mut Taking, _: &mut Reader<'_>) -> Closed<T> {
        Closed(PhantomData)
    }

    fn open_since(self, _: u32, _: &mut Taking, _: &mut Reader<'_>) -> Closed<T> {
        Closed(PhantomData)
    }

    fn visit<V>(self, _: V, _: &mut Visit<'_>) -> Result<(), Error> {
        Err(super::validation::not_derived())
    }

    fn visit_adapter<V, C>(self, _: V, _: &T, _: C, _: &mut Visit<'_>) -> Result<(), Error> {
        Err(super::validation::not_derived())
    }
}

impl<F, T> NoPort<T> for Port<F, T> {}
impl<F, W, T, Take> NoPort<T> for Adapter<F, W, T, Take> {}
