//! Compares the type with prost on the same bytes.

use crate::schema::ValueKind;

use super::super::bench::Bench;
use super::super::report::Law;
use super::super::shape::Presence;
use super::super::tree::{TreeMessage, Value};

/// Checks that prost reads every sample as the same state.
pub(in super::super) fn as_prost(bench: &mut Bench) {
    let path = bench.places.message_path(super::super::places::ROOT);
    for (index, sample) in bench.samples.iter().enumerate() {
        if has_negative_zero(&sample.tree) {
            continue;
        }
        let text = match (bench.subject.through_prost)(&sample.bytes) {
            Ok(back) if back == sample.bytes => continue,
            Ok(_) => "is another state after prost has read and written it".to_owned(),
            Err(text) => text,
        };
        let text = format!("sample {index}: {text}");
        bench.report.add(Law::Prost, &path, Some(&sample.bytes), text);
    }
}

/// Whether there is a -0.0 in a field where prost omits 0.0. prost also omits -0.0 and loses the sign,
/// which is not a fault of the type.
fn has_negative_zero(message: &TreeMessage) -> bool {
    message.fields.iter().any(|field| {
        let info = message.shape.field(field.number);
        let is_left_out = |info: &super::super::shape::FieldInfo| {
            matches!(info.presence, Presence::Implicit | Presence::Always)
        };
        let kind = info.filter(is_left_out).and_then(|info| info.scalar());
        match (&field.value, kind) {
            (Value::Message(message), _) => has_negative_zero(message),
            (Value::Fixed64(bits), Some(ValueKind::Double)) => *bits == (-0.0f64).to_bits(),
            (Value::Fixed32(bits), Some(ValueKind::Float)) => *bits == (-0.0f32).to_bits(),
            _ => false,
        }
    })
}
