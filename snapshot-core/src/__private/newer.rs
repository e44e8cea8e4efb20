//! A collection that is `None` in payloads from before its field was added.
//!
//! On the wire an empty collection is an absent one, so only the version of the payload tells the two
//! apart: `None` exists in older payloads alone, and an `Option` is a type of such a field with `since`
//! alone.

use super::answer::{Answer, Fit};
use super::field_port::{Planned, Port, port};
use super::put::Putting;
use super::take::Taking;
use crate::Error;
use crate::codec::{Reader, Tag, WireField};
use crate::schema::TypeNotes;
use crate::schema::kind::{FieldKind, Kind, Map, Packed, Repeated};
use crate::visit::Visit;

/// The field of a collection that exists from some version on, held by an `Option<C>`.
pub struct Newer<F: 'static, C>(Port<F, C>);

impl<F: FieldKind, C: WireField<F>> Answer for Newer<F, C> {
    const FIT: &'static Fit = <Port<F, C> as Answer>::FIT;
    const NOTES: &'static TypeNotes = <Port<F, C> as Answer>::NOTES;
}

impl<F, C> Clone for Newer<F, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F, C> Copy for Newer<F, C> {}

impl<F: FieldKind, C: WireField<F>> Planned<Option<C>> for Newer<F, C> {
    type Open = <Port<F, C> as Planned<C>>::Open;

    fn put<const N: usize>(self, value: &Option<C>, put: &mut Putting<'_, N>) {
        match value {
            Some(value) => self.0.put(value, put),
            None => put.older_only(self.0.field.number(), self.0.field.name()),
        }
    }

    fn size(self, value: &Option<C>) -> usize {
        value.as_ref().map_or(0, |value| self.0.size(value))
    }

    fn open(self, open: &mut Self::Open, take: &mut Taking, r: &mut Reader<'_>) {
        self.0.open(open, take, r);
    }

    fn offer(self, open: &mut Self::Open, take: &mut Taking, tag: Tag, r: &mut Reader<'_>) -> bool {
        self.0.offer(open, take, tag, r)
    }

    fn offer_since(
        self,
        since: u32,
        open: &mut Self::Open,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool {
        self.0.offer_since(since, open, take, tag, r)
    }

    fn finish(self, open: Self::Open, take: &mut Taking) -> Option<Option<C>> {
        self.0.finish(open, take).map(Some)
    }

    fn visit(self, value: &Option<C>, visit: &mut Visit<'_>) -> Result<(), Error> {
        match value {
            Some(value) => self.0.visit(value, visit),
            None => Ok(()),
        }
    }
}

impl<F: FieldKind, T: WireField<F>> Port<F, T> {
    /// The answer for a field with `since`.
    #[inline(always)]
    pub fn fits_since(self) -> Self {
        self
    }
}

macro_rules! newer {
    ([$($kind:ident),*] $field:ty) => {
        impl<$($kind: Kind,)* C: WireField<$field>> Port<$field, Option<C>> {
            /// The same for a collection that older payloads do not have.
            pub fn fits_since(self) -> Newer<$field, C> {
                Newer(port(self.field))
            }
        }
    };
}

newer! { [K] Repeated<K> }
newer! { [K] Packed<K> }
newer! { [K, V] Map<K, V> }
