//! Duplicates of singular values: one of the two would be lost.

use super::super::bench::{Bench, Site};
use super::super::report::Law;
use super::super::shape::{FieldInfo, Presence};
use super::super::tree::{TreeField, Value};
use super::super::values::others;
use super::refuse::known;

/// Tries every singular field twice, two members of a oneof, and a key twice.
pub(in super::super) fn duplicates(bench: &mut Bench, site: &Site) {
    let fields = known(bench, site);
    for info in &fields {
        match info.presence {
            Presence::Map => key_twice(bench, site, info),
            _ if info.is_singular() => {
                twice(bench, site, info);
                two_members(bench, site, info, &fields);
            }
            _ => {}
        }
    }
}

fn twice(bench: &mut Bench, site: &Site, info: &FieldInfo) {
    let Some(message) = bench.message(site) else { return };
    let path = bench.path(site, info);
    let pairs: Vec<[Value; 2]> = match message.values(info.number).pop() {
        Some(value) => vec![[value.clone(), value]],
        // An absent field with two values; the type might confuse one with its default.
        None => {
            let default = bench.places.default(site.place, info);
            let other = info.scalar().and_then(|kind| others(kind, &default).into_iter().next());
            let both = other.map(|other| [default.clone(), other]);
            [[default.clone(), default]].into_iter().chain(both).collect()
        }
    };
    for [first, second] in pairs {
        let number = info.number;
        // Once next to the original, and once at the end.
        let side_by_side = vec![first, second.clone()];
        let bytes = bench.with_values(site, info, side_by_side, false);
        bench.refused(Law::Duplicate, &path, &bytes, "the field twice");
        if !message.values(number).is_empty() {
            let bytes = bench.edited(site, |m| m.fields.push(TreeField::new(number, second)));
            bench.refused(Law::Duplicate, &path, &bytes, "the field twice");
        }
    }
}

fn two_members(bench: &mut Bench, site: &Site, info: &FieldInfo, fields: &[FieldInfo]) {
    let Some(message) = bench.message(site) else { return };
    if info.oneof.is_none() || message.values(info.number).is_empty() {
        return;
    }
    let path = bench.path(site, info);
    for rival in fields {
        if rival.oneof == info.oneof && rival.number != info.number {
            let value = bench.places.default(site.place, rival);
            let bytes = bench.edited(site, |m| m.fields.push(TreeField::new(rival.number, value)));
            let what = format!("a second member {} of its oneof", rival.name);
            bench.refused(Law::Duplicate, &path, &bytes, &what);
        }
    }
}

fn key_twice(bench: &mut Bench, site: &Site, info: &FieldInfo) {
    let Some(message) = bench.message(site) else { return };
    let Some(entry) = message.values(info.number).into_iter().next() else { return };
    let path = bench.path(site, info);
    let bytes = bench.edited(site, |m| m.fields.push(TreeField::new(info.number, entry)));
    bench.refused(Law::Duplicate, &path, &bytes, "a duplicate key");
}
