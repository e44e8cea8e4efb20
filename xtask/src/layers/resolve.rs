//! Follows a path through modules and re-exports to where the item is defined.

use super::modules::{Crate, FileId, Meaning, ModuleId};

/// The target of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) module: ModuleId,
    pub(super) file: FileId,
}

/// The maximum number of re-exports to follow, which also ends a circle of globs.
const DEEPEST: usize = 16;

/// All targets in the crate of a `path` in `from`. Empty if the path leads out of the crate or is not
/// known.
pub(super) fn resolve(krate: &Crate, from: ModuleId, path: &[String]) -> Vec<Target> {
    let mut found = Vec::new();
    follow(krate, from, path, DEEPEST, &mut found);
    found.sort();
    found.dedup();
    found
}

/// Whether a single name is in a module only through a glob import.
pub(super) fn is_from_glob(krate: &Crate, module: ModuleId, name: &str) -> bool {
    !krate.modules[module].names.contains_key(name)
}

fn follow(krate: &Crate, from: ModuleId, path: &[String], depth: usize, found: &mut Vec<Target>) {
    let Some(deeper) = depth.checked_sub(1) else { return };
    let Some((first, rest)) = path.split_first() else { return };
    let module = &krate.modules[from];
    match first.as_str() {
        "crate" | "$crate" => walk(krate, 0, rest, deeper, found),
        "self" => walk(krate, from, rest, deeper, found),
        "super" => {
            if let Some(parent) = module.parent {
                match rest.first().map(String::as_str) {
                    Some("super") => follow(krate, parent, rest, deeper, found),
                    _ => walk(krate, parent, rest, deeper, found),
                }
            }
        }
        // `::name`: a crate.
        "" => {
            if rest.first() == Some(&krate.name) {
                walk(krate, 0, &rest[1..], deeper, found);
            }
        }
        name if module.names.contains_key(name) => {
            for meaning in &module.names[name] {
                step(krate, from, meaning, rest, deeper, path, found);
            }
        }
        name if name == krate.name => walk(krate, 0, rest, deeper, found),
        _ => through_globs(krate, from, path, deeper, found),
    }
}

/// Follows the rest of a path from inside of a module.
fn walk(krate: &Crate, module: ModuleId, rest: &[String], depth: usize, found: &mut Vec<Target>) {
    let here = Target { module, file: krate.modules[module].file };
    let Some((first, after)) = rest.split_first() else {
        found.push(here);
        return;
    };
    let before = found.len();
    match krate.modules[module].names.get(first) {
        Some(meanings) => {
            for meaning in meanings {
                step(krate, module, meaning, after, depth, rest, found);
            }
        }
        None => {
            through_globs(krate, module, rest, depth, found);
            // A name that a macro defines: only the module is known.
            if found.len() == before {
                found.push(here);
            }
        }
    }
}

fn step(
    krate: &Crate,
    module: ModuleId,
    meaning: &Meaning,
    rest: &[String],
    depth: usize,
    whole: &[String],
    found: &mut Vec<Target>,
) {
    match meaning {
        Meaning::Item(file) => found.push(Target { module, file: *file }),
        Meaning::Module(child) => walk(krate, *child, rest, depth, found),
        Meaning::Import(path) => {
            // `use name;` of another crate imports a name as itself.
            if path.first() == whole.first() && path.len() == 1 {
                return;
            }
            let path: Vec<String> = path.iter().chain(rest).cloned().collect();
            follow(krate, module, &path, depth.saturating_sub(1), found);
        }
    }
}

fn through_globs(
    krate: &Crate,
    module: ModuleId,
    path: &[String],
    depth: usize,
    found: &mut Vec<Target>,
) {
    let Some(deeper) = depth.checked_sub(1) else { return };
    for glob in &krate.modules[module].globs {
        let mut sources = Vec::new();
        follow(krate, module, glob, deeper, &mut sources);
        for source in sources {
            let is_known = path
                .first()
                .is_some_and(|name| krate.modules[source.module].names.contains_key(name));
            if is_known {
                walk(krate, source.module, path, deeper, found);
            }
        }
    }
}
