//! Chooses the schema versions in which a tree is saved for a destination that may be older.

use std::sync::Arc;

use super::tree::Met;
use super::tree_save::{TreeSave, Versions};
use crate::Error;
use crate::caught::caught;
use crate::codec::Writer;
use crate::registry::{Manifest, TypeInfo};
use crate::version::saved_versions;

/// Chooses versions of these types for a destination with this manifest: the current one if the
/// destination reads it, otherwise the highest one that it reads and this build saves. A type
/// without such a version is omitted.
pub(super) fn choose(types: impl Iterator<Item = TypeInfo>, theirs: &Manifest) -> Versions {
    let mut versions = Versions::new();
    for info in types {
        let mut payloads = theirs.payloads.iter().filter(|payload| {
            payload.type_url == info.type_url
                || payload.older.iter().any(|older| older.type_url == info.type_url)
        });
        let Some(payload) = payloads.next() else { continue };
        let reads = |version: &u32| match payload.accepts.is_empty() {
            true => payload.version == *version,
            false => payload.accepts.contains(version),
        };
        let version = saved_versions(info.older, info.version).rev().find(reads);
        if let Some(version) = version.filter(|version| *version != info.version) {
            versions.insert(info.type_url, version);
        }
    }
    versions
}

/// Checks that nothing is lost if these controllers are saved in these versions. Each is checked
/// separately, so that all losses are reported together.
pub(super) fn check(met: &Met, versions: &Arc<Versions>) -> Result<(), Error> {
    let mut errors = Vec::new();
    for (at, (unit, node, _)) in met.controllers().enumerate() {
        if !versions.contains_key(unit.info.type_url) {
            continue;
        }
        let mut writer = Writer::default();
        writer.set_scope(TreeSave { versions: Some(Arc::clone(versions)), ..TreeSave::default() });
        let result = caught(|| node.put_payload(&mut writer)).map_err(Error::at_root);
        // The children report their own errors.
        errors
            .extend(result.err().and_then(Error::of_root).map(|error| error.moved_to(met.id(at))));
    }
    Error::collect(errors)
}
