//! Makes text of a peer safe for terminals and logs.

use snapshot_core::Escaped;

/// Escapes the text for display. Truncates it after `max` characters.
pub(super) fn printable(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => Escaped(text).to_string(),
        Some((end, _)) => format!("{}…", Escaped(&text[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_peer_cannot_forge_a_line_or_move_the_cursor() {
        assert_eq!(printable("a\nb", 9), "a\\nb");
        assert_eq!(printable("\u{1b}[2J", 9), "\\u{1b}[2J");
        assert_eq!(printable("\u{202e}x\u{9b}", 9), "\\u{202e}x\\u{9b}");
        assert_eq!(printable("größer", 9), "größer");
        assert_eq!(printable("abcdef", 3), "abc…");
    }
}
