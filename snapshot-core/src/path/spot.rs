//! The place of a controller in its parent's state.

use super::escape;

/// The place of a child in its parent's state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spot {
    /// In a field.
    Field(&'static str),
    /// An element of a field.
    Element(&'static str, u32),
    /// At a path in a separate text.
    Text {
        /// The offset where the path begins.
        from: u32,
        /// The offset where the path ends.
        to: u32,
        /// The offset of the last step, if the child's own name can replace it.
        name_at: Option<u32>,
    },
}

impl Spot {
    /// Refers to a part of the paths of a tree. In a tree with more than 4 GiB of paths the offsets are
    /// truncated; such a tree gets no plan.
    pub(crate) fn text(from: usize, to: usize, name_at: Option<usize>) -> Self {
        let name_at = name_at.map(|at| at as u32);
        Spot::Text { from: from as u32, to: to as u32, name_at }
    }

    /// Appends the path to `text`; `texts` contains the paths of [`Spot::Text`].
    pub(crate) fn put(self, texts: &str, text: &mut String) {
        match self {
            Spot::Field(name) => text.push_str(name),
            Spot::Element(name, index) => {
                text.push_str(name);
                text.push('/');
                put_number(index as usize, text);
            }
            Spot::Text { .. } => text.push_str(self.written(texts).unwrap_or_default()),
        }
    }

    /// The path of a [`Spot::Text`] in these texts.
    pub(crate) fn written(self, texts: &str) -> Option<&str> {
        match self {
            Spot::Text { from, to, .. } => texts.get(from as usize..to as usize),
            Spot::Field(_) | Spot::Element(..) => None,
        }
    }

    /// Returns the same spot with the child's own name in place of its index or key, and with its text in
    /// `text` instead of `texts`.
    pub(crate) fn named(self, own_name: Option<&str>, texts: &str, text: &mut String) -> Self {
        match (self, own_name) {
            (Spot::Field(_), _) | (Spot::Element(..), None) => return self,
            _ => {}
        }
        let from = text.len();
        let name_at = match self {
            Spot::Text { from: old, name_at, .. } => name_at.map(|at| (at - old) as usize + from),
            Spot::Field(name) | Spot::Element(name, _) => Some(from + name.len() + 1),
        };
        self.put(texts, text);
        if let (Some(at), Some(name)) = (name_at, own_name) {
            text.truncate(at);
            text.push_str(&escape::step(name));
        }
        Spot::text(from, text.len(), None)
    }
}

/// Writes a number faster than `write!`, because it is called for every element of every list.
pub(crate) fn put_number(number: usize, text: &mut String) {
    let mut digits = [0; 20];
    text.push_str(digits_of(number, &mut digits));
}

/// The decimal digits of a number.
pub(crate) fn digits_of(mut number: usize, digits: &mut [u8; 20]) -> &str {
    let mut from = digits.len();
    loop {
        from -= 1;
        digits[from] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    std::str::from_utf8(&digits[from..]).unwrap_or_default()
}
