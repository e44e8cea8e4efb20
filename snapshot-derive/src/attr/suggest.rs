//! "Did you mean": the keyword that a misspelt one is nearest to.

/// Attribute names of other derives, and their counterparts here.
const ALIASES: &[(&str, &str)] = &[
    ("rename", "field"),
    ("name", "field"),
    ("proto", "message"),
    ("enum", "enumeration"),
    ("flatten", "transparent"),
    ("convert", "with"),
    ("adapter", "with"),
    ("serialize_with", "with"),
    ("deserialize_with", "with"),
    ("ignore", "skip"),
    ("skipped", "skip"),
    ("len", "max"),
    ("max_len", "max"),
    ("depends_on", "after"),
    ("schema_version", "version"),
];

/// The candidate that `typed` most likely stands for.
pub(crate) fn nearest<'c>(typed: &str, candidates: &[&'c str]) -> Option<&'c str> {
    // A third of the length, and at least one edit even in the shortest name.
    let forgiven = (typed.chars().count() / 3).max(1);
    candidates
        .iter()
        .map(|candidate| (distance(typed, candidate), *candidate))
        .filter(|(distance, candidate)| {
            // `id` is not a misspelt `skip`.
            *distance <= forgiven && *distance < candidate.chars().count()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The counterpart of another derive's attribute name.
pub(crate) fn translated<'c>(typed: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let (_, meant) = ALIASES.iter().find(|(alias, _)| *alias == typed)?;
    candidates.iter().copied().find(|candidate| candidate == meant)
}

/// Edits between two words: insertions, deletions, substitutions, and swaps of neighbours
/// (Damerau-Levenshtein, optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_neighbours_are_one_edit() {
        assert_eq!(distance("tga", "tag"), 1);
        assert_eq!(distance("", "tag"), 3);
        assert_eq!(distance("message", "message"), 0);
        assert_eq!(distance("mesage", "message"), 1);
        assert_eq!(distance("stage", "range"), 3);
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let candidates = ["field", "skip", "stage", "with", "max", "range", "id"];
        assert_eq!(nearest("sikp", &candidates), Some("skip"));
        assert_eq!(nearest("feild", &candidates), Some("field"));
        assert_eq!(nearest("wiht", &candidates), Some("with"));
        assert_eq!(nearest("mxa", &candidates), Some("max"));
        assert_eq!(nearest("default", &candidates), None);
        assert_eq!(nearest("xy", &candidates), None);
    }

    #[test]
    fn the_word_of_another_derive_is_translated_where_it_makes_sense() {
        assert_eq!(translated("rename", &["field", "skip"]), Some("field"));
        assert_eq!(translated("rename", &["message", "version"]), None);
    }
}
