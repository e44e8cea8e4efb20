//! [`assert_locked!`](crate::evolution::assert_locked): the check of a lock file in a test.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Lock;
use crate::error::Error;
use crate::registry::registry;
use crate::schema::Manifest;

/// The environment variable that rewrites the lock if its value is 1.
const UPDATE: &str = "SNAPSHOT_UPDATE_LOCK";

/// Panics if the program's payloads differ from a lock file. [`lock`](crate::evolution::lock) says
/// which changes need a new version and which an update of the file.
///
/// The path is relative to the folder of `Cargo.lock`, the root of the workspace, in whichever of its
/// packages the test is. If the environment has `SNAPSHOT_UPDATE_LOCK=1`, the test writes the file
/// instead.
///
/// The macro checks the controllers that are registered in the test's own program. Put the test into
/// a package that links all controllers, and give each program its own file. An optional second
/// argument is a [`Manifest`](crate::schema::Manifest) to check instead.
///
/// ```no_run
/// // In a test:
/// snapshot_core::evolution::assert_locked!("proto/schema.lock");
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! __assert_locked {
    (@manifest) => {
        ::core::option::Option::None
    };
    (@manifest $manifest:expr) => {
        ::core::option::Option::Some($manifest)
    };
    ($path:expr $(, $manifest:expr)? $(,)?) => {
        // Cargo sets this variable at run time too, and that value wins: it is right even if two
        // checkouts share a target folder.
        $crate::evolution::lock::assert_locked(
            ::core::option_env!("CARGO_MANIFEST_DIR"),
            ::core::convert::AsRef::<::std::path::Path>::as_ref($path),
            $crate::__assert_locked!(@manifest $($manifest)?),
        )
    };
}

/// Implements [`assert_locked!`](crate::evolution::assert_locked). `compiled_in` is the folder of the
/// test's package at compile time.
#[doc(hidden)]
#[track_caller]
pub fn assert_locked(compiled_in: Option<&str>, path: &Path, manifest: Option<&Manifest>) {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.unwrap_or_else(|| PathBuf::from(compiled_in.unwrap_or_default()));
    let file = workspace_of(&package).join(path);
    let manifest = match manifest {
        Some(manifest) => Ok(manifest.clone()),
        None => registry().map(|registry| registry.manifest()),
    };
    let done = manifest.and_then(|manifest| run(&file, path, &manifest, std::env::var_os(UPDATE)));
    if let Err(error) = done {
        panic!("{}:\n{error}", path.display());
    }
}

/// Returns the nearest folder at or above a package with a `Cargo.lock`, or the package's folder if
/// there is none.
fn workspace_of(package: &Path) -> &Path {
    package.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).unwrap_or(package)
}

/// Checks or updates the file. `path` is its name in errors.
pub(super) fn run(
    file: &Path,
    path: &Path,
    manifest: &Manifest,
    update: Option<OsString>,
) -> Result<(), Error> {
    let update = match update.as_deref().map(|value| value.to_str().unwrap_or("?")) {
        None | Some("" | "0") => false,
        Some("1") => true,
        Some(value) => {
            let reason =
                format!("{UPDATE} is {value:?}: set it to 1 to rewrite {}", path.display());
            return Err(Error::invalid(reason));
        }
    };
    let failed = |doing: &str, error: std::io::Error| {
        Error::precondition(format!("cannot {doing} {}: {error}", file.display()))
    };
    let text = match fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failed("read", error)),
    };
    let lock = match &text {
        Some(text) => text.parse()?,
        None if update => Lock::default(),
        None => {
            return Err(Error::precondition(format!(
                "{} does not exist: run the test with {UPDATE}=1 to write it, then commit it",
                file.display()
            )));
        }
    };
    if !update {
        return lock.check(manifest);
    }
    let updated = lock.updated(manifest)?.to_string();
    if text.as_deref() != Some(updated.as_str()) {
        fs::write(file, updated).map_err(|error| failed("write", error))?;
    }
    Ok(())
}
