//! Paths of fields inside a payload.

use std::borrow::Cow;
use std::fmt;

use super::escape::Escaped;

/// One step of a [`FieldPath`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Segment {
    /// The full name of the payload's root message, `lcow.v1.VmSnapshot`.
    Message(Cow<'static, str>),
    /// A field by its proto name.
    Field(&'static str),
    /// An element of a repeated field, from 0.
    Index(usize),
    /// An entry of a map, by its key as text.
    Key(String),
}

/// The path of a field in a payload, such as `lcow.v1.ContainerSnapshot.layers.ro_layers[2]`.
///
/// A map key is displayed as a Rust string literal, so that a path can be written to a log or a terminal
/// without further escapes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldPath {
    /// Innermost step first: a path grows outwards while an error is passed up through the decoder.
    reversed: Vec<Segment>,
}

impl FieldPath {
    /// The steps, outermost first.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.reversed.iter().rev()
    }

    /// Whether the path is empty, because the failure is not about a field.
    pub fn is_empty(&self) -> bool {
        self.reversed.is_empty()
    }

    /// Adds a step at the outer end.
    pub(crate) fn push_outwards(&mut self, segment: Segment) {
        self.reversed.push(segment);
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments().enumerate() {
            match segment {
                Segment::Message(name) => write!(f, "{}", Escaped(name))?,
                Segment::Field(name) if position == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                // `Debug` does not escape some invisible characters, such as variation selectors.
                Segment::Key(key) => write!(f, "[{}]", Escaped(&format!("{key:?}")))?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldPath({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::super::escape::changes_the_display;
    use super::*;

    #[test]
    fn a_key_cannot_change_how_the_path_is_displayed() {
        for character in ('\0'..=char::MAX).filter(|&c| changes_the_display(c)) {
            let mut path = FieldPath::default();
            path.push_outwards(Segment::Key(format!("a{character}b")));
            assert!(!path.to_string().contains(character), "{}", character.escape_unicode());
        }
        let mut path = FieldPath::default();
        path.push_outwards(Segment::Key("a \"b\"\n\u{fe0f}é".to_owned()));
        assert_eq!(path.to_string(), r#"["a \"b\"\n\u{fe0f}é"]"#);
    }
}
