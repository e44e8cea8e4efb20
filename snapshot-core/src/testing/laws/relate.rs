//! Numbers that index the lists of their own state: nothing but a relation keeps them within.

use crate::schema::ValueKind;

use super::super::bench::{Bench, Site};
use super::super::coverage::is_in;
use super::super::places::number;
use super::super::report::Law;
use super::super::shape::{FieldInfo, Presence};
use super::super::subject::Recoded;
use super::super::tree::Value;
use super::super::values::integer;
use super::refuse::known;

/// The names of fields that are an index into a list of their state, or count its elements. A
/// number with another name is not suspected.
const NAMES: [&str; 9] =
    ["head", "tail", "index", "cursor", "front", "back", "count", "len", "length"];

/// The distance behind the end of the longest list at which a number is tried.
const BEYOND: i128 = 1_000;

/// Asks for a relation if a number is within a list of its message in the sample, has the name of
/// an index or a count, and is accepted beyond the list too.
pub(in super::super) fn unrelated_numbers(bench: &mut Bench, site: &Site, exempt: &[String]) {
    let Some(message) = bench.message(site) else { return };
    let fields = known(bench, site);
    let lists: Vec<(&str, usize)> =
        fields.iter().filter_map(|info| Some((info.name, length(bench, site, info)?))).collect();
    for info in fields.iter().filter(|info| info.is_singular() && is_suspect(info.name)) {
        let Some(kind) = info.scalar().filter(|kind| is_integer(*kind)) else { continue };
        let values = message.values(info.number);
        let now = values.first().map_or(0, |value| number(value, kind));
        let mut within = lists.iter().filter(|(_, length)| now <= *length as i128);
        let Some((list, _)) = within.next().filter(|_| now > 0) else { continue };
        let names = bench.places.names(site.place, info.name);
        if names.iter().any(|name| is_in(name, exempt)) {
            continue;
        }
        let longest = lists.iter().map(|(_, length)| *length as i128).max().unwrap_or(0);
        let beyond = longest + BEYOND;
        let bytes = bench.with_values(site, info, vec![integer(kind, beyond)], false);
        if matches!(bench.subject.recode(&bytes).0, Recoded::Written(_)) {
            let text = format!(
                "is {now}, which lies within `{list}`, and {beyond} is read as well: an index beyond the \
                 list would come to light long after the restore"
            );
            let [path, _] = names;
            bench.report.add(Law::Relation, &path, Some(&bytes), text);
        }
    }
}

fn is_suspect(name: &str) -> bool {
    NAMES.contains(&name)
        || name.rsplit_once('_').is_some_and(|(_, last)| NAMES[..6].contains(&last))
}

fn is_integer(kind: ValueKind) -> bool {
    use ValueKind::*;
    matches!(
        kind,
        Int32 | Int64 | Uint32 | Uint64 | Sint32 | Sint64 | Fixed32 | Fixed64 | Sfixed32 | Sfixed64
    )
}

/// The number of elements of a list, or of bytes, that the sample has in a field.
fn length(bench: &Bench, site: &Site, info: &FieldInfo) -> Option<usize> {
    let values = bench.message(site)?.values(info.number);
    let length = match (info.presence, info.scalar()) {
        (Presence::Repeated | Presence::Packed, _) => values.len(),
        (_, Some(ValueKind::Bytes)) => match values.first() {
            Some(Value::Bytes(bytes)) => bytes.len(),
            _ => 0,
        },
        _ => return None,
    };
    (length > 0).then_some(length)
}
