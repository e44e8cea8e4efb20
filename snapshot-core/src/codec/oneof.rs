//! Oneofs: one field with several numbers, at most one of which is on the wire.

use super::{Reader, Sealed, Single, Tag, WireField, Writer};
use crate::Error;
use crate::schema::kind::{FieldKind, Oneof};
use crate::schema::{FieldForm, MemberForm, OneofSchema, StatesInside};
use crate::visit::Visit;

/// An enum that mirrors the oneof `O`, with a variant for each member. Implemented by
/// `#[derive(Snapshot)]` with `oneof = path`.
///
/// As a field, the enum itself must be on the wire; an `Option` of it may be absent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved as the proto oneof `{O}`",
    label = "does not mirror the oneof of the proto field",
    note = "derive `Snapshot` for an enum with `#[snapshot(oneof = ...)]`"
)]
pub trait WireOneof<O>: Sealed + Sized {
    /// The forms of the members.
    #[doc(hidden)]
    const MEMBERS: &'static [MemberForm] = &[];
    /// The states inside, whose fields may have notes.
    #[doc(hidden)]
    const INSIDE: StatesInside = StatesInside::Nothing;

    /// Writes the member with its tag. Returns its number. An error names the member.
    #[doc(hidden)]
    fn put_oneof(&self, w: &mut Writer) -> Result<u32, Error>;

    /// Reads the member with this tag. An error names the member.
    #[doc(hidden)]
    fn take_oneof(tag: Tag, r: &mut Reader<'_>) -> Result<Self, Error>;

    /// Shows the controllers and the names inside to `visit`.
    #[doc(hidden)]
    fn visit_oneof(&self, visit: &mut Visit<'_>) -> Result<(), Error>;
}

/// The value, and the number of its member.
type Taken<T> = Option<(T, u32)>;

fn take_once<O: OneofSchema, T: WireOneof<O>>(
    slot: &mut Taken<T>,
    tag: Tag,
    r: &mut Reader<'_>,
) -> Result<(), Error> {
    if let Some((_, first)) = slot {
        return Err(second_member::<O>(*first, tag.number));
    }
    *slot = Some((T::take_oneof(tag, r)?, tag.number));
    Ok(())
}

#[cold]
fn second_member<O: OneofSchema>(first: u32, second: u32) -> Error {
    let error = if first == second {
        super::duplicate()
    } else {
        let first = name_of::<O>(first);
        Error::invalid(format!("cannot be set together with {first}, which is already set"))
    };
    error.in_field(name_of::<O>(second))
}

/// Returns the proto name of a member.
fn name_of<O: OneofSchema>(number: u32) -> &'static str {
    let members = Oneof::<O>::MEMBERS.iter();
    members.clone().find(|member| member.number == number).map_or("(unknown)", |m| m.name)
}

impl<O: OneofSchema, T: Single + WireOneof<O>> WireField<Oneof<O>> for T {
    const FORM: FieldForm = FieldForm::oneof(T::MEMBERS, true);
    const INSIDE: StatesInside = T::INSIDE;
    type Slot = Taken<T>;

    fn put_field(&self, _number: u32, w: &mut Writer) -> Result<u32, Error> {
        self.put_oneof(w)
    }

    fn take_field(slot: &mut Taken<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        take_once(slot, tag, r)
    }

    fn finish_field(slot: Taken<T>, error: &mut Option<Error>) -> Option<Self> {
        if slot.is_none() {
            *error = Some(super::missing());
        }
        slot.map(|(value, _)| value)
    }

    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        self.visit_oneof(visit)
    }
}

impl<O: OneofSchema, T: WireOneof<O>> WireField<Oneof<O>> for Option<T> {
    const FORM: FieldForm = FieldForm::oneof(T::MEMBERS, false);
    const INSIDE: StatesInside = T::INSIDE;
    type Slot = Taken<T>;

    fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
        match self {
            Some(value) => value.put_oneof(w),
            None => Ok(number),
        }
    }

    fn take_field(slot: &mut Taken<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        take_once(slot, tag, r)
    }

    fn finish_field(slot: Taken<T>, _: &mut Option<Error>) -> Option<Self> {
        Some(slot.map(|(value, _)| value))
    }

    fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        match self {
            Some(value) => value.visit_oneof(visit),
            None => Ok(()),
        }
    }
}
