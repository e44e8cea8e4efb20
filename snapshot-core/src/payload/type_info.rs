//! The description of a controller type, available without an instance.

use std::any::TypeId;
use std::fmt;

use super::{OlderVersion, Payload, StageRules};
use crate::schema::{Notes, StateNotes, short_type_name};

/// A reference to a controller type, as in `after(Scsi)`.
#[derive(Clone, Copy)]
pub struct TypeRef {
    id: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl TypeRef {
    pub(crate) const fn of_type<C: 'static>() -> Self {
        Self { id: TypeId::of::<C>, name: std::any::type_name::<C> }
    }

    /// Returns the identity of the Rust type.
    pub fn id(&self) -> TypeId {
        (self.id)()
    }

    /// Returns the name of the Rust type, with its path.
    pub fn name(&self) -> &'static str {
        (self.name)()
    }

    /// Returns the name of the Rust type without paths, for messages.
    pub fn short_name(&self) -> String {
        short_type_name(self.name())
    }
}

impl fmt::Debug for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The description of a controller type, available without an instance.
#[derive(Clone, Copy, Debug)]
pub struct TypeInfo {
    /// The type URL of its payload.
    pub type_url: &'static str,
    /// The full name of its payload's message.
    pub message_name: &'static str,
    /// The schema version that this build writes.
    pub version: u32,
    /// The older schema versions that this build reads, ascending.
    pub older: &'static [OlderVersion],
    /// The controller's Rust type.
    pub controller: TypeRef,
    /// Its stage rules.
    pub stage_rules: Option<&'static StageRules>,
    /// The number of the field with its name among its siblings, `#[snapshot(id)]`.
    pub id_field: Option<u32>,
    /// The number of the field that holds its stage, if the stage is saved.
    pub stage_field: Option<u32>,
    /// The types that it comes after in the order of a migration.
    pub after: &'static [TypeRef],
    /// Whether its state can contain no other controller.
    pub(crate) is_leaf: bool,
    /// The notes on the fields of its state.
    pub(crate) notes: &'static StateNotes,
}

impl TypeInfo {
    /// Creates the description of a controller with the state `P`.
    pub(crate) const fn of_payload<P: Payload>(controller: TypeRef) -> Self {
        Self {
            type_url: P::TYPE_URL,
            message_name: P::MESSAGE_NAME,
            version: P::VERSION,
            older: P::OLDER,
            controller,
            stage_rules: P::STAGE_RULES,
            id_field: P::ID_FIELD,
            stage_field: P::STAGE_FIELD,
            after: P::AFTER,
            is_leaf: P::IS_LEAF,
            notes: P::NOTES,
        }
    }

    /// Returns whether a field of its state defines names or refers to names.
    pub(crate) fn has_references(&self) -> bool {
        let mut notes = Notes::default();
        notes.add(self.notes);
        notes.iter().any(|(_, _, note)| !note.defines.is_empty() || !note.refers.is_empty())
    }
}
