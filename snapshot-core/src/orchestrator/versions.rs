//! Chooses the schema versions in which a tree is saved for a destination that may be older.

use std::sync::Arc;

use super::tree::Met;
use super::tree_save::{Allowances, OlderForm, TreeSave, Versions};
use crate::Error;
use crate::codec::Writer;
use crate::controller::FrozenTree;
use crate::panics::caught;
use crate::registry::{Manifest, TypeInfo};
use crate::version::saved_versions;
use crate::wire::v1::manifest::Payload;

/// How to save these types for a destination with this manifest, where it does not read their current
/// versions: in the highest version that it reads and this build saves, under the type URL of that
/// version. A type without such a version is not in it.
pub(super) fn choose(types: impl Iterator<Item = TypeInfo>, theirs: &Manifest) -> Versions {
    let mut versions = Versions::new();
    for info in types {
        let forms = saved_versions(info.older, info.version).rev().map(|version| {
            let older = info.older.iter().find(|older| older.version == version);
            let type_url = older.and_then(|older| older.type_url).unwrap_or(info.type_url);
            OlderForm { version, type_url }
        });
        let mut read = forms.filter(|form| theirs.payloads.iter().any(|one| reads(one, *form)));
        if let Some(form) = read.next().filter(|form| form.version != info.version) {
            versions.insert(info.type_url, form);
        }
    }
    versions
}

/// Whether a payload of a manifest is read in this form.
fn reads(payload: &Payload, OlderForm { version, type_url }: OlderForm) -> bool {
    let is_called = payload.type_url == type_url
        || payload.older.iter().any(|older| older.type_url == type_url);
    is_called
        && match payload.accepts.is_empty() {
            true => payload.version == version,
            false => payload.accepts.contains(&version),
        }
}

/// Checks that nothing is lost if these controllers are saved in these versions. Each is checked
/// separately, so that all losses are reported together.
pub(super) fn check(met: &Met, allowances: &Arc<Allowances>) -> Result<(), Error> {
    let mut errors = Vec::new();
    for (at, (unit, node, _)) in met.controllers().enumerate() {
        if !allowances.versions.contains_key(unit.info.type_url) {
            continue;
        }
        let mut writer = Writer::default();
        let allowances = Some(Arc::clone(allowances));
        writer.set_scope(TreeSave::new(FrozenTree::default(), allowances));
        let result = caught(|| node.put_payload(&mut writer)).map_err(Error::at_root);
        // The children report their own errors.
        errors
            .extend(result.err().and_then(Error::of_root).map(|error| error.moved_to(met.id(at))));
    }
    Error::collect(errors)
}
