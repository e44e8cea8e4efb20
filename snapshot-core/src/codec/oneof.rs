//! Oneofs: one field with several numbers, of which at most one is on the wire.

use super::{Reader, Single, Tag, WireField, Writer};
use crate::Error;
use crate::controller::Walk;
use crate::references::References;
use crate::schema::kind::{FieldKind, Oneof};
use crate::schema::{FieldForm, MemberForm, Notes, OneofSchema};

/// An enum that mirrors the oneof `O`, a variant for a member. Implemented by
/// `#[derive(Snapshot)]` with `oneof = path`.
///
/// As a field, the enum itself must be on the wire; in an `Option` it may be absent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved as the proto oneof `{O}`",
    label = "does not mirror the oneof of the proto field",
    note = "derive `Snapshot` for an enum with `#[snapshot(oneof = ...)]`"
)]
pub trait WireOneof<O>: Sized {
    /// What the enum makes of each member.
    #[doc(hidden)]
    const MEMBERS: &'static [MemberForm] = &[];

    /// Puts the member with its tag. Returns its number. An error names the member.
    fn put_oneof(&self, w: &mut Writer) -> Result<u32, Error>;

    /// Takes the member with this tag. An error names the member.
    fn take_oneof(tag: Tag, r: &mut Reader<'_>) -> Result<Self, Error>;

    /// Shows the controllers inside to `walk`.
    fn walk_oneof(&mut self, walk: &mut Walk<'_>) -> Result<(), Error>;

    /// Shows what is defined and referred to inside to `references`.
    fn refer_oneof(&self, references: &mut References);

    /// Notes what the attributes of the fields inside say.
    fn annotate_oneof(notes: &mut Notes) {
        let _ = notes;
    }
}

/// The value, and the number of the member that it came from.
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
        Error::invalid(format!("excludes {first}, which is there already"))
    };
    error.in_field(name_of::<O>(second))
}

/// The proto name of a member.
fn name_of<O: OneofSchema>(number: u32) -> &'static str {
    let members = Oneof::<O>::MEMBERS.iter();
    members.clone().find(|member| member.number == number).map_or("(unknown)", |m| m.name)
}

impl<O: OneofSchema, T: Single + WireOneof<O>> WireField<Oneof<O>> for T {
    const FORM: FieldForm = FieldForm::oneof(T::MEMBERS, true);
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

    fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        self.walk_oneof(walk)
    }

    fn refer_field(&self, references: &mut References) {
        self.refer_oneof(references);
    }

    fn annotate_field(notes: &mut Notes) {
        T::annotate_oneof(notes);
    }
}

impl<O: OneofSchema, T: WireOneof<O>> WireField<Oneof<O>> for Option<T> {
    const FORM: FieldForm = FieldForm::oneof(T::MEMBERS, false);
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

    fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        match self {
            Some(value) => value.walk_oneof(walk),
            None => Ok(()),
        }
    }

    fn refer_field(&self, references: &mut References) {
        if let Some(value) = self {
            value.refer_oneof(references);
        }
    }

    fn annotate_field(notes: &mut Notes) {
        T::annotate_oneof(notes);
    }
}
