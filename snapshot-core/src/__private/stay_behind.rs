//! Fields that stay behind at the source, where the destination does not have them or the controllers in them.

use super::answer::Fit;
use super::proof_of_fit::are_leaves;
use super::put::Putting;
use crate::Error;
use crate::codec::LeftBehind;
use crate::schema::Field;
use crate::visit::{Visit, children};

impl<const N: usize> Putting<'_, N> {
    /// Returns whether a field stays behind because the destination has none of the controllers in it.
    /// `may` is the rule of the state, and `visit` walks over the field.
    pub fn stays_behind<F>(
        &mut self,
        field: &Field<F>,
        may: impl FnOnce() -> bool,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> bool {
        let Some(scope) = self.w.scope_mut().filter(|scope| scope.has_unknown_types()) else {
            return false;
        };
        let mut addresses = Vec::new();
        let mut knows_one = false;
        let walked = visit(&mut Visit::new(&mut children(|_, child| {
            knows_one |= !scope.is_unknown(child);
            addresses.extend(child.address());
            Ok(())
        })));
        // A controller that the destination knows travels, and the field with it.
        if walked.is_err() || addresses.is_empty() || knows_one || !may() {
            return false;
        }
        let field = field.name();
        scope.leave_behind(LeftBehind { field, children: addresses, for_its_controllers: true })
    }

    /// Returns whether a field stays behind that the version does not have.
    pub fn leaves_behind<F>(
        &mut self,
        field: &Field<F>,
        may: impl FnOnce() -> bool,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> bool {
        let Some(scope) = self.w.scope_mut() else { return false };
        let mut addresses = Vec::new();
        let walked = visit(&mut Visit::new(&mut children(|_, child| {
            addresses.extend(child.address());
            Ok(())
        })));
        let field = field.name();
        walked.is_ok()
            && may()
            && scope.leave_behind(LeftBehind {
                field,
                children: addresses,
                for_its_controllers: false,
            })
    }
}

/// Checks that a controller can be inside of a field that every version has, because such a field stays
/// behind for its controllers only.
#[track_caller]
pub const fn assert_can_stay_behind(fit: &Fit) {
    if are_leaves(&[fit]) && !matches!(fit, Fit::Misfit(..)) {
        panic!(
            "every version has this field, and no controller can be inside, so it never stays behind: \
             add `since`, or remove `may_stay_behind`"
        );
    }
}
