//! Members of oneofs. Each is named here, because the field around them has only the oneof's name,
//! which is not a part of a path.

use std::marker::PhantomData;

use super::field_port::Of;
use super::never::Never;
use super::proof_of_fit::{NoFit, and_holder};
use super::text::ErrorText;
use crate::Error;
use crate::codec::{Reader, Tag, Wire, Writer, expect_wire_type};
use crate::schema::kind::{Kind, Optional};
use crate::schema::{Field, MemberForm, OneofDescriptor, StatesInside, ValueForm};
use crate::visit::Visit;

impl<K: Kind> Of<Optional<K>> {
    /// Refuses a type that does not fit the member. Otherwise returns the states inside.
    pub const fn holds<T: Wire<K>>(self) -> StatesInside {
        T::INSIDE
    }
}

/// A member of the kind `K`, whose value is a `T`. It corresponds to the [`Port`](super::Port) of a
/// field.
pub struct Member<K: 'static, T> {
    field: &'static Field<Optional<K>>,
    held: PhantomData<fn() -> T>,
}

pub const fn member<K, T>(field: &'static Field<Optional<K>>) -> Member<K, T> {
    Member { field, held: PhantomData }
}

impl<K: Kind, T: Wire<K>> Member<K, T> {
    /// Writes the member with its tag; unlike a field, also at its default.
    pub fn put_member(self, value: &T, w: &mut Writer) -> Result<u32, Error> {
        match value.put_tagged(self.field.number(), w) {
            Ok(()) => Ok(self.field.number()),
            Err(error) => Err(error.in_field(self.field.name())),
        }
    }

    pub fn take_member(self, tag: Tag, r: &mut Reader<'_>) -> Result<T, Error> {
        match expect_wire_type::<K>(tag).and_then(|()| T::take(r)) {
            Ok(value) => Ok(value),
            Err(error) => Err(error.in_field(self.field.name())),
        }
    }

    pub fn visit_member(self, value: &T, visit: &mut Visit<'_>) -> Result<(), Error> {
        if T::LEAF {
            return Ok(());
        }
        visit.field(self.field.name(), |visit| value.visit(visit))
    }
}

/// Checks that the version in which a payload is saved has a member that was added in version `since`.
pub fn put_since<K: Kind>(
    member: &Field<Optional<K>>,
    since: u32,
    w: &Writer,
) -> Result<(), Error> {
    match w.version() {
        version if version < since => Err(Error::precondition(format!(
            "exists from version {since} on: version {version} cannot express it"
        ))
        .in_field(member.name())),
        _ => Ok(()),
    }
}

/// Checks that the version in which a payload is read has a member that was added in version `since`.
pub fn take_since<K: Kind>(
    member: &Field<Optional<K>>,
    since: u32,
    r: &Reader<'_>,
) -> Result<(), Error> {
    match r.version() {
        version if version < since => Err(Error::invalid(format!(
            "exists from version {since} on, but this payload has version {version}"
        ))
        .in_field(member.name())),
        _ => Ok(()),
    }
}

/// Whether a type fits a member of a oneof.
pub trait MemberAnswer {
    const IS_HELD: bool;
    /// The values that the type accepts.
    const FORM: ValueForm = ValueForm::OWN;
    /// The states inside, whose fields may have notes.
    const INSIDE: StatesInside = StatesInside::Nothing;
}

impl<K: Kind, T: Wire<K>> MemberAnswer for Member<K, T> {
    const IS_HELD: bool = true;
    const FORM: ValueForm = T::FORM;
    const INSIDE: StatesInside = T::INSIDE;
}

impl<K: Kind, T: Wire<K>> Member<K, T> {
    #[inline(always)]
    pub fn fits(self) -> Self {
        self
    }
}

impl<Why> MemberAnswer for Never<Why> {
    const IS_HELD: bool = false;
}

impl<K, T> NoFit for &Member<K, T> {
    type Field = Optional<K>;
}

/// A member whose type is known only to the code of a generic enum.
pub const fn unknown_member<K>(member: &Field<Optional<K>>) -> MemberForm {
    MemberForm::mapped(member.number(), ValueForm::OWN)
}

/// Returns the form of a variant's type for its member.
pub const fn member_form<K: Kind, A: MemberAnswer>(
    member: &Field<Optional<K>>,
    _: &impl FnOnce() -> A,
) -> MemberForm {
    MemberForm::mapped(member.number(), A::FORM)
}

/// Checks that the value of a variant, of type `ty`, fits its member; `ty` is empty without a
/// value.
#[track_caller]
pub const fn assert_member_fits<K: Kind, A: MemberAnswer>(
    _: &impl FnOnce() -> A,
    member: &Field<Optional<K>>,
    ty: &str,
) {
    if !A::IS_HELD {
        let message = if ty.is_empty() {
            ErrorText::new().and("a variant without a value")
        } else {
            ErrorText::new().and("`").and(ty).and("`")
        };
        let message = message.and(" cannot be saved as the member `").and(member.name());
        let message = message.and("`, which is `").and(K::WORDS.name).and("`: ");
        let message = message.and(if ty.is_empty() { "give it a value, " } else { "use " });
        panic!("{}", and_holder(message, K::WORDS).as_str());
    }
}

/// Returns the states inside of a member of a oneof.
pub const fn inside_member<A: MemberAnswer>(_: &impl FnOnce() -> A) -> StatesInside {
    A::INSIDE
}

/// Returns the error of a member that the enum omits on purpose.
#[cold]
pub fn unmapped_member(descriptor: &OneofDescriptor, tag: Tag) -> Error {
    let error = Error::invalid("is a member that this build does not map");
    match descriptor.members.iter().find(|member| member.number == tag.number) {
        Some(member) => error.in_field(member.name),
        None => error,
    }
}
