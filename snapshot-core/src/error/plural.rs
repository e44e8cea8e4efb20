//! The plural of a noun behind a number.

/// Returns the ending of a regular noun behind this number: nothing after 1, otherwise an `s`. The name of
/// the argument is `s`, because the check of `docs/reference/errors.md` reads `byte{s}` as `bytes`.
pub(crate) fn plural(count: impl TryInto<u64>) -> &'static str {
    if count.try_into().is_ok_and(|count| count == 1) { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let text = |count: usize| format!("{count} byte{s}", s = plural(count));
        assert_eq!([0, 1, 2, 21].map(text), ["0 bytes", "1 byte", "2 bytes", "21 bytes"]);
    }
}
