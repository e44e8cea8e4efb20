//! Putting the fields of a message.

use std::fmt::Debug;
use std::ops::RangeBounds;

use super::adapter::Adapter;
use super::bounds::{self, Ranged};
use super::{Span, place, refusal};
use crate::codec::{Length, WireField, Writer};
use crate::schema::Field;
use crate::schema::kind::FieldKind;
use crate::{Error, State};

/// The fields of one message on their way to the writer, in descending declared order. `N` is how
/// many marks are kept to bring them into the order of their numbers, 0 if they are declared so.
pub struct Putting<'w, const N: usize> {
    w: &'w mut Writer,
    mark: usize,
    ends: [(u32, usize); N],
    count: usize,
}

/// How many marks [`Putting`] needs for fields declared in this order.
pub const fn marks(spans: &[Span]) -> usize {
    let mut i = 1;
    while i < spans.len() {
        if spans[i].low <= spans[i - 1].high {
            return spans.len();
        }
        i += 1;
    }
    0
}

impl<'w, const N: usize> Putting<'w, N> {
    #[inline]
    pub fn new(w: &'w mut Writer) -> Self {
        let mark = w.position();
        Self { w, mark, ends: [(0, 0); N], count: 0 }
    }

    #[inline]
    pub fn field<F: FieldKind, T: WireField<F>>(
        &mut self,
        field: &Field<F>,
        value: &T,
    ) -> Result<(), Error> {
        match value.put_field(field.number(), self.w) {
            Ok(number) => {
                if let Some(end) = self.ends.get_mut(self.count) {
                    *end = (number, self.w.position());
                    self.count += 1;
                }
                Ok(())
            }
            Err(error) => Err(place(field, error)),
        }
    }

    /// Puts what an adapter made of a field.
    pub fn adapted<F: FieldKind, W: WireField<F>, T, Take, E: std::fmt::Display + 'static>(
        &mut self,
        adapter: &Adapter<F, W, T, Take>,
        value: Result<W, E>,
    ) -> Result<(), Error> {
        match value {
            Ok(value) => self.field(adapter.field(), &value),
            Err(error) => Err(refusal(error).in_field(adapter.field().name())),
        }
    }

    pub fn max<F, T: Length>(&self, field: &Field<F>, value: &T, max: usize) -> Result<(), Error> {
        bounds::max(field, value, max)
    }

    pub fn range<F, V: PartialOrd + Debug, T: Ranged<V>>(
        &self,
        field: &Field<F>,
        value: &T,
        range: impl RangeBounds<V>,
        text: &str,
    ) -> Result<(), Error> {
        bounds::range(field, value, range, text)
    }

    #[inline]
    pub fn finish(self) -> Result<(), Error> {
        if N == 0 { Ok(()) } else { self.w.reorder(self.mark, &self.ends[..self.count]) }
    }
}

/// Puts a state as a nested message, with its length.
#[inline]
pub fn put_message<S: State>(state: &S, w: &mut Writer) -> Result<(), Error> {
    let mark = w.position();
    state.put_fields(w)?;
    w.length_since(mark);
    Ok(())
}
