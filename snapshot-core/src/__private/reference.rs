//! What fields define and refer to.

use crate::codec::{Reference, ReferenceValues};
use crate::references::References;
use crate::schema::kind::FieldKind;
use crate::schema::{Field, FieldShape, ValueKind};
use crate::{Payload, State};

/// Goes into a state that is nested as a message.
#[inline]
pub fn refer_message<S: State>(state: &S, references: &mut References) {
    references.message(|references| state.refer_fields(references));
}

/// Goes into a payload that is nested as an `Any`.
#[inline]
pub fn refer_payload<P: Payload>(payload: &P, references: &mut References) {
    let own_name = || payload.own_name();
    references.payload(own_name, P::MESSAGE_NAME, |inside| payload.refer_fields(inside));
}

/// Collects what a field defines.
pub fn defines<F, T: Reference>(
    field: &Field<F>,
    namespace: &'static str,
    value: &T,
    references: &mut References,
) {
    references.field(field.name(), |references| references.defines(namespace, value));
}

/// Collects what a field refers to.
pub fn refers<F, T: Reference>(
    field: &Field<F>,
    namespace: &'static str,
    value: &T,
    references: &mut References,
) {
    references.field(field.name(), |references| references.refers(namespace, value));
}

/// Collects what the values of a map define.
pub fn values_define<F, T: ReferenceValues>(
    field: &Field<F>,
    namespace: &'static str,
    value: &T,
    references: &mut References,
) {
    references.field(field.name(), |references| references.values_define(namespace, value));
}

/// Collects what the values of a map refer to.
pub fn values_refer<F, T: ReferenceValues>(
    field: &Field<F>,
    namespace: &'static str,
    value: &T,
    references: &mut References,
) {
    references.field(field.name(), |references| references.values_refer(namespace, value));
}

/// Bytes that are held as a list of numbers would each be a name.
const BYTES: &str = "`bytes` are no name, `defines` and `refers` go by text or numbers: convert them \
                     by `with = module` to a type that implements `snapshot_core::codec::Reference`";

/// Checks that the values of a field, of a map its keys, are not bytes.
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
