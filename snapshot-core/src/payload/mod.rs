//! The traits that the derive implements for a struct: [`State`], and with a version [`Payload`].

mod any;
mod bytes;
mod kept;
mod older_version;
mod reading;
mod stage;
mod type_info;

pub(crate) use self::any::type_url_of;
pub use self::any::{any_field_size, from_any_bytes, put_any, take_any, to_any_bytes};
pub(crate) use self::any::{take_versioned_any, wrong_type};
pub use self::bytes::{from_bytes, to_bytes};
pub use self::kept::{Keep, Keeps, KeepsNothing, Later};
pub use self::older_version::OlderVersion;
pub(crate) use self::reading::take_payload;
pub use self::reading::{lost_error, version_read};
pub use self::stage::{Stage, StageRules, StageVariant};
pub use self::type_info::{TypeInfo, TypeRef};
use crate::codec::{Reader, Wire, Writer};
use crate::error::Error;
use crate::schema::{Schema, StateMeanings, StateNotes, kind};
use crate::visit::Visit;

/// A struct that is saved as a proto message. Implemented by `#[derive(Snapshot)]` with
/// `message = path`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a snapshot state",
    label = "needs `#[derive(Snapshot)]` with `#[snapshot(message = ...)]`"
)]
pub trait State: Wire<kind::Message<Self::Message>> + Keep + Sized {
    /// The prost message of the struct.
    type Message: Schema + prost::Message + Default;

    /// Whether it is a payload, with its own version.
    #[doc(hidden)]
    const IS_PAYLOAD: bool = false;

    /// The notes on the fields, here and in nested states.
    #[doc(hidden)]
    const NOTES: &'static StateNotes = &StateNotes {
        message: Self::Message::DESCRIPTOR,
        fields: &[],
        inside: &[],
        meanings: StateMeanings::NONE,
    };

    /// Writes the fields, without a length.
    #[doc(hidden)]
    fn put_fields(&self, w: &mut Writer) -> Result<(), Error>;

    /// Writes the fields of a message that is nested in another one. They are in the version of the
    /// payload around them, unless the message is a payload itself, which always has its own
    /// version.
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn put_nested(&self, w: &mut Writer) -> Result<(), Error> {
        self.put_fields(w)
    }

    /// Returns the number of bytes that `put_fields` will write. A part that is expensive to
    /// compute counts as 0.
    #[doc(hidden)]
    fn fields_size(&self) -> usize {
        0
    }

    /// Reads the fields up to the end of the reader.
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take_fields(r: &mut Reader<'_>) -> Result<Self, Error> {
        let mut slot = None;
        Self::take_fields_into(&mut slot, r)?;
        slot.ok_or_else(lost_error)
    }

    /// Reads the fields into `slot`, which is `None` before, and also after an error.
    #[doc(hidden)]
    fn take_fields_into(slot: &mut Option<Self>, r: &mut Reader<'_>) -> Result<(), Error>;

    /// Shows the controllers and the names inside, here and in nested states, to `visit`.
    #[doc(hidden)]
    fn visit_fields(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        let _ = visit;
        Ok(())
    }

    /// Returns the state as a prost message, for tools, tests and upgrades. Saving does not go
    /// through it.
    ///
    /// # Errors
    ///
    /// As [`to_bytes`](crate::codec::to_bytes).
    fn to_message(&self) -> Result<Self::Message, Error> {
        let bytes = to_bytes(self)?;
        prost::Message::decode(bytes.as_slice()).map_err(|error| {
            Error::internal("prost does not read the saved bytes").with_source(error)
        })
    }

    /// Reads the state from a prost message.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](crate::codec::from_bytes); offsets are those of prost's encoding of the message.
    fn from_message(message: &Self::Message) -> Result<Self, Error> {
        from_bytes(&prost::Message::encode_to_vec(message))
    }
}

/// A state with its own schema version, which a controller saves. Implemented by
/// `#[derive(Snapshot)]` with `version = N`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a versioned payload",
    label = "needs `#[derive(Snapshot)]` with `#[snapshot(message = ..., version = N)]`"
)]
pub trait Payload: State + Send + 'static {
    /// The type URL in the `Any` around it, such as `type.googleapis.com/lcow.v1.VmSnapshot`.
    const TYPE_URL: &'static str;
    /// The full name of the message, such as `lcow.v1.VmSnapshot`.
    const MESSAGE_NAME: &'static str;
    /// The schema version that this build writes.
    const VERSION: u32;
    /// The older schema versions that this build reads, ascending.
    const OLDER: &'static [OlderVersion] = &[];
    /// The number of the message's `schema_version` field.
    #[doc(hidden)]
    const VERSION_FIELD: u32;
    /// The number of the field with the controller's name, `#[snapshot(id)]`.
    #[doc(hidden)]
    const ID_FIELD: Option<u32> = None;
    /// The number of the field that holds the stage, if the stage is saved.
    #[doc(hidden)]
    const STAGE_FIELD: Option<u32> = None;
    /// The lifecycle rules of its stage, if it has one.
    const STAGE_RULES: Option<&'static StageRules>;
    /// The controllers that its controller comes after.
    const AFTER: &'static [TypeRef];

    /// Whether the types of its fields show that no controller can be inside.
    #[doc(hidden)]
    const IS_LEAF: bool = false;

    /// Returns the number of the current stage.
    #[doc(hidden)]
    fn stage_number(&self) -> Option<i32>;

    /// Sets the stage; the number is one of the stage enum.
    #[doc(hidden)]
    fn set_stage_number(&mut self, number: i32) -> Result<(), Error>;

    /// Returns the controller's name among its siblings, `#[snapshot(id)]`.
    #[doc(hidden)]
    fn own_name(&self) -> Option<String>;
}

/// Returns the notes on the fields of `S`: a function, for tables of states that contain each other.
#[doc(hidden)]
pub fn notes_on<S: State>() -> &'static StateNotes {
    S::NOTES
}

/// Returns whether a payload of this type may have this type URL: its own, or that of an older version.
pub(crate) fn is_type_url_of<P: Payload>(type_url: &str) -> bool {
    type_url == P::TYPE_URL || P::OLDER.iter().any(|older| older.type_url == Some(type_url))
}
