//! The registry: every controller type that is linked into this program.

mod manifest;
mod received;
#[cfg(test)]
mod tests;
mod types;

use std::any::TypeId;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::OnceLock;

pub(crate) use self::types::short_type_name;
pub use self::types::{TypeInfo, TypeRef};
use crate::codec::{Reader, controller_with};
use crate::controller::{AnyLoaded, Controller, StateOf};
pub use crate::schema::Manifest;
use crate::schema::{MessageDescriptor, Notes, Schema};
use crate::state::{take_payload, version_read};
use crate::{Error, State};

/// One controller type, as [`register!`](crate::register) submits it.
#[derive(Clone, Copy)]
pub struct Registration {
    info: TypeInfo,
    descriptor: &'static MessageDescriptor,
    /// What prost says that the type URL is.
    prost_type_url: fn() -> String,
    take: fn(&mut Reader<'_>) -> Result<AnyLoaded, Error>,
}

inventory::collect!(Registration);

fn take_loaded<C: Controller>(r: &mut Reader<'_>) -> Result<AnyLoaded, Error> {
    r.charge(controller_with::<StateOf<C>>())?;
    let state = take_payload(r)?;
    Ok(AnyLoaded::new(Box::new(StateOf::<C>::new(state, version_read::<C::State>(r)))))
}

impl Registration {
    /// The registration of `C`.
    pub const fn of<C: Controller>() -> Self
    where
        <C::State as State>::Message: prost::Name,
    {
        Self {
            info: TypeInfo::of::<C>(),
            descriptor: <C::State as State>::Message::DESCRIPTOR,
            prost_type_url: <<C::State as State>::Message as prost::Name>::type_url,
            take: take_loaded::<C>,
        }
    }

    /// What is known of the type.
    pub fn info(&self) -> &TypeInfo {
        &self.info
    }

    /// The schema of its payload.
    pub fn descriptor(&self) -> &'static MessageDescriptor {
        self.descriptor
    }

    /// Checks the names that the derive wrote against those that prost has.
    fn check_names(&self) -> Result<(), Error> {
        let prost = (self.prost_type_url)();
        // The type URL names the message too. Without a `type_name_domain`, prost has no domain: that
        // is no claim about the type URL.
        match prost == self.info.type_url || prost.strip_prefix('/') == Some(self.info.message_name)
        {
            true => Ok(()),
            false => Err(self.other_names(&prost)),
        }
    }

    /// Prost has other names than the derive.
    #[cold]
    fn other_names(&self, prost: &str) -> Error {
        let (info, full_name) = (&self.info, (self.descriptor.full_name)());
        let (controller, message) = (info.controller.name(), info.message_name);
        if message != full_name {
            return Error::internal(format!(
                "controller {controller}: its payload is message {full_name}, which the derive took \
                 for {message}: declare the message at the top level of its .proto file"
            ));
        }
        Error::internal(format!(
            "controller {controller}: the derive has type URL {:?}, prost has {prost:?}: add \
             #[snapshot(type_url = {prost:?})]",
            info.type_url
        ))
    }

    /// Checks that no field says that it comes with a version which there is not yet: saved, it
    /// could not be read back. `notes` are cleared first; they are the caller's, since a program
    /// may have a thousand types.
    fn check_since(&self, notes: &mut Notes) -> Result<(), Error> {
        notes.clear();
        (self.info.annotate)(notes);
        let version = self.info.version;
        let later = notes.iter().filter(|(_, _, note)| note.since > version);
        Error::collect(later.map(|(message, number, note)| {
            Error::internal(format!(
                "controller {}: field {number} of {message} exists from version {} on, and its \
                 payload is version {version}: raise the version, or remove `since`",
                self.info.controller.name(),
                note.since,
            ))
        }))
    }

    /// Takes a payload of this type.
    pub(crate) fn take(&self, r: &mut Reader<'_>) -> Result<AnyLoaded, Error> {
        (self.take)(r)
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("info", &self.info).finish_non_exhaustive()
    }
}

/// All registered controller types, by type URL.
#[derive(Debug)]
pub struct Registry {
    /// By ascending type URL.
    registrations: Vec<Registration>,
}

impl Registry {
    /// Builds a registry and checks it as a whole.
    ///
    /// # Errors
    ///
    /// Every contradiction, naming both sides: a type URL or a message that two controllers claim,
    /// a type URL that differs from prost's, an `after` type that is not registered, a field that
    /// exists from a version on which its payload does not have yet.
    pub fn new(registrations: impl IntoIterator<Item = Registration>) -> Result<Self, Error> {
        let mut registrations: Vec<Registration> = registrations.into_iter().collect();
        // Link order is not an order: sort, so that errors come out the same in every build.
        registrations.sort_by(|a, b| {
            let by_type_url = a.info.type_url.cmp(b.info.type_url);
            by_type_url.then_with(|| a.info.controller.name().cmp(b.info.controller.name()))
        });
        let mut errors = Vec::new();
        registrations.dedup_by(|other, first| {
            let is_repeated = other.info.type_url == first.info.type_url;
            // The same type twice is one type: `register!` beside `controller =`.
            if is_repeated && other.info.controller.id() != first.info.controller.id() {
                errors.push(Error::internal(format!(
                    "controllers {} and {} both claim type URL {:?}: give each its own message",
                    first.info.controller.name(),
                    other.info.controller.name(),
                    first.info.type_url
                )));
            }
            is_repeated
        });
        errors.extend(check_messages(&registrations));
        let mut notes = Notes::default();
        for registration in &registrations {
            errors.extend(registration.check_names().err());
            errors.extend(registration.check_since(&mut notes).err());
        }
        errors.extend(check_after(&registrations));
        Error::collect(errors)?;
        Ok(Self { registrations })
    }

    /// The registration of a type URL. Does not allocate.
    pub fn get(&self, type_url: &str) -> Option<&Registration> {
        let all = &self.registrations;
        let at = all.binary_search_by(|registration| registration.info.type_url.cmp(type_url));
        at.ok().and_then(|at| all.get(at))
    }

    /// All registrations, by ascending type URL.
    pub fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.registrations.iter()
    }

    /// How many types are registered.
    pub fn len(&self) -> usize {
        self.registrations.len()
    }

    /// Whether no type is registered.
    pub fn is_empty(&self) -> bool {
        self.registrations.is_empty()
    }

    /// Checks that these types are registered.
    ///
    /// # Errors
    ///
    /// Every type that is not.
    pub fn require(&self, types: &[TypeInfo]) -> Result<(), Error> {
        let missing = types.iter().filter(|info| {
            self.get(info.type_url).is_none_or(|r| r.info.controller.id() != info.controller.id())
        });
        Error::collect(missing.map(|info| {
            Error::internal(format!(
                "controller {} is not registered for type URL {:?}: add `controller = ...` to its \
                 state, or `snapshot_core::register!` it",
                info.controller.name(),
                info.type_url
            ))
        }))
    }
}

/// Every type with the message of another.
fn check_messages(registrations: &[Registration]) -> Vec<Error> {
    // A type URL ends with the message's name, so that the names are mostly in order as well.
    let name = |registration: &Registration| registration.info.message_name;
    if registrations.is_sorted_by(|one, next| name(one) < name(next)) {
        return Vec::new();
    }
    let mut errors = Vec::new();
    let mut first = HashMap::with_capacity(registrations.len());
    for Registration { info, .. } in registrations {
        match first.entry(info.message_name) {
            Entry::Vacant(entry) => drop(entry.insert(info)),
            Entry::Occupied(entry) => errors.push(Error::internal(format!(
                "controllers {} and {} both claim message {}: give each its own message",
                entry.get().controller.name(),
                info.controller.name(),
                info.message_name
            ))),
        }
    }
    errors
}

/// Every type that another comes after, and that is not there.
fn check_after(registrations: &[Registration]) -> Vec<Error> {
    let after = registrations.iter().flat_map(|registration| {
        let info = &registration.info;
        info.after.iter().map(move |after| (info, after))
    });
    let mut after = after.peekable();
    if after.peek().is_none() {
        return Vec::new();
    }
    let known: HashSet<TypeId> = registrations.iter().map(|r| r.info.controller.id()).collect();
    after
        .filter(|(_, after)| !known.contains(&after.id()))
        .map(|(info, after)| {
            Error::internal(format!(
                "controller {} comes after {}, which is not registered: add `controller = ...` to \
                 its state, or remove it from `after`",
                info.controller.name(),
                after.name()
            ))
        })
        .collect()
}

/// The registry of this program, built and checked at the first call.
///
/// # Errors
///
/// As [`Registry::new`], the same at every call.
pub fn registry() -> Result<&'static Registry, Error> {
    static REGISTRY: OnceLock<Result<Registry, Error>> = OnceLock::new();
    REGISTRY
        .get_or_init(|| {
            let linked = || inventory::iter::<Registration>.into_iter();
            // Counted first: the list does not know how long it is.
            let mut registrations = Vec::with_capacity(linked().count());
            registrations.extend(linked().copied());
            Registry::new(registrations)
        })
        .as_ref()
        .map_err(Clone::clone)
}

/// Registers a controller type whose state has no `controller = ...`, a generic one for instance.
///
/// `register!(Cache<Lru>);` at module level.
#[macro_export]
macro_rules! register {
    ($controller:ty) => {
        const _: () = {
            $crate::__private::inventory::submit! {
                $crate::registry::Registration::of::<$controller>()
            }
        };
    };
}

/// Links the named controller types and checks that they are registered.
///
/// A linker drops what nothing names: a crate of controllers that is only in `Cargo.toml`
/// registers nothing, silently. Call this at the start of a program that restores by type URL.
///
/// ```ignore
/// registry::require![Scsi, Network]?;
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! __require {
    ($($controller:ty),+ $(,)?) => {
        $crate::registry::registry().and_then(|registry| {
            registry.require(&[$($crate::registry::TypeInfo::of::<$controller>()),+])
        })
    };
}

#[doc(inline)]
pub use crate::__require as require;
