//! Fields in another order: protobuf obliges a reader to accept any order.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::super::bench::Bench;
use super::super::report::Law;
use super::super::subject::Recoded;
use super::super::tree::{TreeMessage, Value};

/// Reads every sample with its fields in other orders, at all levels.
pub(in super::super) fn any_order(bench: &mut Bench) {
    let path = bench.places.message_path(super::super::places::ROOT);
    for index in 0..bench.samples.len() {
        let Some(sample) = bench.samples.get(index) else { continue };
        for (name, order) in [("descending", backwards as fn(&mut TreeMessage)), ("mixed", mixed)] {
            let mut tree = sample.tree.clone();
            everywhere(&mut tree, order);
            let bytes = tree.encode();
            let text = match bench.subject.recode(&bytes).0 {
                Recoded::Written(back) if back == sample.bytes => continue,
                Recoded::Written(_) => "is read as another state".to_owned(),
                Recoded::Refused(error) => format!("is refused: {error}"),
                Recoded::Panicked(error) => format!("cannot be read: {error}"),
                Recoded::NotWritten(error) => format!("is read, and then cannot be saved: {error}"),
            };
            let text = format!("sample {index} with its fields in {name} order {text}");
            bench.report.add(Law::Order, &path, Some(&bytes), text);
        }
    }
}

fn everywhere(message: &mut TreeMessage, order: fn(&mut TreeMessage)) {
    for field in &mut message.fields {
        if let Value::Message(message) = &mut field.value {
            everywhere(message, order);
        }
    }
    order(message);
}

/// Puts the highest number first. The elements of a list keep their order.
fn backwards(message: &mut TreeMessage) {
    message.fields.sort_by_key(|field| Reverse(field.number));
}

/// Puts the first element of every list first, then the second of every list, and so on.
fn mixed(message: &mut TreeMessage) {
    let mut seen: HashMap<u32, usize> = HashMap::new();
    message.fields.sort_by_cached_key(|field| {
        let count = seen.entry(field.number).or_default();
        *count += 1;
        *count
    });
}
