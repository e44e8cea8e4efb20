//! The registry of all controller types that are linked into this program.

mod manifest;
mod received;
#[cfg(test)]
mod tests;

use std::any::TypeId;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

pub use crate::controller::Registration;
use crate::controller::linked;
use crate::error::Error;
use crate::panics::caught;
pub use crate::payload::{TypeInfo, TypeRef};
pub use crate::schema::Manifest;
use crate::schema::Notes;

impl Registration {
    /// Runs a check that calls code of prost and the derives. The error of a panic names the type.
    fn caught(&self, check: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let mut has_returned = false;
        let result = caught(|| {
            let result = check();
            has_returned = true;
            result
        });
        match has_returned {
            true => result,
            false => result.map_err(|error| {
                error.explained(&format!("controller {}: its schema ", self.info.controller.name()))
            }),
        }
    }

    /// Compares the names in the derive's code with prost's.
    fn check_names(&self) -> Result<(), Error> {
        let prost = (self.prost_type_url)();
        // The type URL ends with the name of the message. Without a `type_name_domain` prost has no
        // domain, so only the name is compared.
        match prost == self.info.type_url || prost.strip_prefix('/') == Some(self.info.message_name)
        {
            true => Ok(()),
            false => Err(self.other_names(&prost)),
        }
    }

    /// Returns the error of names that differ between prost and the derive.
    #[cold]
    fn other_names(&self, prost: &str) -> Error {
        let (info, full_name) = (&self.info, (self.descriptor.full_name)());
        let (controller, message) = (info.controller.name(), info.message_name);
        if message != full_name {
            return Error::internal(format!(
                "controller {controller}: its payload is message {full_name}, but the derive assumed \
                 {message}: declare the message at the top level of its .proto file"
            ));
        }
        Error::internal(format!(
            "controller {controller}: the derive has type URL {:?}, prost has {prost:?}: add \
             #[snapshot(type_url = {prost:?})]",
            info.type_url
        ))
    }

    /// Checks that no field has a `since` later than the payload's version: such a field could be
    /// saved, but not read back. Clears `notes` first; the caller lends them, because a program may
    /// have a thousand types.
    fn check_since(&self, notes: &mut Notes) -> Result<(), Error> {
        notes.clear();
        notes.add(self.info.notes);
        let version = self.info.version;
        let fields = notes
            .iter()
            .map(|(message, number, note)| (format!("field {number} of {message}"), note.since));
        let values = notes.newer_values().flat_map(|(message, number, values)| {
            let place = move |value| format!("value {value} in field {number} of {message}");
            values.iter().map(move |(value, since)| (place(value), *since))
        });
        let later = fields.chain(values).filter(|(_, since)| *since > version);
        Error::collect(later.map(|(place, since)| {
            Error::internal(format!(
                "controller {}: {place} exists from version {since} on, and its payload is version \
                 {version}: raise the version, or remove `since`",
                self.info.controller.name(),
            ))
        }))
    }
}

/// All registered controller types, by type URL.
#[derive(Debug)]
pub struct Registry {
    /// The registrations, by ascending type URL.
    registrations: Vec<Registration>,
}

impl Registry {
    /// Builds a registry and checks it as a whole.
    ///
    /// # Errors
    ///
    /// One finding for each contradiction, with both sides: a type URL or message that two controllers
    /// claim, a type URL that differs from prost's, an `after` type that is not registered, a field
    /// whose `since` is later than the version of its payload.
    pub fn new(registrations: impl IntoIterator<Item = Registration>) -> Result<Self, Error> {
        let mut registrations: Vec<Registration> = registrations.into_iter().collect();
        // The link order is arbitrary. Sorting gives the same errors in every build.
        registrations.sort_by(Registration::cmp);
        let mut errors = Vec::new();
        registrations.dedup_by(|other, first| {
            let is_repeated = other.info.type_url == first.info.type_url;
            // A type may be registered twice, by `register!` and by `controller =`.
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
            errors.extend(registration.caught(|| registration.check_names()).err());
            errors.extend(registration.caught(|| registration.check_since(&mut notes)).err());
        }
        errors.extend(check_after(&registrations));
        Error::collect(errors)?;
        Ok(Self { registrations })
    }

    /// Returns the registration of a type URL, including those of older versions. Does not
    /// allocate.
    pub fn get(&self, type_url: &str) -> Option<&Registration> {
        let all = &self.registrations;
        let at = all.binary_search_by(|registration| registration.info.type_url.cmp(type_url));
        let own = at.ok().and_then(|at| all.get(at));
        // The type URL of an older version is rare, so there is no index for it.
        let is_older = |registration: &&Registration| {
            registration.info.older.iter().any(|older| older.type_url == Some(type_url))
        };
        own.or_else(|| all.iter().find(is_older))
    }

    /// Iterates over all registrations, by ascending type URL.
    pub fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.registrations.iter()
    }

    /// Returns the number of registered types.
    pub fn len(&self) -> usize {
        self.registrations.len()
    }

    /// Returns whether no type is registered.
    pub fn is_empty(&self) -> bool {
        self.registrations.is_empty()
    }

    /// Checks that these types are registered.
    ///
    /// # Errors
    ///
    /// One finding for each type that is not registered.
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

/// Finds the types whose message another type claims too.
fn check_messages(registrations: &[Registration]) -> Vec<Error> {
    // A type URL ends with the message's name, so the names are usually sorted too.
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

/// Finds the types in `after` that are not registered.
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

/// Returns the registry of this program. The first call builds and checks it.
///
/// # Errors
///
/// The errors of [`Registry::new`], the same at every call.
pub fn registry() -> Result<&'static Registry, Error> {
    static REGISTRY: OnceLock<Result<Registry, Error>> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::new(linked().iter().copied())).as_ref().map_err(Clone::clone)
}

/// Registers a controller type whose state has no `controller = ...`, such as a generic one. Call it
/// at module level: `register!(Cache<Lru>);`
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

/// Links controller types and checks that they are registered.
///
/// A linker drops crates that the program never names: a crate of controllers that is only in
/// `Cargo.toml` silently registers nothing. Call this macro at the start of a program that restores by
/// type URL.
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
