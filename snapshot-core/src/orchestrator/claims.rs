//! Claims: every controller belongs to at most one open transaction.
//!
//! A source claims its tree from the freeze to the end of the commit or rollback; a destination
//! claims it from the import to the end of the resume or abort. A second transaction over any of
//! these controllers is refused, wherever they are in the two trees. After a commit the claim lasts
//! for as long as the controllers live: they are at the destination, and a second migration would
//! make them live twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::end::End;
use super::journal::Journal;
use super::plan::TreePlan;
use super::tree::{Met, Tree};
use super::units::Unit;
use crate::controller::{ByAddress, Node, address};
use crate::{ControllerId, Error};

/// All claims of this program. Usually there is one, or none.
static CLAIMS: Mutex<Vec<ClaimEntry>> = Mutex::new(Vec::new());

/// A claim on all controllers of a tree. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    number: u64,
}

/// The entry of a claim in the list.
struct ClaimEntry {
    number: u64,
    by: Holder,
}

/// The holder of a claim. While a tree lives, its controllers live, so no other controller can have
/// one of their addresses.
enum Holder {
    Source(Weak<Tree>),
    Destination(Weak<Tree>),
    /// A destination that was dropped after its patch had begun.
    Abandoned(Weak<Tree>),
    /// A source that was dropped, or whose thaw failed.
    Left(Leftover),
    /// A source that was committed.
    Moved(Remains),
}

/// The remains of a source whose migration did not end.
pub(crate) struct Leftover {
    pub(crate) tree: Remains,
    pub(crate) journal: Journal,
    pub(crate) end: End,
}

/// The tree of a source that nobody migrates any more. All references are weak: a program that
/// drops its controllers also gives up their recovery. A weak reference prevents the reuse of the
/// address.
pub(crate) struct Remains {
    pub(crate) plan: Arc<TreePlan>,
    pub(crate) nodes: Vec<Weak<dyn Node>>,
}

impl Remains {
    pub(crate) fn of(tree: &Tree) -> Self {
        let nodes = tree.nodes().iter().map(Arc::downgrade).collect();
        Self { plan: Arc::clone(&tree.plan), nodes }
    }

    fn is_of_root(&self, root: usize) -> bool {
        self.nodes.first().is_some_and(|node| weak_address(node) == root)
    }

    fn has_root(&self) -> bool {
        self.nodes.first().is_some_and(is_alive)
    }
}

fn is_alive(node: &Weak<dyn Node>) -> bool {
    node.strong_count() > 0
}

fn weak_address(node: &Weak<dyn Node>) -> usize {
    node.as_ptr().cast::<()>().addr()
}

fn claims() -> MutexGuard<'static, Vec<ClaimEntry>> {
    let mut claims = CLAIMS.lock().unwrap_or_else(PoisonError::into_inner);
    claims.retain(|held| match &held.by {
        Holder::Source(_) | Holder::Destination(_) | Holder::Abandoned(_) => true,
        Holder::Left(left) => left.tree.has_root(),
        Holder::Moved(tree) => tree.nodes.iter().any(is_alive),
    });
    claims
}

fn add(claims: &mut Vec<ClaimEntry>, by: Holder) -> Claim {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    claims.push(ClaimEntry { number, by });
    Claim { number }
}

impl Claim {
    /// Claims the controllers of a source.
    ///
    /// # Errors
    ///
    /// One for every controller that another open transaction has claimed.
    pub(crate) fn source(tree: &Arc<Tree>) -> Result<Self, Error> {
        // Dropped after the list is unlocked, because a destructor may be the user's.
        let mut others = Vec::new();
        let mut claims = claims();
        let asks = Asks { nodes: tree.nodes(), units: tree.plan.units() };
        asks.check(&claims, &mut others, |unit| tree.id(unit).clone())?;
        Ok(add(&mut claims, Holder::Source(Arc::downgrade(tree))))
    }

    /// Claims the controllers of a destination. Nobody else has them, because they were just built.
    pub(crate) fn destination(tree: &Arc<Tree>) -> Self {
        add(&mut claims(), Holder::Destination(Arc::downgrade(tree)))
    }

    /// Checks that no open transaction has claimed any of these controllers.
    ///
    /// # Errors
    ///
    /// One for every controller that is claimed.
    pub(crate) fn check(met: &Met) -> Result<(), Error> {
        let mut others = Vec::new();
        let asks = Asks { nodes: met.nodes(), units: met.units() };
        asks.check(&claims(), &mut others, |unit| met.id(unit).clone())
    }

    /// Moves the claim to a later tree, which has replaced the destination's.
    pub(crate) fn pass_to(&self, tree: &Arc<Tree>) {
        self.set_holder(Holder::Destination(Arc::downgrade(tree)));
    }

    /// Keeps the claim of a source that was dropped before its end, until it is recovered or given
    /// up.
    pub(crate) fn leave_source(self, leftover: Leftover) {
        self.hand_over(Holder::Left(leftover));
    }

    /// Keeps the claim of a source that was committed: the destination is live.
    pub(crate) fn leave_moved(self, tree: Remains) {
        self.hand_over(Holder::Moved(tree));
    }

    /// Keeps the claim of a destination that was dropped before its end, until it is taken and
    /// aborted.
    pub(crate) fn leave_destination(&self, tree: &Arc<Tree>) {
        self.set_holder(Holder::Abandoned(Arc::downgrade(tree)));
    }

    fn hand_over(self, by: Holder) {
        self.set_holder(by);
        std::mem::forget(self);
    }

    fn set_holder(&self, by: Holder) {
        if let Some(held) = claims().iter_mut().find(|held| held.number == self.number) {
            held.by = by;
        }
    }

    /// Takes the controllers that a source with this root has left, as the tree that `rebuild` makes of them.
    ///
    /// # Errors
    ///
    /// If it was left with another root, above this one, or if it was not left.
    pub(crate) fn take_up<T>(
        root: &dyn Node,
        rebuild: impl FnOnce(Leftover) -> (Arc<Tree>, T),
    ) -> Result<Option<(Self, Arc<Tree>, T)>, Error> {
        let at = address(root);
        // Dropped after the list is unlocked.
        let mut others = Vec::new();
        let mut claims = claims();
        let mut above = None;
        for held in claims.iter_mut() {
            if let Holder::Source(tree) = &held.by
                && let Some(tree) = tree.upgrade()
            {
                if tree.nodes().first().is_some_and(|root| address(&**root) == at) {
                    above = Some(goes_on());
                }
                others.push(tree);
            }
            let Holder::Left(left) = &held.by else { continue };
            if left.tree.is_of_root(at) {
                let by = std::mem::replace(&mut held.by, Holder::Source(Weak::<Tree>::new()));
                let Holder::Left(left) = by else { break };
                let (tree, rest) = rebuild(left);
                held.by = Holder::Source(Arc::downgrade(&tree));
                return Ok(Some((Self { number: held.number }, tree, rest)));
            }
            if let Some(unit) = left.tree.nodes.iter().position(|node| weak_address(node) == at) {
                above = Some(left.not_the_root(unit));
            }
        }
        above.map_or(Ok(None), Err)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        claims().retain(|held| held.number != self.number);
    }
}

/// A tree that asks whether its controllers are free.
struct Asks<'a> {
    nodes: &'a [Arc<dyn Node>],
    units: &'a [Unit],
}

impl Asks<'_> {
    fn check(
        &self,
        claims: &[ClaimEntry],
        others: &mut Vec<Arc<Tree>>,
        id: impl Fn(usize) -> ControllerId,
    ) -> Result<(), Error> {
        if claims.is_empty() {
            return Ok(());
        }
        let nodes = self.nodes.iter().enumerate();
        let units: ByAddress<usize> = nodes.map(|(unit, node)| (address(&**node), unit)).collect();
        let mut errors = Vec::new();
        for ClaimEntry { by, .. } in claims {
            // For each unit, the unit that it is in the other tree.
            let mut theirs: Vec<Option<usize>> = vec![None; self.nodes.len()];
            let mut is_free = true;
            let mut meet = |address: usize, other: usize| {
                if let Some(&unit) = units.get(&address) {
                    theirs[unit] = Some(other);
                    is_free = false;
                }
            };
            let plan = match by {
                Holder::Left(Leftover { tree, .. }) | Holder::Moved(tree) => {
                    let nodes = tree.nodes.iter().enumerate();
                    nodes.for_each(|(other, node)| meet(weak_address(node), other));
                    Arc::clone(&tree.plan)
                }
                Holder::Source(tree) | Holder::Destination(tree) | Holder::Abandoned(tree) => {
                    let Some(tree) = tree.upgrade() else { continue };
                    let nodes = tree.nodes().iter().enumerate();
                    nodes.for_each(|(other, node)| meet(address(&**node), other));
                    let plan = Arc::clone(&tree.plan);
                    others.push(tree);
                    plan
                }
            };
            if is_free {
                continue;
            }
            for (unit, other) in theirs.iter().enumerate() {
                let Some(other) = *other else { continue };
                // One error for the top of a subtree stands for the whole subtree.
                if self.units[unit].parent().is_none_or(|parent| theirs[parent].is_none()) {
                    errors.push(by.refusal(&plan, other).at_controller(&id(unit)));
                }
            }
        }
        Error::collect(errors)
    }
}

impl Holder {
    #[cold]
    fn refusal(&self, plan: &TreePlan, unit: usize) -> Error {
        let root = plan.info(0).type_url;
        let place = match unit {
            0 => format!("as the root, {root}"),
            _ => format!("as {} under {root}", plan.id(unit)),
        };
        Error::precondition(match self {
            Holder::Source(_) => {
                format!(
                    "is already migrating, {place}: commit that migration or roll it back first"
                )
            }
            Holder::Destination(_) => {
                format!(
                    "was imported and is not live yet, {place}: resume or abort that tree first"
                )
            }
            Holder::Abandoned(_) => format!(
                "belongs to a destination that was dropped, {place}: take it with \
                 `Abandoned::take_all` and abort it first"
            ),
            Holder::Left(_) => format!(
                "was left frozen by a migration that did not end, {place}: call `Source::recover` \
                 with that root first"
            ),
            Holder::Moved(_) => format!(
                "was moved away, {place}: that migration was committed and the destination has it; \
                 build a new controller if one is to run here"
            ),
        })
    }
}

#[cold]
fn goes_on() -> Error {
    Error::precondition(
        "is in a migration that was not dropped, so there is nothing to recover: commit it or roll \
         it back",
    )
    .at_controller(&ControllerId::root())
}

impl Leftover {
    #[cold]
    fn not_the_root(&self, unit: usize) -> Error {
        let (id, root) = (self.tree.plan.id(unit), self.tree.plan.info(0).type_url);
        Error::precondition(format!(
            "is {id} of a tree that was left frozen: call `Source::recover` with its root, {root}"
        ))
        .at_controller(&ControllerId::root())
    }
}
