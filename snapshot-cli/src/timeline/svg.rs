//! Writes SVG.

use std::fmt::Write;

use crate::escape::line;

/// A picture to which elements are added.
#[derive(Debug, Default)]
pub(super) struct Picture {
    body: String,
}

impl Picture {
    /// A box with a tooltip.
    pub(super) fn area(&mut self, [x, y, width, height]: [f64; 4], class: &str, title: &str) {
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" \
             height=\"{height:.2}\">"
        ));
        if !title.is_empty() {
            let title = escaped(title);
            self.put(format_args!("<title>{title}</title>"));
        }
        self.put(format_args!("</rect>\n"));
    }

    /// A straight line.
    pub(super) fn stroke(&mut self, [x1, y1, x2, y2]: [f64; 4], class: &str) {
        self.put(format_args!(
            "<line class=\"{class}\" x1=\"{x1:.2}\" y1=\"{y1:.2}\" x2=\"{x2:.2}\" y2=\"{y2:.2}\"/>\n"
        ));
    }

    /// One line of text.
    pub(super) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let text = escaped(text);
        self.put(format_args!("<text class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\">{text}</text>\n"));
    }

    /// The whole picture.
    pub(super) fn finish(self, width: f64, height: f64, style: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<style>{style}</style>\n\
             <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
            self.body
        )
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = self.body.write_fmt(text);
    }
}

/// Escapes a text for XML, on one line.
fn escaped(text: &str) -> String {
    let text = line(text);
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            _ => xml.push(character),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escaped("<a b=\"c\">&\u{1b}"), "&lt;a b=&quot;c&quot;&gt;&amp;\\u{1b}");
        assert_eq!(escaped("a\nb\u{202e}\u{ffff}"), "a\\nb\\u{202e}\\u{ffff}");
    }
}
