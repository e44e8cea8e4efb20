//! Finds properties of a type by trial, before the laws are checked: fields that it ignores, `Any` values
//! that it does not read, repeated fields that are sets.

use super::super::bench::{Bench, Site};
use super::super::shape::{FieldInfo, Presence};
use super::super::subject::Recoded;
use super::super::tree::{TreeField, Value};
use super::super::values::others;

/// Tries the fields of a message.
pub(in super::super) fn learn(bench: &mut Bench, site: &Site) {
    let Some(message) = bench.message(site) else { return };
    for info in message.shape.fields() {
        let default = bench.places.default(site.place, &info);
        let bytes = bench.edited(site, |m| m.fields.push(TreeField::new(info.number, default)));
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
        // This is not a message: its field number is 0.
        let junk = vec![0, 0];
        let bytes = bench.edited(site, |message| message.set(2, vec![Value::Bytes(junk)], false));
        if matches!(bench.subject.recode(&bytes).0, Recoded::Written(_)) {
            bench.places.unread.borrow_mut().insert(site.place);
        }
    }
}

/// The number of elements that are tried to find two that a list accepts.
const TRIED: usize = 12;

/// Whether a repeated field refuses a duplicate element and accepts two elements in one order only.
fn is_set(bench: &mut Bench, site: &Site, info: &FieldInfo, values: &[Value]) -> bool {
    let default = bench.places.default(site.place, info);
    let now = values.first().unwrap_or(&default);
    let made_up = info.scalar().map(|kind| others(kind, now)).unwrap_or_default();
    let pool: Vec<Value> = values.iter().take(TRIED).cloned().chain(made_up).take(TRIED).collect();
    let back = |values: &[&Value]| {
        let values = values.iter().copied().cloned().collect();
        let bytes = bench.with_values(site, info, values, info.presence == Presence::Packed);
        match bench.subject.recode(&bytes).0 {
            Recoded::Written(back) => Some(back),
            _ => None,
        }
    };
    for (index, a) in pool.iter().enumerate() {
        if back(&[a]).is_none() {
            continue;
        }
        for b in pool.iter().skip(index + 1).filter(|b| b.bytes() != a.bytes()) {
            let orders = [back(&[a, b]), back(&[b, a])];
            if orders.iter().any(Option::is_some) {
                return orders.iter().any(Option::is_none) && back(&[a, a]).is_none();
            }
        }
    }
    false
}
