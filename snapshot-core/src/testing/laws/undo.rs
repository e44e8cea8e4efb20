//! Checks that every hook has an undo.

use crate::controller::Phase;
use crate::controller::WrittenHooks;

use super::super::report::{Law, Report};

/// Checks the hooks of a controller, if one is known, except those in `no_undo`.
pub(in super::super) fn undo(hooks: Option<WrittenHooks>, no_undo: &[Phase], report: &mut Report) {
    let without: Vec<_> = hooks.into_iter().flat_map(WrittenHooks::without_undo).collect();
    for &(hook, undo) in without.iter().filter(|(hook, _)| !no_undo.contains(&hook.phase())) {
        let text = format!(
            "the controller has no `{}`: after a failure, the effects of this hook remain",
            undo.as_str()
        );
        report.add(Law::Undo, hook.as_str(), None, text);
    }
    for phase in no_undo {
        if !without.iter().any(|(hook, _)| hook.phase() == *phase) {
            let text =
                "is exempted from the undo, but the controller has no such hook without an undo";
            report.add(Law::Exemption, phase.as_str(), None, text.to_owned());
        }
    }
}
