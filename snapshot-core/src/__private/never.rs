//! The stand-in for a field or a member whose type does not fit.
//!
//! A misfit should be one error, which a constant reports in the user's words (see
//! [`super::proof_of_fit`]). So all other code about it must compile. Generated code calls its functions on
//! the value that the method `fits` of a field or a member returns; for a misfit, that value is a [`Never`].

use std::marker::PhantomData;

use super::answer::Answer;
use super::field_port::Planned;
use super::put::Putting;
use super::take::Taking;
use super::validation::not_derived;
use crate::Error;
use crate::codec::{Reader, Tag, Writer};
use crate::visit::Visit;

/// Stands for a field or a member whose type does not fit; `Why` is the reason. Its functions never run,
/// because the program does not compile.
pub struct Never<Why>(PhantomData<fn() -> Why>);

impl<Why> Clone for Never<Why> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Why> Copy for Never<Why> {}

impl<Why> Never<Why> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<Why, T> Planned<T> for Never<Why>
where
    Self: Answer,
{
    type Open = ();

    fn put<const N: usize>(self, _: &T, _: &mut Putting<'_, N>) {}

    fn size(self, _: &T) -> usize {
        0
    }

    fn open(self, (): &mut (), _: &mut Taking, _: &mut Reader<'_>) {}

    fn offer(self, (): &mut (), _: &mut Taking, _: Tag, _: &mut Reader<'_>) -> bool {
        false
    }

    fn offer_since(self, _: u32, (): &mut (), _: &mut Taking, _: Tag, _: &mut Reader<'_>) -> bool {
        false
    }

    fn finish(self, (): (), _: &mut Taking) -> Option<T> {
        None
    }

    fn visit(self, _: &T, _: &mut Visit<'_>) -> Result<(), Error> {
        Err(not_derived())
    }
}

/// The functions of an [`Adapter`](super::Adapter), and of the field that it reads.
impl<Why> Never<Why> {
    pub fn put_converted<P, V>(self, _: P, _: V) {}

    pub fn open_adapter(self, _: &mut Taking, _: &mut Reader<'_>) -> Self {
        self
    }

    pub fn open_adapter_since(self, _: u32, _: &mut Taking, _: &mut Reader<'_>) -> Self {
        self
    }

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

    pub fn finish<F, T>(self, _: F, _: &mut Taking, _: &Reader<'_>) -> Option<T> {
        None
    }

    pub fn visit_converted<V, T, C>(
        self,
        _: V,
        _: &T,
        _: C,
        _: &mut Visit<'_>,
    ) -> Result<(), Error> {
        Err(not_derived())
    }
}

/// The functions of a [`Member`](super::Member).
impl<Why> Never<Why> {
    pub fn put_member<T>(self, _: &T, _: &mut Writer) -> Result<u32, Error> {
        Err(not_derived())
    }

    pub fn take_member<T>(self, _: Tag, _: &mut Reader<'_>) -> Result<T, Error> {
        Err(not_derived())
    }

    pub fn visit_member<T>(self, _: &T, _: &mut Visit<'_>) -> Result<(), Error> {
        Err(not_derived())
    }
}
