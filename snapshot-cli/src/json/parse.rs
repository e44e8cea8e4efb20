//! Parses JSON exactly: every member in its order, every number by its digits, each with its place.
//!
//! serde_json keeps only one of two members with the same name, and rounds numbers, so a snapshot must not
//! be built from its result. jiter reads JSON piece by piece.

use std::collections::HashSet;
use std::fmt;

use jiter::{Jiter, JiterError, LinePosition, Peek};
use snapshot_core::Error;

use crate::show;

/// The maximum nesting of JSON.
const DEPTH_LIMIT: u32 = 128;

/// A value, and its offset in the text.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// By its digits.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// The members by their unique names.
    Object(Vec<(String, Node)>),
}

/// The way to a value: `payload.disks["1"].state`.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    before: Option<&'a Way<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Way<'a> {
    /// The way to a member of the outermost object.
    pub(super) fn to(member: &'a str) -> Self {
        Self { before: None, step: Step::Member(member) }
    }

    pub(super) fn member(&'a self, name: &'a str) -> Self {
        Self { before: Some(self), step: Step::Member(name) }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { before: Some(self), step: Step::Index(index) }
    }

    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self { before: Some(self), step: Step::Key(key) }
    }
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            before.fmt(f)?;
        }
        match self.step {
            Step::Member(name) => {
                let dot = if self.before.is_some() { "." } else { "" };
                write!(f, "{dot}{}", show::id(name))
            }
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{}]", show::quoted(key)),
        }
    }
}

/// A problem in JSON, with its place.
#[derive(Debug)]
pub(super) struct Wrong {
    at: usize,
    reason: String,
}

impl Wrong {
    pub(super) fn new(node: &Node, way: &Way<'_>, reason: impl fmt::Display) -> Self {
        Self { at: node.at, reason: format!("{way}: {reason}") }
    }

    /// A problem of the whole text.
    pub(super) fn whole(reason: impl fmt::Display) -> Self {
        Self { at: 0, reason: reason.to_string() }
    }

    /// Returns the error with the place in the text.
    pub(super) fn into_error(self, file: &str, text: &[u8]) -> Error {
        let LinePosition { line, column } = LinePosition::find(text, self.at);
        Error::invalid(format!("{file}: line {line}, column {column}: {}", self.reason))
    }
}

/// Reads a text.
///
/// # Errors
///
/// If the text is not JSON, or if an object has two members with the same name.
pub(super) fn parse(text: &[u8]) -> Result<Node, Wrong> {
    let mut reader = Jiter::new(text);
    let first = reader.peek().map_err(not_json)?;
    let node = value(&mut reader, first, None, DEPTH_LIMIT)?;
    reader.finish().map_err(not_json)?;
    Ok(node)
}

fn not_json(error: JiterError) -> Wrong {
    Wrong { at: error.index, reason: format!("not JSON: {}", error.error_type) }
}

fn value(
    reader: &mut Jiter<'_>,
    peek: Peek,
    way: Option<&Way<'_>>,
    depth: u32,
) -> Result<Node, Wrong> {
    let at = reader.current_index();
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Wrong { at, reason: format!("is nested deeper than {DEPTH_LIMIT}") });
    };
    let found = match peek {
        Peek::Null => reader.known_null().map(|()| Value::Null).map_err(not_json)?,
        Peek::True | Peek::False => Value::Bool(reader.known_bool(peek).map_err(not_json)?),
        Peek::String => Value::Text(reader.known_str().map_err(not_json)?.to_owned()),
        Peek::Array => {
            let mut elements = Vec::new();
            let mut next = reader.known_array().map_err(not_json)?;
            while let Some(peek) = next {
                let step = Step::Index(elements.len());
                let way = Way { before: way, step };
                elements.push(value(reader, peek, Some(&way), depth)?);
                next = reader.array_step().map_err(not_json)?;
            }
            Value::List(elements)
        }
        Peek::Object => {
            let mut members = Vec::new();
            let mut names = HashSet::new();
            let mut next = reader.known_object().map_err(not_json)?.map(str::to_owned);
            while let Some(name) = next {
                let way = Way { before: way, step: Step::Member(&name) };
                let peek = reader.peek().map_err(not_json)?;
                let node = value(reader, peek, Some(&way), depth)?;
                if !names.insert(name.clone()) {
                    return Err(Wrong::new(&node, &way, "occurs twice: remove one of them"));
                }
                members.push((name, node));
                next = reader.next_key().map_err(not_json)?.map(str::to_owned);
            }
            Value::Object(members)
        }
        // Text that begins like no value is refused as a number.
        _ => {
            let digits = reader.known_number_bytes(peek).map_err(not_json)?;
            Value::Number(String::from_utf8_lossy(digits).into_owned())
        }
    };
    Ok(Node { at, value: found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().into_error("a.json", text.as_bytes()).to_string()
    }

    #[test]
    fn a_duplicate_member_is_refused_at_every_level() {
        let told = "a.json: line 2, column 5: a: occurs twice: remove one of them";
        assert_eq!(refused("{\"a\":1,\n\"a\":2}"), told);
        assert!(refused(r#"{"a":[{"b":{"c":1,"c":1}}]}"#).contains("a[0].b.c: occurs twice"));
        // The same name with an escape.
        assert!(refused(r#"{"a":1,"\u0061":2}"#).contains("a: occurs twice"));
    }

    #[test]
    fn text_that_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "-",
            "0x10",
            "NaN",
            "Infinity",
            "-Infinity",
            "nul",
            "1 2",
            "{} {}",
            "\"\\ud800\"",
            "\"a\nb\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0061\"",
            "\"\\x\"",
            "\"",
            "// a\n1",
            "\u{feff}1",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(parse(b"\"\xff\"").is_err());
        assert!(parse("[".repeat(1 << 20).as_bytes()).is_err());
        assert!(parse("{\"a\":".repeat(1 << 20).as_bytes()).is_err());
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in ["0", "-0", "1.0", "1e400", "18446744073709551616", "-1.50E-3"] {
            match parse(text.as_bytes()).unwrap().value {
                Value::Number(digits) => assert_eq!(digits, text),
                other => panic!("{other:?}"),
            }
        }
    }
}
