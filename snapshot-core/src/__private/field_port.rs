//! Transfers one field between a struct and the wire.
//!
//! A field whose type does not fit should be one error, which [`super::proof_of_fit`] reports. So
//! everything else is called in a way that always compiles: as a method of [`Port`], which exists
//! for types that fit, or of [`NoPort`], which exists for all types and never runs. (The compiler
//! prefers the method of the type itself to that of a trait.)

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

/// The field `F` of a message, whose value is a `T`.
pub struct Port<F: 'static, T> {
    pub(super) field: &'static Field<F>,
    held: PhantomData<fn() -> T>,
}

/// Returns the port of a field.
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

    /// Opens the field while its message is read. Reads the next value in canonical encoding, if it
    /// belongs to this field.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn open(self, take: &mut Taking, r: &mut Reader<'_>) -> Open<F, T> {
        let mut open = Open::default();
        open.take_expected(self.field, take, r);
        open
    }

    /// Does the same for a field that exists from version `since` on.
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
            // Its member is already named.
            FieldShape::Oneof(_) => value.visit_field(visit),
            _ => visit.field(self.field.name(), |visit| value.visit_field(visit)),
        }
    }
}

/// The field `F` of a message, whose value is a `T` that `with = module` converts to and from a
/// `W`.
pub struct Adapter<F: 'static, W, T, Take> {
    pub(super) field: &'static Field<F>,
    take: Take,
    // The value is converted between the creation of the adapter and the call of `put`.
    converting: InAdapter,
    converted: PhantomData<fn(W) -> T>,
}

/// Creates the adapter of a field. `W` is the argument of the module's `from_wire`.
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

    /// Visits the result of the adapter. It has no controllers, so the visit finds names only, and
    /// whether the adapter returns the same value. A value that cannot be converted has no names;
    /// its save reports the error.
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

/// The result of `to_wire` in a `with = module`.
pub struct Converted<R>(pub R);

impl<W, E> Converted<Result<W, E>> {
    /// Returns the converted value, if there is one.
    pub fn value(self) -> Option<W> {
        self.0.ok()
    }
}

/// The stand-in for a `to_wire` that returns no `Result`, which is reported elsewhere.
pub trait NotConverted: Sized {
    fn value<W>(self) -> Option<W> {
        None
    }
}

impl<R> NotConverted for Converted<R> {}

/// Two values of a type, to be compared if the type allows it.
pub struct Twins<'t, T>(pub &'t T, pub &'t T);

impl<T: PartialEq> Twins<'_, T> {
    /// Returns whether they are equal.
    pub fn are_equal(self) -> bool {
        self.0 == self.1
    }
}

/// The stand-in for a type without `PartialEq`: nothing is known, so there is no error.
pub trait NotCompared: Sized {
    fn are_equal(self) -> bool {
        true
    }
}

impl<T> NotCompared for Twins<'_, T> {}

/// The stand-in for a type that does not fit. It never runs, because the program does not compile.
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
