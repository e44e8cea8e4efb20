//! Where a controller is in its parent's state.

use super::escape;

/// Where a child is in its parent's state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spot {
    /// In a field.
    Field(&'static str),
    /// An element of a field.
    Element(&'static str, u32),
    /// At a path that is written elsewhere.
    Text {
        /// Where the path begins there.
        from: u32,
        /// Where it ends.
        to: u32,
        /// Where its last step begins, if the name that a child gives itself takes its place.
        name_at: Option<u32>,
    },
}

impl Spot {
    /// A part of the paths of a tree. Of one with more than 4 GiB of them it is another part, and no
    /// plan is made.
    pub(crate) fn text(from: usize, to: usize, name_at: Option<usize>) -> Self {
        let name_at = name_at.map(|at| at as u32);
        Spot::Text { from: from as u32, to: to as u32, name_at }
    }

    /// Adds the path to `text`; `texts` is where [`Spot::Text`] is written.
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

    /// The path of a [`Spot::Text`], of these texts.
    pub(crate) fn written(self, texts: &str) -> Option<&str> {
        match self {
            Spot::Text { from, to, .. } => texts.get(from as usize..to as usize),
            Spot::Field(_) | Spot::Element(..) => None,
        }
    }

    /// The same spot with the name that a child gives itself in place of its index or key, and with
    /// its text in `text` instead of `texts`.
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

/// Writes a number without the detours of `write!`: every element of every list comes here.
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
