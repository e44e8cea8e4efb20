//! `with = module`: a field whose value is converted on its way.

use std::fmt::Display;
use std::marker::PhantomData;

use super::refusal;
use crate::Error;
use crate::codec::WireField;
use crate::schema::Field;

/// The proto field `F` that holds a `T` converted to a `W`.
pub struct Adapter<F: 'static, W, T, Take> {
    field: &'static Field<F>,
    take: Take,
    converted: PhantomData<fn(W) -> T>,
}

/// The adapter of a field. `W` is whatever the module's `from_wire` takes.
pub const fn adapter<F, W, T, E, Take>(
    field: &'static Field<F>,
    take: Take,
) -> Adapter<F, W, T, Take>
where
    Take: FnOnce(W) -> Result<T, E>,
    W: WireField<F>,
    E: Display + 'static,
{
    Adapter { field, take, converted: PhantomData }
}

impl<F, W: WireField<F>, T, Take> Adapter<F, W, T, Take> {
    pub(super) fn field(&self) -> &'static Field<F> {
        self.field
    }

    pub fn slot(self) -> W::Slot {
        W::Slot::default()
    }

    pub(super) fn finish<E: Display + 'static>(self, slot: W::Slot) -> Result<T, Error>
    where
        Take: FnOnce(W) -> Result<T, E>,
    {
        (self.take)(W::finish_field(slot)?).map_err(refusal)
    }
}
