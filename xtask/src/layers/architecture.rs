//! The table of rooms in ARCHITECTURE.md, generated from the one in `rooms`.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::rooms::Package;

/// The page that holds the table.
pub(super) const PATH: &str = "ARCHITECTURE.md";

const BEGIN: &str = "<!-- layers -->\n";
const END: &str = "<!-- /layers -->";

/// The page with the table between the markers replaced.
pub(super) fn with_table(page: &str, packages: &[Package]) -> Result<String> {
    let missing = || format!("{PATH} has no `{}` ... `{END}`: add the markers", BEGIN.trim_end());
    let (before, rest) = page.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", table(packages)))
}

fn table(packages: &[Package]) -> String {
    let mut text = String::new();
    for package in packages.iter().filter(|package| !package.rooms.is_empty()) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| floor | room of `{}` | modules | purpose | must not know |",
            package.name
        );
        text.push_str("|--:|---|---|---|---|\n");
        for room in package.rooms {
            let modules: Vec<String> =
                room.modules.iter().map(|module| format!("`{module}`")).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                room.floor,
                room.name,
                modules.join(", "),
                room.purpose,
                room.barred
            );
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}
