//! What the derive makes of a struct: a [`State`], and with a version a [`Payload`].

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
    /// The prost message that the struct is saved as.
    type Message: Schema + prost::Message + Default;

    /// Whether it is a payload, with a version of its own.
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

    /// Puts the fields, without a length.
    #[doc(hidden)]
    fn put_fields(&self, w: &mut Writer) -> Result<(), Error>;

    /// Puts the fields of a message in another one: in the version of the payload around both, but for
    /// a payload, which is in a version of its own wherever it is.
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn put_nested(&self, w: &mut Writer) -> Result<(), Error> {
        self.put_fields(w)
    }

    /// How many bytes `put_fields` will put; what takes more than a look counts as nothing.
    #[doc(hidden)]
    fn fields_size(&self) -> usize {
        0
    }

    /// Takes the fields up to the end of the reader.
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take_fields(r: &mut Reader<'_>) -> Result<Self, Error> {
        let mut slot = None;
        Self::take_fields_into(&mut slot, r)?;
        slot.ok_or_else(lost_error)
    }

    /// The same into the place where the state will be. It is `None`, and after an error too.
    #[doc(hidden)]
    fn take_fields_into(slot: &mut Option<Self>, r: &mut Reader<'_>) -> Result<(), Error>;

    /// Shows the controllers and the names inside, here and in nested states, to `visit`.
    #[doc(hidden)]
    fn visit_fields(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        let _ = visit;
        Ok(())
    }

    /// The state as a prost message, for tools, tests and upgrades; saving does not go through it.
    ///
    /// # Errors
    ///
    /// As [`to_bytes`](crate::codec::to_bytes).
    fn to_message(&self) -> Result<Self::Message, Error> {
        let bytes = to_bytes(self)?;
        prost::Message::decode(bytes.as_slice()).map_err(|error| {
            Error::internal("prost does not read what was saved").with_source(error)
        })
    }

    /// The state from a prost message.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](crate::codec::from_bytes); offsets are those of prost's encoding of the message.
    fn from_message(message: &Self::Message) -> Result<Self, Error> {
        from_bytes(&prost::Message::encode_to_vec(message))
    }
}

/// A state with a schema version of its own: what a controller saves. Implemented by
/// `#[derive(Snapshot)]` with `version = N`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a versioned payload",
    label = "needs `#[derive(Snapshot)]` with `#[snapshot(message = ..., version = N)]`"
)]
pub trait Payload: State + Send + 'static {
    /// The type URL in the `Any` around it, `type.googleapis.com/lcow.v1.VmSnapshot`.
    const TYPE_URL: &'static str;
    /// The full name of the message, `lcow.v1.VmSnapshot`.
    const MESSAGE_NAME: &'static str;
    /// The schema version that this build writes.
    const VERSION: u32;
    /// The older schema versions that this build reads, ascending.
    const OLDER: &'static [OlderVersion] = &[];
    /// The number of the message's `schema_version` field.
    #[doc(hidden)]
    const VERSION_FIELD: u32;
    /// The number of the field that the controller is called by, `#[snapshot(id)]`.
    #[doc(hidden)]
    const ID_FIELD: Option<u32> = None;
    /// The number of the field that holds the stage, if the stage is saved.
    #[doc(hidden)]
    const STAGE_FIELD: Option<u32> = None;
    /// The lifecycle rules of its stage, if it has one.
    const STAGE_RULES: Option<&'static StageRules>;
    /// The controllers that its controller comes after.
    const AFTER: &'static [TypeRef];

    /// Whether it is known of the types of its fields that no controller can be inside.
    #[doc(hidden)]
    const IS_LEAF: bool = false;

    /// The number of the current stage.
    #[doc(hidden)]
    fn stage_number(&self) -> Option<i32>;

    /// Sets the stage; the number is one of the stage enum's.
    #[doc(hidden)]
    fn set_stage_number(&mut self, number: i32) -> Result<(), Error>;

    /// What the controller calls itself among its siblings, `#[snapshot(id)]`.
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
