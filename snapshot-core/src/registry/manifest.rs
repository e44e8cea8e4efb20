//! The manifest of a registry.

use super::Registry;
use crate::StageRules;
use crate::schema::{Describer, Manifest};
use crate::wire::v1::manifest as wire;

impl Registry {
    /// What this build saves and accepts, field by field. The same registrations give the same
    /// manifest, byte for byte.
    pub fn manifest(&self) -> Manifest {
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
            wire::Payload {
                type_url: info.type_url.to_owned(),
                version: info.version,
                accepts: vec![info.version],
                message: describer.message(registration.descriptor),
                stage_rules: info.stage_rules.map(describe_rules),
                after,
                saves: vec![info.version],
                ..wire::Payload::default()
            }
        });
        let payloads = payloads.collect();
        let (messages, enums) = describer.finish();
        Manifest { payloads, messages, enums }
    }
}

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
