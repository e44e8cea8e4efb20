//! Gives every field other values: every accepted value must be saved again unchanged.

use super::super::bench::{Bench, EditOutcome, Site};
use super::super::coverage::is_version;
use super::super::difference::show;
use super::super::report::Law;
use super::super::shape::{FieldInfo, Presence};
use super::super::tree::Value;
use super::super::values::others;
use super::refuse::known;

/// The number of elements of a list that are changed: the first ones, and the last.
const ELEMENTS: usize = 3;
/// The number of values that a scalar gets although it had them in another message at its place.
const VALUES: usize = 3;

/// Changes every field of a message, in several ways.
pub(in super::super) fn edits(bench: &mut Bench, site: &Site) {
    for info in known(bench, site) {
        let values = bench.message(site).map(|m| m.values(info.number)).unwrap_or_default();
        match info.presence {
            _ if is_version(&info) => version(bench, site, &info, &values),
            Presence::Repeated | Presence::Packed => list(bench, site, &info, &values),
            Presence::Map => {
                without_one(bench, site, &info, &values);
            }
            _ => singular(bench, site, &info, &values),
        }
    }
}

fn singular(bench: &mut Bench, site: &Site, info: &FieldInfo, values: &[Value]) {
    let default = bench.places.default(site.place, info);
    match values.first() {
        Some(now) => {
            for other in untried(bench, site, info, changed(info, now)) {
                try_values(bench, site, info, vec![other]);
            }
            try_values(bench, site, info, Vec::new());
        }
        None => {
            for other in untried(bench, site, info, changed(info, &default)) {
                try_values(bench, site, info, vec![other]);
            }
            // An explicit default, which a reader must read as the default, or refuse.
            try_values(bench, site, info, vec![default]);
        }
    }
}

/// Tries other versions. Each must be refused, or accepted and upgraded: the state is then saved in the
/// current version and stays the same.
fn version(bench: &mut Bench, site: &Site, info: &FieldInfo, values: &[Value]) {
    let path = bench.path(site, info);
    let default = bench.places.default(site.place, info);
    let others = changed(info, values.first().unwrap_or(&default));
    for values in others.into_iter().map(|other| vec![other]).chain([Vec::new()]) {
        let what = show(&values, info);
        let bytes = bench.with_values(site, info, values, false);
        bench.upgraded(Law::Restored, &path, &bytes, &what);
    }
}

/// The values to try at a site: all of them at the first message of a place; at the others, the values
/// that the field did not have in another message, and a few more.
fn untried(bench: &mut Bench, site: &Site, info: &FieldInfo, mut values: Vec<Value>) -> Vec<Value> {
    let mut count = 0;
    values.retain(|value| {
        count += 1;
        let is_new = bench.tried.insert((site.place, info.number, value.bytes()));
        site.is_first || is_new || count <= VALUES
    });
    values
}

/// Other values of a scalar; a nested message is a site of its own.
fn changed(info: &FieldInfo, now: &Value) -> Vec<Value> {
    match (info.scalar(), now) {
        (_, Value::Message(_)) | (None, _) => Vec::new(),
        (Some(kind), now) => others(kind, now),
    }
}

fn list(bench: &mut Bench, site: &Site, info: &FieldInfo, values: &[Value]) {
    let default = bench.places.default(site.place, info);
    for at in (0..values.len().min(ELEMENTS)).chain(values.len().checked_sub(1)) {
        for other in untried(bench, site, info, changed(info, &values[at])) {
            let mut values = values.to_vec();
            values[at] = other;
            try_values(bench, site, info, values);
        }
    }
    for other in untried(bench, site, info, changed(info, &default)).into_iter().chain([default]) {
        try_values(bench, site, info, [values, &[other]].concat());
    }
    without_one(bench, site, info, values);
    if let [first, .., last] = values {
        try_values(bench, site, info, [values, std::slice::from_ref(first)].concat());
        let between = &values[1..values.len() - 1];
        let swapped = [std::slice::from_ref(last), between, std::slice::from_ref(first)].concat();
        try_values(bench, site, info, swapped);
    }
    // With a tag for each element, and with one tag for all: the type must read both.
    let is_packable = info.scalar().is_some_and(|_| !matches!(values, [Value::Bytes(_), ..]));
    if is_packable && !values.is_empty() {
        let path = bench.path(site, info);
        let other_form = info.presence != Presence::Packed;
        let bytes = bench.with_values(site, info, values.to_vec(), other_form);
        if let EditOutcome::Refused(error) =
            bench.restored(Law::Restored, &path, &bytes, "the list")
        {
            let text =
                format!("the list in the other form (packed or unpacked) is refused: {error}");
            bench.report.add(Law::Restored, &path, Some(&bytes), text);
        }
    }
}

fn without_one(bench: &mut Bench, site: &Site, info: &FieldInfo, values: &[Value]) {
    if let Some((_, rest)) = values.split_first() {
        try_values(bench, site, info, rest.to_vec());
    }
    if let Some((_, rest)) = values.split_last() {
        try_values(bench, site, info, rest.to_vec());
    }
}

fn try_values(bench: &mut Bench, site: &Site, info: &FieldInfo, values: Vec<Value>) {
    let path = bench.path(site, info);
    let what = show(&values, info);
    let packed = info.presence == Presence::Packed;
    let bytes = bench.with_values(site, info, values.clone(), packed);
    match bench.restored(Law::Restored, &path, &bytes, &what) {
        EditOutcome::Refused(error) => bench.coverage.refused(site.place, info, &error),
        EditOutcome::Restored => bench.coverage.restored(site.place, info, &values),
        EditOutcome::Broken => {}
    }
}
