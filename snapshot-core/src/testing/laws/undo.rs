//! Whatever a hook does, another hook takes back.

use crate::controller::Phase;
use crate::controller::WrittenHooks;

use super::super::report::{Law, Report};

/// Checks the hooks of a controller, if one is known, but for those in `no_undo`.
pub(in super::super) fn undo(hooks: Option<WrittenHooks>, no_undo: &[Phase], report: &mut Report) {
    let without: Vec<_> = hooks.into_iter().flat_map(WrittenHooks::without_undo).collect();
    for &(hook, undo) in without.iter().filter(|(hook, _)| !no_undo.contains(&hook.phase())) {
        let text = format!(
            "the controller has no `{}`: after a failure, what this hook did is still done",
            undo.as_str()
        );
        report.add(Law::Undo, hook.as_str(), None, text);
    }
    for phase in no_undo {
        if !without.iter().any(|(hook, _)| hook.phase() == *phase) {
            let text = "is exempted from having an undo, and there is no hook without one";
            report.add(Law::Exemption, phase.as_str(), None, text.to_owned());
        }
    }
}
