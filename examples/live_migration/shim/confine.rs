//! Checks names and paths from a peer, before anything is opened by them.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, fstat, open, openat2};
use snapshot_core::{Code, Error, Escaped};

use crate::shim::guest::at;

/// Checks that a name is a single step of a path, so that a path that ends with it stays in its
/// folder.
///
/// # Errors
///
/// If it is empty, `.` or `..`, or contains a slash or a NUL.
pub(crate) fn step(name: &str) -> Result<&str, Error> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name && !name.contains('\0') => Ok(name),
        _ => Err(Error::invalid(format!(
            "{} is not the name of a file in a folder: a peer may name nothing else",
            Escaped(name)
        ))),
    }
}

/// Checks that a folder that a peer has named is beneath `allowed`, that no part of the path to it
/// is a link, that it belongs to this user, and that nobody else can write into it. Returns its
/// path.
///
/// # Errors
///
/// The first condition that does not hold.
pub(crate) fn folder(allowed: &Path, named: &Path) -> Result<PathBuf, Error> {
    let shown = Escaped(&named.to_string_lossy()).to_string();
    let refused = |why: String| {
        Error::new(Code::FailedPrecondition, format!("the peer names the folder {shown}: {why}"))
    };
    let beneath = named.strip_prefix(allowed).ok().filter(|beneath| {
        beneath.components().all(|part| matches!(part, Component::Normal(_)))
            && beneath.components().next().is_some()
    });
    let Some(beneath) = beneath else {
        return Err(refused(format!(
            "it is not beneath {}, the only folder that this side uses: see --shared",
            allowed.display()
        )));
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(allowed, flags, Mode::empty()).map_err(|error| at(allowed, error.into()))?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let folder = openat2(&root, beneath, flags | OFlags::NOFOLLOW, Mode::empty(), resolve)
        .map_err(|error| refused(format!("{}", std::io::Error::from(error))))?;
    let stat = fstat(&folder).map_err(|error| at(named, error.into()))?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(refused(format!("it belongs to user {}", stat.st_uid)));
    }
    if stat.st_mode & 0o022 != 0 {
        return Err(refused("users other than its owner may write into it".to_owned()));
    }
    Ok(allowed.join(beneath))
}

/// Creates a folder, and its parents, that only this user may enter.
///
/// # Errors
///
/// If it cannot be created.
pub(crate) fn private_folder(path: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| at(path, error))
}

/// Creates a folder that only this user may enter. Returns whether it is new.
///
/// # Errors
///
/// If it cannot be created.
pub(crate) fn make_private_folder(path: &Path) -> Result<bool, Error> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(at(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_name_is_one_step() {
        for name in ["c1", "a b", "..c", "c1-moved"] {
            assert_eq!(step(name).unwrap(), name);
        }
        for name in ["", ".", "..", "/", "a/b", "../a", "a/..", "a/", "/a", "a\0b"] {
            let refused = step(name).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{name:?}");
        }
    }

    #[test]
    fn a_folder_lies_beneath_the_allowed_one_without_links() {
        let dir = tempfile::tempdir().unwrap();
        let allowed = dir.path().canonicalize().unwrap();
        let private = |path: PathBuf| {
            private_folder(&path).unwrap();
            path
        };
        let inside = private(allowed.join("a/guest"));
        assert_eq!(folder(&allowed, &inside).unwrap(), inside);
        let outside = tempfile::tempdir().unwrap();
        let outside = outside.path().canonicalize().unwrap();
        symlink(&outside, allowed.join("link")).unwrap();
        symlink(&inside, allowed.join("a/inner")).unwrap();
        let open = private(allowed.join("open"));
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        for (named, why) in [
            (outside, "is not beneath"),
            (allowed.clone(), "is not beneath"),
            (allowed.join("a/../a/guest"), "is not beneath"),
            (PathBuf::from("guest"), "is not beneath"),
            (allowed.join("link"), "ymbolic link"),
            (allowed.join("a/inner"), "ymbolic link"),
            (allowed.join("gone"), "No such file"),
            (open, "may write into it"),
        ] {
            let refused = folder(&allowed, &named).unwrap_err().to_string();
            let is_said = refused.contains(why) || refused.contains("Not a directory");
            assert!(is_said, "{}: {refused}", named.display());
        }
    }
}
