//! Visits the fields of a state.

use crate::codec::{Reference, ReferenceValues};
use crate::schema::kind::FieldKind;
use crate::schema::{Field, FieldShape, ValueKind};
use crate::visit::{Role, Visit};
use crate::{Error, Payload, State};

/// Visits a state that is nested as a message.
pub fn visit_message<S: State>(state: &S, visit: &mut Visit<'_>) -> Result<(), Error> {
    if !visit.enter_message() {
        return Ok(());
    }
    let visited = state.visit_fields(visit);
    visit.leave_message();
    visited
}

/// Visits a payload that is nested as an `Any`.
pub fn visit_payload<P: Payload>(payload: &P, visit: &mut Visit<'_>) -> Result<(), Error> {
    let own_name = || payload.own_name();
    visit.payload(own_name, P::MESSAGE_NAME, |visit| payload.visit_fields(visit))
}

/// Shows the names that a field defines to `visit`.
pub fn defines<F, T: Reference>(
    field: &Field<F>,
    namespace: &'static str,
    value: &T,
    visit: &mut Visit<'_>,
) {
    visit.names(field.name(), Role::Defines, namespace, |names| value.add_names(names));
}

/// Shows the names that a field refers to to `visit`.
pub fn refers<F, T: Reference>(
    field: &Field<F>,
    namespace: &'static str,
    value: &T,
    visit: &mut Visit<'_>,
) {
    visit.names(field.name(), Role::Refers, namespace, |names| value.add_names(names));
}

/// Shows the names that the values of a map define to `visit`.
pub fn values_define<F, T: ReferenceValues>(
    field: &Field<F>,
    namespace: &'static str,
    value: &T,
    visit: &mut Visit<'_>,
) {
    visit.names(field.name(), Role::Defines, namespace, |names| value.add_value_names(names));
}

/// Shows the names that the values of a map refer to to `visit`.
pub fn values_refer<F, T: ReferenceValues>(
    field: &Field<F>,
    namespace: &'static str,
    value: &T,
    visit: &mut Visit<'_>,
) {
    visit.names(field.name(), Role::Refers, namespace, |names| value.add_value_names(names));
}

/// Bytes in a list of numbers would each be a name.
const BYTES: &str = "`bytes` cannot be names, because `defines` and `refers` need text or numbers: \
                     convert the field with `with = module` to a type that implements \
                     `snapshot_core::codec::Reference`";

/// Checks that the values of a field (for a map, its keys) are not bytes.
#[track_caller]
pub const fn assert_nameable<F: FieldKind>(_: &Field<F>) {
    match F::SHAPE {
        FieldShape::Singular(value)
        | FieldShape::Optional(value)
        | FieldShape::Repeated(value)
        | FieldShape::Packed(value)
        | FieldShape::Map(value, _) => assert!(!is_bytes(value), "{}", BYTES),
        FieldShape::Oneof(_) | FieldShape::Opaque => {}
    }
}

/// Checks that the values of a map are not bytes.
#[track_caller]
pub const fn assert_nameable_values<F: FieldKind>(_: &Field<F>) {
    if let FieldShape::Map(_, value) = F::SHAPE {
        assert!(!is_bytes(value), "{}", BYTES);
    }
}

const fn is_bytes(value: ValueKind) -> bool {
    matches!(value, ValueKind::Bytes)
}
