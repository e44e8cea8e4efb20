//! The trait of a whole field.

use super::{Reader, Sealed, Tag, Writer};
use crate::error::Error;
use crate::schema::{FieldForm, StatesInside, ValueForm};
use crate::visit::Visit;

/// A Rust type that can be a whole field of the field kind `F`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved as a proto field of kind `{F}`",
    label = "does not fit the kind of the proto field",
    note = "choose a Rust type that fits the field, or convert it: `#[snapshot(with = module)]`",
    note = "an `Option` needs a proto field with presence, `optional` or a message, or a type that \
            is never the default: `NonZero`, `Uuid`, `IpAddr`"
)]
pub trait WireField<F>: Sealed + Sized {
    /// Whether the type can contain neither controllers nor references.
    #[doc(hidden)]
    const LEAF: bool = false;

    /// The form of the type for the field.
    #[doc(hidden)]
    const FORM: FieldForm = FieldForm::optional(ValueForm::OWN);

    /// The states inside, whose fields may have notes.
    #[doc(hidden)]
    const INSIDE: StatesInside = StatesInside::Nothing;

    /// Collects the field's occurrences while a message is read.
    #[doc(hidden)]
    type Slot: Default;

    /// Writes the field with its tag, or nothing if it is at its default. Returns the number that was
    /// written, which for a oneof is that of the member.
    #[doc(hidden)]
    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error>;

    /// Returns the number of bytes that `put_field` will write, or 0 if that is expensive to compute.
    #[doc(hidden)]
    #[inline]
    fn field_size(&self, number: u32) -> usize {
        let _ = number;
        0
    }

    /// Makes room for consecutive occurrences, before the first of them is read.
    #[doc(hidden)]
    #[inline]
    fn make_room(slot: &mut Self::Slot, number: u32, r: &mut Reader<'_>) {
        let _ = (slot, number, r);
    }

    /// Reads one occurrence of the field.
    #[doc(hidden)]
    fn take_field(slot: &mut Self::Slot, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error>;

    /// Returns the value at the end of the message. After an error it returns `None`, and stores
    /// the error in `error`. It is not a `Result`, into which most values would be moved once more.
    #[doc(hidden)]
    fn finish_field(slot: Self::Slot, error: &mut Option<Error>) -> Option<Self>;

    /// Shows the controllers and the names inside to `visit`.
    #[doc(hidden)]
    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error>;
}
