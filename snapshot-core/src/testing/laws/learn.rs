//! What only trying tells of a type, before it is judged: fields that it ignores, `Any` values that
//! it carries unread, repeated fields that are sets.

use super::super::bench::{Bench, Site};
use super::super::shape::{FieldInfo, Presence};
use super::super::subject::Recoded;
use super::super::tree::{Field, Value};

/// Tries the fields of a message.
pub(in super::super) fn learn(bench: &mut Bench, site: &Site) {
    let Some(message) = bench.message(site) else { return };
    for info in message.shape.fields() {
        let default = bench.places.default(site.place, &info);
        let bytes = bench.edited(site, |m| m.fields.push(Field::new(info.number, default)));
        // A sample has no ignored fields of its own.
        if !bench.subject.recode(&bytes).1.ignored.is_empty() {
            bench.places.ignored.borrow_mut().insert((site.place, info.number));
        }
        if matches!(info.presence, Presence::Repeated | Presence::Packed)
            && is_set(bench, site, &info, &message.values(info.number))
        {
            bench.places.sets.borrow_mut().insert((site.place, info.number));
        }
    }
    let is_open =
        message.fields.iter().any(|f| f.number == 2 && matches!(f.value, Value::Message(_)));
    if message.shape.is_any() && is_open {
        // No message: its field number is 0.
        let junk = vec![0, 0];
        let bytes = bench.edited(site, |message| message.set(2, vec![Value::Bytes(junk)], false));
        if matches!(bench.subject.recode(&bytes).0, Recoded::Written(_)) {
            bench.places.unread.borrow_mut().insert(site.place);
        }
    }
}

/// Whether a repeated field refuses an element twice and does not keep the order.
fn is_set(bench: &mut Bench, site: &Site, info: &FieldInfo, values: &[Value]) -> bool {
    let packed = info.presence == Presence::Packed;
    let Some(first) = values.first() else { return false };
    let twice = [values, std::slice::from_ref(first)].concat();
    let twice = bench.with_values(site, info, twice, packed);
    if !matches!(bench.subject.recode(&twice).0, Recoded::Refused(_)) {
        return false;
    }
    let mut reversed = values.to_vec();
    reversed.reverse();
    let bytes = bench.with_values(site, info, reversed, packed);
    let before = bench.samples.get(site.sample).map(|sample| sample.bytes.clone());
    // As it was before, although it was read the other way round.
    matches!(bench.subject.recode(&bytes).0, Recoded::Written(back)
        if Some(&back) == before.as_ref() && bytes != back)
}
