//! Warns programs that are built with `panic = "abort"`, in which no panic can be caught.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::panics::quietly;

/// Warns such a program once.
pub(super) fn warn_once() {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    // The profile of the program applies to all its crates.
    if let Some(warning) = warning(cfg!(panic = "abort"), &IS_TOLD) {
        quietly(|| tracing::warn!("{warning}"));
    }
}

/// Returns the warning for a program whose panics abort, if it has not been given yet.
fn warning(panics_abort: bool, is_told: &AtomicBool) -> Option<&'static str> {
    (panics_abort && !is_told.swap(true, Ordering::Relaxed)).then_some(
        "this program is built with `panic = \"abort\"`: a panic in a hook, an adapter or any other \
         code of a controller ends the process, so that nothing is thawed or aborted and no error says \
         whose it was; build it with `panic = \"unwind\"`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_whose_panics_abort_is_told_so_once_and_no_other_is() {
        let is_told = AtomicBool::new(false);
        assert_eq!(warning(false, &is_told), None);
        let text = warning(true, &is_told).unwrap();
        assert!(text.contains("nothing is thawed or aborted"), "{text}");
        assert_eq!(warning(true, &is_told), None);
    }
}
