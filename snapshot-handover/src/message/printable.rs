//! Makes text of a peer safe for terminals and logs.

/// Escapes control characters, and the characters that are invisible or change the direction of the
/// text. Truncates the text after `max` characters.
pub(super) fn printable(text: &str, max: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(max));
    for (position, c) in text.chars().enumerate() {
        if position == max {
            safe.push('…');
            break;
        }
        match is_unsafe(c) {
            true => safe.extend(c.escape_unicode()),
            false => safe.push(c),
        }
    }
    safe
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_peer_cannot_forge_a_line_or_move_the_cursor() {
        assert_eq!(printable("a\nb", 9), "a\\u{a}b");
        assert_eq!(printable("\u{1b}[2J", 9), "\\u{1b}[2J");
        assert_eq!(printable("\u{202e}x\u{9b}", 9), "\\u{202e}x\\u{9b}");
        assert_eq!(printable("größer", 9), "größer");
        assert_eq!(printable("abcdef", 3), "abc…");
    }
}
