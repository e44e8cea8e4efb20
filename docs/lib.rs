//! Parses the pages of `docs/` for their tests: blocks of code, links, headings.
//!
//! A page is Markdown in a plain form: fences of three backticks, and links within one line. The
//! tests in `checks/` check each block:
//!
//! | block | check |
//! |---|---|
//! | `rust`, `proto` | it is an excerpt of a program that the page links to; `// ...` leaves lines out |
//! | `console` | its examples and subcommands exist; in the tutorial and the page about the tool, it is run |
//! | `toml`, `diff`, `text` | none, except in the tutorial, which a test follows step by step |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The path, relative to the folder of the workspace.
    pub path: PathBuf,
    /// The text.
    pub text: String,
}

/// A block of code.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// The line of its first fence, from 1.
    pub line: usize,
    /// The language after the first fence.
    pub language: &'a str,
    /// The lines between the fences.
    pub lines: Vec<&'a str>,
    /// The text between the previous block, or the beginning of the page, and this block.
    pub before: String,
}

impl Page {
    /// Reads the page with this path from the folder of the workspace.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let text = fs::read_to_string(root().join(&path))?;
        Ok(Self { path, text })
    }

    /// The front page of the repository and all pages in `docs/`, sorted.
    ///
    /// # Errors
    ///
    /// If one cannot be read.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut paths = vec![PathBuf::from("README.md")];
        let mut folders = vec![PathBuf::from("docs")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root().join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "md") {
                    paths.push(path);
                }
            }
        }
        paths.sort();
        paths.into_iter().map(Self::read).collect()
    }

    /// The blocks of code, in order.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block<'_>> = None;
        let mut before = String::new();
        for (index, line) in self.text.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (None, None) => {
                    before.push_str(line);
                    before.push('\n');
                }
                (None, Some(language)) => {
                    let before = std::mem::take(&mut before);
                    open = Some(Block { line: index + 1, language, lines: Vec::new(), before });
                }
                (Some(block), None) => block.lines.push(line),
                (Some(_), Some(_)) => blocks.extend(open.take()),
            }
        }
        // A block without an end also counts, so that everything is checked.
        blocks.extend(open);
        blocks
    }

    /// The lines outside of blocks, each with its number, from 1.
    pub fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut is_code = false;
        (1..).zip(self.text.lines()).filter(move |(_, line)| {
            let is_fence = line.starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        })
    }

    /// The links of the page, each with its line, from 1: the text between `](` and `)`.
    pub fn links(&self) -> impl Iterator<Item = (usize, &str)> {
        self.prose().flat_map(|(number, line)| {
            let targets = line.split("](").skip(1);
            targets.filter_map(move |rest| rest.split_once(')').map(|(link, _)| (number, link)))
        })
    }

    /// The anchors of the headings, as GitHub makes them.
    pub fn anchors(&self) -> impl Iterator<Item = String> {
        self.prose().filter_map(|(_, line)| {
            let heading = line.strip_prefix('#')?.trim_start_matches('#').trim();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase())
        })
    }

    /// The target of a relative link, relative to the folder of the workspace, and its anchor. Returns
    /// `None` for an external link.
    pub fn target<'l>(&self, link: &'l str) -> Option<(PathBuf, Option<&'l str>)> {
        if link.contains("://") {
            return None;
        }
        let (path, anchor) = match link.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor)),
            None => (link, None),
        };
        let mut target = self.path.clone();
        if !path.is_empty() {
            target.pop();
            for part in path.split('/') {
                match part {
                    "." | "" => {}
                    ".." => {
                        target.pop();
                    }
                    part => target.push(part),
                }
            }
        }
        Some((target, anchor))
    }
}

/// Whether a text contains the lines of an excerpt in sequence, with any indentation. A line `// ...`
/// matches any number of lines.
pub fn is_excerpt(excerpt: &[&str], text: &str) -> bool {
    let text: Vec<&str> = text.lines().map(str::trim).collect();
    let mut from = 0;
    for part in excerpt.split(|line| line.trim() == "// ...") {
        let part: Vec<&str> = part.iter().map(|line| line.trim()).collect();
        let start = part.iter().position(|line| !line.is_empty()).unwrap_or(part.len());
        let end = part.iter().rposition(|line| !line.is_empty()).map_or(start, |last| last + 1);
        let part = &part[start..end];
        if part.is_empty() {
            continue;
        }
        match text[from..].windows(part.len()).position(|lines| lines == part) {
            Some(at) => from += at + part.len(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn a() {\n    one();\n    two();\n}\n\nfn b() {}\n";

    #[test]
    fn an_excerpt_stands_together_in_its_text() {
        assert!(is_excerpt(&["one();", "two();"], TEXT));
        assert!(is_excerpt(
            &["fn a() {", "    // ...", "    two();", "", "// ...", "fn b() {}"],
            TEXT
        ));
        assert!(!is_excerpt(&["one();", "}"], TEXT));
        assert!(!is_excerpt(&["two();", "// ...", "one();"], TEXT));
        assert!(!is_excerpt(&["fn c() {}"], TEXT));
    }

    #[test]
    fn a_page_is_taken_apart() {
        let text = "# A page: `x`, y\n\n[a](../b.md#c-d)\n```rust\n[no](link)\n```\n".to_owned();
        let page = Page { path: "docs/how-to/a.md".into(), text };
        assert_eq!(page.anchors().collect::<Vec<_>>(), ["a-page-x-y"]);
        assert_eq!(page.links().collect::<Vec<_>>(), [(3, "../b.md#c-d")]);
        assert_eq!(page.target("../b.md#c-d"), Some(("docs/b.md".into(), Some("c-d"))));
        let blocks = page.blocks();
        assert_eq!((blocks[0].line, blocks[0].language), (4, "rust"));
        assert_eq!(blocks[0].lines, ["[no](link)"]);
    }
}
