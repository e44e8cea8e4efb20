//! The built-in root, for programs that have no root controller of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use snapshot_derive::Snapshot;

use super::{Child, Context, Controller, IntoChild};
use crate::codec::{
    Reader, Sealed, Tag, Wire, WireField, Writer, end_refusals, expect_wire_type, refuse,
    tree_entry,
};
use crate::path::ControllerId;
use crate::schema::kind::{Kind, Message, Repeated};
use crate::visit::Visit;
use crate::wire::v1::{ControllerSetSnapshot, controller_set_snapshot as wire};
use crate::{Error, Schema};

/// Controllers side by side, each under its own id: a root for programs that have none.
///
/// The id of a member in the tree is the id under which it was inserted, for instance `scsi`; its
/// descendants are `scsi/...`. The destination finds the type of each member in the registry by its
/// type URL, so all types must be linked there: see
/// [`registry::require!`](crate::registry::require).
///
/// The members are fixed during a migration, because a member added then would exist on one side
/// only. Therefore [`insert`](Self::insert), [`insert_after`](Self::insert_after) and
/// [`remove`](Self::remove) are refused: on the source from the freeze to the rollback, and
/// permanently after the commit; on the destination from the import to the resume.
/// commit, and on the destination from the import to the resume.
///
/// ```
/// # use snapshot_core::{Controller, ControllerSet, Error};
/// # fn example<Vm: Controller, Net: Controller>(vm: Vm, net: Net) -> Result<(), Error> {
/// let set = ControllerSet::new();
/// set.insert("vm", vm)?;
/// // Patched and resumed after the VM, frozen before it.
/// set.insert_after("net", net, &["vm"])?;
/// assert_eq!(set.ids(), ["net", "vm"]);
/// assert!(set.get::<Vm>("vm").is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct ControllerSet {
    state: Mutex<SetState>,
}

/// The members of a [`ControllerSet`].
#[derive(Default, Snapshot)]
#[snapshot(message = ControllerSetSnapshot, version = 1, controller = ControllerSet, crate = crate)]
pub struct SetState {
    entries: Members,
    #[snapshot(skip)]
    membership: Membership,
}

/// Whether members can be added and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Membership {
    #[default]
    Open,
    /// The source while it is frozen.
    Frozen,
    /// The source after the commit.
    Committed,
    /// The destination before it is live.
    Imported,
    /// A destination that was aborted.
    Aborted,
}

impl Membership {
    /// # Errors
    ///
    /// If members cannot be added or removed now. `what` returns the sentence that names the
    /// attempt.
    fn check(self, what: impl FnOnce() -> String) -> Result<(), Error> {
        let reason = match self {
            Membership::Open => return Ok(()),
            Membership::Frozen => {
                "while the set is frozen: commit the migration or roll it back first"
            }
            Membership::Committed => "since the set was moved away: change it at the destination",
            Membership::Imported => "before the set is live: wait until `resume` has returned",
            Membership::Aborted => "since the set was given up: its migration was aborted",
        };
        Err(Error::precondition(format!("{} {reason}", what())))
    }
}

/// The members by id, so that one set has one encoding, whatever the order of insertion.
#[derive(Default)]
struct Members(BTreeMap<String, Entry>);

#[derive(Snapshot)]
#[snapshot(message = wire::Entry, validate = Entry::check, crate = crate)]
struct Entry {
    id: String,
    after: BTreeSet<String>,
    controller: Child<dyn Controller>,
}

impl Entry {
    fn check(&self) -> Result<(), Error> {
        match self.id.as_str() {
            "" => Err(Error::invalid("has no id").in_field("id")),
            ControllerId::ROOT => Err(Error::invalid(ROOTS_OWN).in_field("id")),
            _ => Ok(()),
        }
    }
}

/// The reason why a member cannot have this id.
const ROOTS_OWN: &str = "is the id of the root: give the member another id";

impl ControllerSet {
    /// Creates a set without members.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, SetState> {
        // A panic elsewhere leaves the map whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a controller. Apart from the `after` of its type, it comes after no other member.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) if the id is empty, `.` or taken;
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) while the set is moved.
    pub fn insert(&self, id: impl Into<String>, controller: impl IntoChild) -> Result<(), Error> {
        self.insert_after(id, controller, &[])
    }

    /// Adds a controller that is patched and resumed after the given members, and frozen before
    /// them.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) if the id is empty, `.` or taken, or a
    /// member of `after` is not in the set yet;
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) while the set is moved.
    pub fn insert_after(
        &self,
        id: impl Into<String>,
        controller: impl IntoChild,
        after: &[&str],
    ) -> Result<(), Error> {
        let id = id.into();
        let refused = |reason: &str| Err(Error::invalid(format!("{id:?} {reason}")));
        let state = &mut *self.lock();
        state.membership.check(|| format!("{id:?} cannot be inserted"))?;
        let members = &mut state.entries.0;
        if id.is_empty() {
            return Err(Error::invalid("a member of a set needs an id"));
        }
        if id == ControllerId::ROOT {
            return refused(ROOTS_OWN);
        }
        if members.contains_key(&id) {
            return refused("is already in the set");
        }
        if let Some(missing) = after.iter().find(|&&after| !members.contains_key(after)) {
            return refused(&format!("comes after {missing:?}, which is not in the set"));
        }
        let after = after.iter().map(|&after| after.to_owned()).collect();
        let controller = controller.into_child();
        members.insert(id.clone(), Entry { id, after, controller });
        Ok(())
    }

    /// Returns the member with this id, if it is a `C`.
    pub fn get<C: Controller>(&self, id: &str) -> Option<Arc<C>> {
        self.lock().entries.0.get(id)?.controller.downcast()
    }

    /// Removes a member from the set and returns it, if it exists. The other members no longer come
    /// after it.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) while the set is moved.
    pub fn remove(&self, id: &str) -> Result<Option<Child<dyn Controller>>, Error> {
        let state = &mut *self.lock();
        state.membership.check(|| format!("{id:?} cannot be removed"))?;
        let members = &mut state.entries.0;
        let removed = members.remove(id);
        for entry in members.values_mut() {
            entry.after.remove(id);
        }
        Ok(removed.map(|entry| entry.controller))
    }

    fn set_membership(&self, membership: Membership) {
        self.lock().membership = membership;
    }

    /// Returns the ids of all members, sorted.
    pub fn ids(&self) -> Vec<String> {
        self.lock().entries.0.keys().cloned().collect()
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.lock().entries.0.len()
    }

    /// Returns whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for ControllerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.lock();
        let members = set.entries.0.values().map(|entry| (&entry.id, entry.controller.type_url()));
        f.debug_map().entries(members).finish()
    }
}

impl Controller for ControllerSet {
    type State = SetState;

    fn state(&self) -> impl DerefMut<Target = SetState> + '_ {
        self.lock()
    }

    fn import(mut state: SetState) -> Result<Self, Error> {
        state.membership = Membership::Imported;
        Ok(Self { state: Mutex::new(state) })
    }

    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        self.set_membership(Membership::Frozen);
        Ok(())
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        self.set_membership(Membership::Open);
        Ok(())
    }

    async fn commit(&self, _: &Context) -> Result<(), Error> {
        self.set_membership(Membership::Committed);
        Ok(())
    }

    async fn resume(&self, _: &Context) -> Result<(), Error> {
        self.set_membership(Membership::Open);
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        self.set_membership(Membership::Aborted);
        Ok(())
    }
}

type Entries = Repeated<Message<wire::Entry>>;

impl Sealed for Members {}

/// Written by hand for the ids: a member is not `entries/0` but has its own name.
impl WireField<Entries> for Members {
    type Slot = Members;

    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        let mut refusals = None;
        for entry in self.0.values().rev() {
            if let Err(error) = entry.put(w) {
                refusals = refuse(refusals, error.in_member(&entry.id));
            }
            w.tag(number, <Message<wire::Entry> as Kind>::WIRE_TYPE);
        }
        end_refusals(refusals).map(|()| number)
    }

    fn take_field(slot: &mut Members, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        expect_wire_type::<Message<wire::Entry>>(tag)?;
        let start = r.fork();
        let entry = Entry::take(r).map_err(|error| match id_of_entry(start) {
            Some(id) => error.in_member(id),
            None => error,
        })?;
        if slot.0.contains_key(&entry.id) {
            return Err(Error::invalid("occurs twice").in_member(&entry.id));
        }
        if let Some((last, _)) = slot.0.last_key_value().filter(|(last, _)| entry.id < **last) {
            let reason = format!(
                "comes after {last:?}, but the members of a set are written in ascending order of \
                 their ids"
            );
            return Err(Error::invalid(reason).in_member(&entry.id));
        }
        let charged = r.charge(tree_entry::<(String, Entry)>());
        charged.map_err(|error| error.in_member(&entry.id))?;
        slot.0.insert(entry.id.clone(), entry);
        Ok(())
    }

    fn finish_field(slot: Members, _: &mut Option<Error>) -> Option<Self> {
        Some(slot)
    }

    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        self.0.values().try_for_each(|entry| {
            visit.member(&entry.id, &entry.after, |visit| entry.controller.visit(visit))
        })
    }
}

/// Finds the id of an entry that could not be read, for the error.
#[cold]
fn id_of_entry<'a>(mut r: Reader<'a>) -> Option<&'a str> {
    let end = r.length().ok()? + r.offset();
    while r.offset() < end {
        let tag = r.tag().ok()??;
        if tag.number == <wire::Entry as Schema>::FIELDS.id.number() {
            return r.text().ok().filter(|id| !id.is_empty());
        }
        r.skip(tag.wire_type).ok()?;
    }
    None
}
