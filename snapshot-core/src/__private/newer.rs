//! A collection that is `None` in payloads from before its field was added.
//!
//! On the wire an empty collection is an absent one, so only the version of the payload tells the two
//! apart: `None` exists in older payloads alone, and an `Option` is a type of such a field with `since`
//! alone.

use std::marker::PhantomData;

use super::field_port::{Port, port};
use super::open_field::Open;
use super::proof_of_fit::{Answer, Fit};
use super::put::Putting;
use super::take::Taking;
use crate::Error;
use crate::codec::{Reader, Tag, WireField};
use crate::schema::kind::{FieldKind, Kind, Map, Packed, Repeated};
use crate::schema::{Field, Forms, StatesInside};
use crate::visit::Visit;

/// The answer of an `Option` of a collection, for a field with `since`.
pub struct Newer<F, C>(PhantomData<fn() -> (F, C)>);

impl<F: FieldKind, C: WireField<F>> Answer for Newer<F, C> {
    const FIT: Fit = <Port<F, C> as Answer>::FIT;
    const FORM: Forms = Forms::One(C::FORM);
    const INSIDE: StatesInside = C::INSIDE;
}

/// A collection while its message is read, in a version that has the field.
pub struct OpenNewer<F: 'static, C: WireField<F>>(Open<F, C>);

impl<F: FieldKind, C: WireField<F>> OpenNewer<F, C> {
    pub fn offer_since(
        &mut self,
        field: &Field<F>,
        since: u32,
        take: &mut Taking,
        tag: Tag,
        r: &mut Reader<'_>,
    ) -> bool {
        self.0.offer_since(field, since, take, tag, r)
    }

    pub fn finish(self, field: &Field<F>, take: &mut Taking, r: &Reader<'_>) -> Option<Option<C>> {
        self.0.finish(field, take, r).map(Some)
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
            pub fn fits_since(self) -> Newer<$field, C> {
                Newer(PhantomData)
            }

            pub fn put<const N: usize>(self, put: &mut Putting<'_, N>, value: &Option<C>) {
                match value {
                    Some(value) => port::<$field, C>(self.field).put(put, value),
                    None => put.older_only(self.field.number(), self.field.name()),
                }
            }

            pub fn size(self, value: &Option<C>) -> usize {
                value.as_ref().map_or(0, |value| port::<$field, C>(self.field).size(value))
            }

            pub fn open_since(
                self,
                since: u32,
                take: &mut Taking,
                r: &mut Reader<'_>,
            ) -> OpenNewer<$field, C> {
                OpenNewer(port::<$field, C>(self.field).open_since(since, take, r))
            }

            pub fn visit(self, value: &Option<C>, visit: &mut Visit<'_>) -> Result<(), Error> {
                match value {
                    Some(value) => port::<$field, C>(self.field).visit(value, visit),
                    None => Ok(()),
                }
            }
        }
    };
}

newer! { [K] Repeated<K> }
newer! { [K] Packed<K> }
newer! { [K, V] Map<K, V> }
