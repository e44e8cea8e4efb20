//! The difference between two texts, line by line.

use std::fmt::Write;

/// The number of lines shown before and after a change.
const CONTEXT: usize = 2;

/// The largest table of common lines, in entries of 4 bytes: 16 MB. Texts with larger differences are
/// shown one after the other.
const LARGEST: usize = 4_000_000;

/// Returns the changed lines, removed ones with `-` and added ones with `+`, with the lines around
/// them and the headings above them.
pub(super) fn of(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    // The common end is set aside only if the table would be too large: a new version often ends with
    // the same lines as the one before it, and the difference should show the later one as new.
    let small = old_rest.len().saturating_mul(new_rest.len()) <= LARGEST;
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b);
    let end = if small { 0 } else { end.count() };
    let (old_rest, new_rest) =
        (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);

    let mut lines: Vec<(char, &str)> = old[..start].iter().map(|line| (' ', *line)).collect();
    lines.extend(changed(old_rest, new_rest));
    lines.extend(old[old.len() - end..].iter().map(|line| (' ', *line)));
    shown(&lines)
}

/// Aligns the parts that differ by their longest common subsequence, with the usual table.
fn changed<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(char, &'t str)> {
    if old.len().saturating_mul(new.len()) > LARGEST {
        let gone = old.iter().map(|line| ('-', *line));
        return gone.chain(new.iter().map(|line| ('+', *line))).collect();
    }
    let width = new.len() + 1;
    let mut longest = vec![0u32; (old.len() + 1) * width];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            longest[i * width + j] = match a == b {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]
        {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    lines
}

/// Renders the changes with their context.
fn shown(lines: &[(char, &str)]) -> String {
    let headings = headings(lines);
    let mut near = vec![false; lines.len()];
    let mut above = vec![false; lines.len()];
    for (index, _) in lines.iter().enumerate().filter(|(_, (sign, _))| *sign != ' ') {
        let around = index.saturating_sub(CONTEXT)..(index + CONTEXT + 1).min(lines.len());
        near[around].fill(true);
        let mut heading = headings[index];
        // If a heading is marked already, so are those above it.
        while let Some(index) = heading.filter(|&index| !above[index]) {
            above[index] = true;
            heading = headings[index];
        }
    }
    let mut text = String::new();
    let mut left_out = false;
    for (index, &(sign, line)) in lines.iter().enumerate() {
        let near = near[index] || above[index];
        if near {
            if left_out && !text.is_empty() {
                text.push_str("  ...\n");
            }
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", format!("{sign} {line}").trim_end());
        }
        left_out = !near;
    }
    text.truncate(text.trim_end().len());
    text
}

/// Returns for each line its heading: the nearest line above with less indentation.
fn headings(lines: &[(char, &str)]) -> Vec<Option<usize>> {
    let mut open: Vec<usize> = Vec::new();
    let mut headings = Vec::with_capacity(lines.len());
    for (index, (_, line)) in lines.iter().enumerate() {
        // An empty line neither ends a section nor belongs to one.
        if line.is_empty() {
            headings.push(None);
            continue;
        }
        while open.pop_if(|above| indentation(lines[*above].1) >= indentation(line)).is_some() {}
        headings.push(open.last().copied());
        open.push(index);
    }
    headings
}

/// The number of bytes of leading whitespace.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
