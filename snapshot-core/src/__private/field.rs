//! Properties of one field that both the running decode and the ports need.

use crate::error::Error;
use crate::schema::kind::FieldKind;
use crate::schema::{Field, FieldShape};

/// Returns a field of a message. A function, because the compiler has to look for [`Field::new`] among the
/// methods of a type, once for each field of each message.
pub const fn field<F>(number: u32, name: &'static str) -> Field<F> {
    Field::new(number, name)
}

/// Returns whether a number is that of this field, or of a member of this oneof.
#[inline(always)]
pub(super) fn is_member<F: FieldKind>(field: &Field<F>, number: u32) -> bool {
    field.number() == number || F::MEMBERS.iter().any(|member| member.number == number)
}

/// Names the field in an error. The error of a oneof already names the member.
#[cold]
#[inline(never)]
pub(super) fn place<F: FieldKind>(field: &Field<F>, error: Error) -> Error {
    match F::SHAPE {
        FieldShape::Oneof(_) => error,
        _ => error.in_field(field.name()),
    }
}

/// Returns the default of a field that is not saved, or not read yet.
#[inline]
pub fn default<T: Default>() -> T {
    T::default()
}
