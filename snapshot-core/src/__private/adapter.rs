//! A field that `with = module` converts: a conversion around the plan of the converted value.

use std::fmt::Display;
use std::marker::PhantomData;

use super::field_port::{Planned, Port, port};
use super::put::Putting;
use super::take::Taking;
use super::validation::refusal;
use crate::Error;
use crate::codec::{Reader, Tag, WireField};
use crate::panics::InAdapter;
use crate::schema::Field;
use crate::schema::kind::FieldKind;
use crate::visit::Visit;

/// The field `F` of a message, held by a `T` that is converted to and from a `W` by `with = module`.
pub struct Adapter<F: 'static, W, T, Take> {
    pub(super) field: &'static Field<F>,
    take: Take,
    // The value is converted after the adapter is created, and before `put_converted` is called.
    converting: InAdapter,
    converted: PhantomData<fn(W) -> T>,
}

/// Returns the adapter of a field. `W` is the type that the module's `from_wire` takes.
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
    /// Writes the value that the adapter has made of the field.
    pub fn put_converted<const N: usize, E: Display + 'static>(
        self,
        put: &mut Putting<'_, N>,
        value: Result<W, E>,
    ) {
        self.converting.end();
        match value {
            Ok(value) => port::<F, W>(self.field).put(&value, put),
            Err(error) => {
                let error = refusal(error).in_field(self.field.name());
                put.fail(self.field.number(), error);
            }
        }
    }

    /// Reads the next value in canonical encoding, if it belongs to this field.
    pub fn open_adapter<E: Display + 'static>(
        self,
        take: &mut Taking,
        r: &mut Reader<'_>,
    ) -> OpenAdapter<F, W, T, Take>
    where
        Take: FnOnce(W) -> Result<T, E>,
    {
        self.open_adapter_since(0, take, r)
    }

    /// The same for a field that exists from version `since` on.
    pub fn open_adapter_since<E: Display + 'static>(
        self,
        since: u32,
        take: &mut Taking,
        r: &mut Reader<'_>,
    ) -> OpenAdapter<F, W, T, Take>
    where
        Take: FnOnce(W) -> Result<T, E>,
    {
        self.converting.end();
        let mut slot = W::Slot::default();
        if r.version() >= since {
            port::<F, W>(self.field).open(&mut slot, take, r);
        }
        OpenAdapter { slot, take: self.take, convert: |take, value| take(value).map_err(refusal) }
    }

    /// Visits the value that the adapter makes of the field. It has no controllers, so the visit looks only
    /// for names, and for whether the adapter returns the original value. A value that cannot be converted
    /// has no names: its save fails and says why.
    pub fn visit_converted<E>(
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

/// The field `F` of a message while it is read, as a `W`, which becomes a `T`.
pub struct OpenAdapter<F: 'static, W: WireField<F>, T, Take> {
    slot: W::Slot,
    take: Take,
    // A function pointer, so that these methods have no bounds on `Take`: a mistake in it is reported once.
    convert: fn(Take, W) -> Result<T, Error>,
}

impl<F: FieldKind, W: WireField<F>, T, Take> OpenAdapter<F, W, T, Take> {
    pub fn offer(
        &mut self,
        field: &'static Field<F>,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool {
        port::<F, W>(field).offer(&mut self.slot, take, tag, r)
    }

    pub fn offer_since(
        &mut self,
        field: &'static Field<F>,
        since: u32,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool {
        port::<F, W>(field).offer_since(since, &mut self.slot, take, tag, r)
    }

    pub fn finish(self, field: &'static Field<F>, take: &mut Taking, r: &Reader<'_>) -> Option<T> {
        let value: Option<W> = Port::finish(port(field), self.slot, take);
        // The adapter checks it.
        let value = value.filter(|_| take.is_known(field))?;
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

/// The value that the `to_wire` of `with = module` returned.
pub struct Converted<R>(pub R);

impl<W, E> Converted<Result<W, E>> {
    /// Returns the converted value, or the error of the conversion.
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

/// Two values of a type, which are compared if the type can be compared.
pub struct Twins<'t, T>(pub &'t T, pub &'t T);

impl<T: PartialEq> Twins<'_, T> {
    /// Returns whether they are equal.
    pub fn are_equal(self) -> bool {
        self.0 == self.1
    }
}

/// The stand-in for a type without `PartialEq`: its values count as equal.
pub trait NotCompared: Sized {
    fn are_equal(self) -> bool {
        true
    }
}

impl<T> NotCompared for Twins<'_, T> {}
