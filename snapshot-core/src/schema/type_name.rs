//! Names of Rust types without their paths.

/// Removes the paths from a type name: `my_crate::cache::Cache<my_crate::Lru>` becomes `Cache<Lru>`.
pub(crate) fn short_type_name(name: &str) -> String {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let mut short = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let end = match is_path(first) {
            true => rest.find(|c| !is_path(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        short.push_str(token.rsplit("::").next().unwrap_or(token));
        rest = after;
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_type_name_has_no_paths() {
        for (name, short) in [
            ("Scsi", "Scsi"),
            ("a::b::Scsi", "Scsi"),
            ("a::Cache<b::c::Lru, (u8, d::E)>", "Cache<Lru, (u8, E)>"),
            ("&dyn a::Host", "&dyn Host"),
        ] {
            assert_eq!(short_type_name(name), short);
        }
    }
}
