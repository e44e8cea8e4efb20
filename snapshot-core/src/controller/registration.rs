//! The linked controller types.

use std::fmt;
use std::sync::OnceLock;

use super::Controller;
#[cfg(feature = "testing")]
use super::WrittenHooks;
use super::loaded::{AnyLoaded, StateOf};
use crate::codec::{Quoted, Reader, controller_with};
use crate::error::{Code, Error};
use crate::payload::{Payload, State, TypeInfo, TypeRef, take_payload, version_read};
use crate::schema::{MessageDescriptor, Schema};

/// The registration of one controller type, submitted by [`register!`](crate::register).
#[derive(Clone, Copy)]
pub struct Registration {
    pub(crate) info: TypeInfo,
    pub(crate) descriptor: &'static MessageDescriptor,
    /// Returns the type URL according to prost.
    pub(crate) prost_type_url: fn() -> String,
    take: fn(&mut Reader<'_>) -> Result<AnyLoaded, Error>,
    #[cfg(feature = "testing")]
    pub(crate) hooks: fn() -> WrittenHooks,
}

inventory::collect!(Registration);

/// Reads the state of a `C`.
fn take_loaded<C: Controller>(r: &mut Reader<'_>) -> Result<AnyLoaded, Error> {
    r.charge(controller_with::<StateOf<C>>())?;
    let state = take_payload(r)?;
    Ok(AnyLoaded::new(Box::new(StateOf::<C>::new(state, version_read::<C::State>(r)))))
}

impl Registration {
    /// Creates the registration of `C`.
    pub const fn of<C: Controller>() -> Self
    where
        <C::State as State>::Message: prost::Name,
    {
        Self {
            info: TypeInfo::of::<C>(),
            descriptor: <C::State as State>::Message::DESCRIPTOR,
            prost_type_url: <<C::State as State>::Message as prost::Name>::type_url,
            take: take_loaded::<C>,
            #[cfg(feature = "testing")]
            hooks: WrittenHooks::of::<C>,
        }
    }

    /// Returns the description of the type.
    pub fn info(&self) -> &TypeInfo {
        &self.info
    }

    /// Returns the schema of its payload.
    pub fn descriptor(&self) -> &'static MessageDescriptor {
        self.descriptor
    }

    /// Orders registrations by type URL. Those with the same type URL are in the same order in
    /// every build.
    pub(crate) fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_type_url = self.info.type_url.cmp(other.info.type_url);
        by_type_url.then_with(|| self.info.controller.name().cmp(other.info.controller.name()))
    }

    /// Reads a payload of this type.
    pub(crate) fn take(&self, r: &mut Reader<'_>) -> Result<AnyLoaded, Error> {
        (self.take)(r)
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("info", &self.info).finish_non_exhaustive()
    }
}

/// The controller whose state is `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the controller of `{S}`",
    label = "needs `impl Controller for {Self}` with `type State = {S}`"
)]
pub trait Owns<S>: Controller<State = S> + Sized {}

#[diagnostic::do_not_recommend]
impl<S: Payload, C: Controller<State = S>> Owns<S> for C {}

/// Returns the registration of the controller of `S`.
pub const fn registration<C: Owns<S>, S: Payload>() -> Registration
where
    S::Message: prost::Name,
{
    Registration::of::<C>()
}

impl TypeRef {
    /// Creates the reference to `C`.
    pub const fn of<C: Controller>() -> Self {
        Self::of_type::<C>()
    }
}

impl TypeInfo {
    /// Creates the description of `C`.
    pub const fn of<C: Controller>() -> Self {
        Self::of_payload::<C::State>(TypeRef::of::<C>())
    }
}

/// Returns all linked registrations, by ascending type URL. They may contradict each other, which the
/// registry reports.
pub(crate) fn linked() -> &'static [Registration] {
    static LINKED: OnceLock<Vec<Registration>> = OnceLock::new();
    LINKED.get_or_init(|| {
        let linked = || inventory::iter::<Registration>.into_iter();
        // The first pass counts, because the iterator does not know its length.
        let mut registrations = Vec::with_capacity(linked().count());
        registrations.extend(linked().copied());
        // The link order is arbitrary.
        registrations.sort_by(Registration::cmp);
        registrations
    })
}

/// Reads the payload of a controller of any linked type.
///
/// # Errors
///
/// [`Code::Unimplemented`] if no controller is linked for this type URL, and those of the payload.
pub(crate) fn take_linked(type_url: &str, r: &mut Reader<'_>) -> Result<AnyLoaded, Error> {
    let linked = linked();
    let own = linked.binary_search_by(|registration| registration.info.type_url.cmp(type_url));
    match own.ok().or_else(|| linked_earlier(linked, type_url)) {
        Some(at) => linked[at].take(r),
        None => {
            let reason = format!("no controller is registered for type URL {}", Quoted(type_url));
            Err(Error::new(Code::Unimplemented, reason))
        }
    }
}

/// Finds the type whose payloads had this type URL in an older version.
#[cold]
fn linked_earlier(linked: &[Registration], type_url: &str) -> Option<usize> {
    let is_earlier = |registration: &Registration| {
        registration.info.older.iter().any(|older| older.type_url == Some(type_url))
    };
    linked.iter().position(is_earlier)
}
