//! The manifest of a registry.

use super::Registry;
use crate::envelope::ReadOptions;
use crate::payload::OlderVersion;
use crate::payload::StageRules;
use crate::schema::{Describer, Manifest, Notes};
use crate::version::saved_versions;
use crate::wire::v1::manifest as wire;

impl Registry {
    /// Returns the manifest: the schemas that this build saves and accepts, field by field. The same
    /// registrations give the same manifest, byte for byte.
    pub fn manifest(&self) -> Manifest {
        let mut notes = Notes::default();
        let mut describer = Describer::default();
        let payloads = self.iter().map(|registration| {
            let info = &registration.info;
            let mut after: Vec<String> = self
                .iter()
                .filter(|other| {
                    info.after.iter().any(|after| after.id() == other.info.controller.id())
                })
                .map(|other| other.info.type_url.to_owned())
                .collect();
            after.sort_unstable();
            notes.add(info.notes);
            let mut older = |older: &OlderVersion| {
                if older.message.is_none() && older.type_url.is_none() {
                    return None;
                }
                let message = older.message.map(|message| describer.message(message));
                Some(wire::Older {
                    version: older.version,
                    message: message.unwrap_or_default(),
                    type_url: older.type_url.unwrap_or_default().to_owned(),
                })
            };
            wire::Payload {
                type_url: info.type_url.to_owned(),
                version: info.version,
                accepts: info.older.iter().map(|o| o.version).chain([info.version]).collect(),
                older: info.older.iter().filter_map(&mut older).collect(),
                message: describer.message(registration.descriptor),
                stage_rules: info.stage_rules.map(describe_rules),
                after,
                saves: saved_versions(info.older, info.version).collect(),
                id_field: info.id_field.unwrap_or(0),
                stage_field: info.stage_field.unwrap_or(0),
            }
        });
        let payloads = payloads.collect();
        let (mut messages, mut enums) = describer.finish();
        for (message, number, values) in notes.newer_values() {
            let message = messages.iter().find(|known| known.name == message);
            let field = message.and_then(|m| m.fields.iter().find(|field| field.number == number));
            // The last word of `repeated x`, `map<k, x>` or `x`.
            let kind = field.and_then(|field| field.kind.rsplit(' ').next());
            let name = kind.map(|kind| kind.trim_end_matches('>'));
            let known = enums.iter_mut().filter(|one| Some(one.name.as_str()) == name);
            for value in known.flat_map(|one| &mut one.values) {
                value.since = values.get(&value.number).copied().unwrap_or(value.since);
            }
        }
        for message in &mut messages {
            for field in &mut message.fields {
                field.meanings = notes.meanings_of(&message.name, field.number);
                if let Some(note) = notes.of(&message.name, field.number) {
                    field.since = note.since;
                    field.defines = note.defines.iter().cloned().collect();
                    field.refers = note.refers.iter().cloned().collect();
                }
            }
        }
        Manifest { payloads, messages, enums, limits: None }.with_limits(&ReadOptions::new())
    }
}

impl Manifest {
    /// Returns the manifest of a build that reads snapshots with these options, for the preflight
    /// of a source. [`Registry::manifest`] states the defaults.
    ///
    /// ```
    /// use snapshot_core::ReadOptions;
    /// use snapshot_core::registry::registry;
    ///
    /// let options = ReadOptions::new().limit(1 << 30);
    /// let manifest = registry()?.manifest().with_limits(&options);
    /// assert_eq!(manifest.limits.map(|limits| limits.snapshot_bytes), Some(1 << 30));
    /// # Ok::<(), snapshot_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_limits(mut self, options: &ReadOptions) -> Self {
        let tree = options.tree_limits();
        self.limits = Some(wire::Limits {
            snapshot_bytes: options.length_limit(),
            name_bytes: tree.name as u64,
            memory_bytes: tree.memory.unwrap_or(0),
        });
        self
    }

    /// Returns the limits of its build; the defaults for those that it does not state.
    pub(crate) fn read_options(&self) -> ReadOptions {
        let limits = self.limits.unwrap_or_default();
        let mut options = ReadOptions::new();
        if limits.snapshot_bytes != 0 {
            options = options.limit(limits.snapshot_bytes);
        }
        if limits.name_bytes != 0 {
            options = options.name_limit(usize::try_from(limits.name_bytes).unwrap_or(usize::MAX));
        }
        if limits.memory_bytes != 0 {
            options = options.memory(limits.memory_bytes);
        }
        options
    }
}

/// Describes stage rules by the names of the stages.
fn describe_rules(rules: &StageRules) -> wire::StageRules {
    let name = |stage: Option<i32>| stage.map_or("", |stage| rules.name(stage)).to_owned();
    wire::StageRules {
        save_from: rules.save_from.iter().map(|&stage| rules.name(stage).to_owned()).collect(),
        freeze_to: name(rules.freeze_to),
        import_as: name(rules.import_as),
        abort_to: name(rules.abort_to),
        live: name(rules.save_from.first().copied().filter(|_| !rules.carried)),
        carried: rules.carried,
    }
}
