//! Small crates that break one rule each.

use std::path::Path;

use super::exceptions::{self, Exception};
use super::rooms::{Package, Room};
use super::{architecture, check_names, check_packages, names};

const fn room(floor: u8, name: &'static str, modules: &'static [&'static str]) -> Room {
    Room { floor, name, modules, purpose: "purpose", barred: "barred" }
}

const ROOMS: &[Room] = &[
    room(1, "error", &["error"]),
    room(2, "codec", &["codec"]),
    room(3, "tree", &["tree"]),
    room(3, "testing", &["testing"]),
];

const HOUSE: &[Package] = &[Package { name: "the-house", roots: &["src/lib.rs"], rooms: ROOMS }];
const OPEN: &[Package] = &[Package { name: "the-house", roots: &["src/lib.rs"], rooms: &[] }];

const LIB: (&str, &str) =
    ("src/lib.rs", "pub mod codec; mod error; mod testing; mod tree; pub use codec::Writer;");

/// The violations in a crate that consists of these files.
fn violations(packages: &[Package], files: &[(&str, &str)], allowed: &str) -> Vec<String> {
    let exceptions: Vec<Exception> = exceptions::parse(allowed).unwrap();
    let read = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        Ok(file.map(|(_, text)| (*text).to_owned()))
    };
    check_packages(packages, &exceptions, &read).unwrap()
}

/// The violations in a house whose rooms have this code.
fn in_house(codec: &str, error: &str, tree: &str, testing: &str) -> Vec<String> {
    let files = [
        LIB,
        ("src/codec.rs", codec),
        ("src/error.rs", error),
        ("src/tree.rs", tree),
        ("src/testing.rs", testing),
    ];
    violations(HOUSE, &files, "")
}

#[test]
fn an_import_from_below_is_allowed() {
    let tree = "use crate::codec::Writer;\nuse crate::error::Error;";
    assert_eq!(in_house("pub struct Writer;", "pub struct Error;", tree, ""), [""; 0]);
}

#[test]
fn an_import_from_above_is_reported_with_file_and_line() {
    let codec = "// A comment.\nuse crate::tree::Node;";
    assert_eq!(
        in_house(codec, "", "pub struct Node;", ""),
        ["src/codec.rs:2: codec (floor 2) uses tree (floor 3): see ARCHITECTURE.md"]
    );
}

#[test]
fn an_import_from_the_same_floor_is_reported() {
    let testing = "use crate::tree::Node;";
    assert_eq!(
        in_house("", "", "pub struct Node;", testing),
        ["src/testing.rs:1: testing (floor 3) uses tree (floor 3): see ARCHITECTURE.md"]
    );
}

#[test]
fn a_re_export_counts_as_the_room_that_defines_the_item() {
    let writer = "pub struct Writer;";
    // The root re-exports `codec::Writer`.
    assert_eq!(
        in_house(writer, "use crate::Writer;", "", ""),
        ["src/error.rs:1: error (floor 1) uses codec (floor 2): see ARCHITECTURE.md"]
    );
    // `codec` re-exports what `error` defines: for `error` that is no import from above.
    let codec = "pub use crate::error::*;\npub struct Writer;";
    let error = "pub struct Error;\nfn f(_: crate::codec::Error) {}";
    assert_eq!(in_house(codec, error, "", ""), [""; 0]);
}

#[test]
fn a_path_in_code_counts_like_an_import() {
    let node = "pub struct Node;\nimpl Node { pub fn new() -> Self { Self } }";
    for codec in [
        "fn f() { crate::tree::Node::new(); }",
        "fn f(_: &super::tree::Node) {}",
        "fn f() { assert!(matches!(g(), crate::tree::Node)); }",
        "macro_rules! make { () => { $crate::tree::Node }; }",
        "mod inner { fn f(_: super::super::tree::Node) {} }",
        "fn f() { use super::tree; tree::Node::new(); }",
        "impl From<()> for the_house::tree::Node { fn from(_: ()) -> Self { Self } }",
    ] {
        assert_eq!(
            in_house(codec, "", node, ""),
            ["src/codec.rs:1: codec (floor 2) uses tree (floor 3): see ARCHITECTURE.md"],
            "{codec}"
        );
    }
}

#[test]
fn comments_strings_visibilities_and_tests_do_not_count() {
    let codec = r#"
        //! See [`crate::tree::Node`].
        /// Used by [`crate::tree`].
        #[doc = "crate::tree"]
        pub(in crate::tree) const TEXT: &str = "crate::tree::Node";
        // use crate::tree::Node;
        #[cfg(test)]
        use crate::tree::Node;
        #[cfg(all(test, unix))]
        mod checks { use crate::tree::Node; }
        #[cfg(test)]
        mod tests;
        struct State { #[cfg(test)] node: crate::tree::Node }
        impl State { #[cfg(test)] fn node(&self) -> crate::tree::Node { loop {} } }
        #[test]
        fn test() { crate::tree::Node; }
    "#;
    assert_eq!(in_house(codec, "", "pub struct Node;", ""), [""; 0]);
    // Compiled without `test` too.
    let codec = "#[cfg(any(test, feature = \"kit\"))] use crate::tree::Node;";
    assert_eq!(in_house(codec, "", "pub struct Node;", "").len(), 1);
}

#[test]
fn the_files_of_included_and_nested_modules_are_checked() {
    let files = [
        ("src/lib.rs", "mod codec; mod error; mod testing; mod tree;"),
        ("src/codec/mod.rs", "mod deep; mod v1 { include!(\"../generated/v1.rs\"); }"),
        ("src/codec/deep.rs", "mod deeper;"),
        ("src/codec/deep/deeper.rs", "use crate::tree::Node;"),
        ("src/generated/v1.rs", "type Node = crate::tree::Node;"),
        ("src/error.rs", ""),
        ("src/testing.rs", ""),
        ("src/tree.rs", "pub struct Node;"),
    ];
    assert_eq!(
        violations(HOUSE, &files, ""),
        [
            "src/codec/deep/deeper.rs:1: codec (floor 2) uses tree (floor 3): see ARCHITECTURE.md",
            "src/generated/v1.rs:1: codec (floor 2) uses tree (floor 3): see ARCHITECTURE.md",
        ]
    );
}

#[test]
fn inner_modules_can_belong_to_another_room_than_their_parent() {
    const FACE: &[Room] = &[room(1, "inside", &["face::*"]), room(2, "face", &["face"])];
    const PACKAGES: &[Package] = &[Package { name: "x", roots: &["src/lib.rs"], rooms: FACE }];
    let files = [
        ("src/lib.rs", "mod face;"),
        ("src/face/mod.rs", "mod inner; pub use inner::Inner; pub struct Outer;"),
        ("src/face/inner.rs", "pub struct Inner(super::Inner, super::Outer);"),
    ];
    assert_eq!(
        violations(PACKAGES, &files, ""),
        ["src/face/inner.rs:1: inside (floor 1) uses face (floor 2): see ARCHITECTURE.md"]
    );
}

#[test]
fn a_module_without_a_room_and_a_room_without_a_module_are_reported() {
    let files = [("src/lib.rs", "mod codec; mod error; mod attic;"), ("src/attic.rs", "")];
    let files = [files[0], files[1], ("src/codec.rs", ""), ("src/error.rs", "")];
    let found = violations(HOUSE, &files, "");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("src/attic.rs: module `attic` belongs to no room"), "{found:?}");
    assert!(found[1].starts_with("src/lib.rs: there is no module `tree`"), "{found:?}");
}

/// A crate whose files `a`, `b` and `c` are siblings.
fn siblings<'t>(a: &'t str, b: &'t str, c: &'t str) -> [(&'t str, &'t str); 4] {
    let lib = "mod a; mod b; mod c; pub struct Root; fn f() { a::A; b::B; }";
    [("src/lib.rs", lib), ("src/a.rs", a), ("src/b.rs", b), ("src/c.rs", c)]
}

#[test]
fn a_circle_of_siblings_is_reported_with_each_import() {
    let files = siblings(
        "use crate::b::B;\npub struct A;",
        "\nuse super::c::C;\npub struct B;",
        "\n\nfn f() { crate::a::A; }\npub struct C;",
    );
    assert_eq!(
        violations(OPEN, &files, ""),
        ["files import in a circle: see ARCHITECTURE.md\
            \n    src/a.rs:1: uses src/b.rs\
            \n    src/b.rs:2: uses src/c.rs\
            \n    src/c.rs:3: uses src/a.rs"]
    );
}

#[test]
fn a_parent_and_its_children_can_import_from_each_other() {
    let files = siblings(
        "use super::Root; use crate::b::B; pub struct A;",
        "use super::Root; pub struct B;",
        "",
    );
    assert_eq!(violations(OPEN, &files, ""), [""; 0]);
}

#[test]
fn a_circle_through_the_child_of_a_sibling_is_reported() {
    let files = [
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::b::B;"),
        ("src/b.rs", "mod inner; pub struct B; fn f() { inner::g(); }"),
        ("src/b/inner.rs", "use crate::a; pub fn g() {}"),
    ];
    assert_eq!(violations(OPEN, &files, "").len(), 1);
}

#[test]
fn an_exception_allows_what_it_names() {
    let files = [
        LIB,
        ("src/codec.rs", "use crate::tree::Node; pub struct Writer;"),
        ("src/error.rs", ""),
        ("src/tree.rs", "pub struct Node;"),
        ("src/testing.rs", ""),
    ];
    assert_eq!(violations(HOUSE, &files, "src/codec.rs -> tree"), [""; 0]);
    let files = siblings("use crate::b::B; pub struct A;", "use crate::a::A; pub struct B;", "");
    assert_eq!(violations(OPEN, &files, "src/a.rs -> src/b.rs # later"), [""; 0]);
}

#[test]
fn an_exception_that_is_no_longer_needed_is_reported() {
    let files = siblings("use crate::b::B; pub struct A;", "pub struct B;", "");
    let list = "# Allowed.\n\nsrc/a.rs -> src/b.rs\nsrc/c.rs -> codec";
    assert_eq!(
        violations(OPEN, &files, list),
        [
            "xtask/layers/exceptions.txt:3: the exception `src/a.rs -> src/b.rs` is no longer \
             needed: remove the line",
            "xtask/layers/exceptions.txt:4: the exception `src/c.rs -> codec` is no longer needed: \
             remove the line",
        ]
    );
}

#[test]
fn a_malformed_or_repeated_exception_is_refused() {
    let error = exceptions::parse("src/a.rs codec").unwrap_err();
    assert!(error.to_string().contains("exceptions.txt:1: expected"), "{error}");
    let error = exceptions::parse("a.rs -> codec\na.rs -> codec").unwrap_err();
    assert!(error.to_string().contains("exceptions.txt:2: this exception"), "{error}");
}

#[test]
fn the_table_is_written_between_the_markers_and_nowhere_else() {
    let page = "before\n<!-- layers -->\nold\n<!-- /layers -->\nafter\n";
    let page = architecture::with_table(page, HOUSE).unwrap();
    assert!(page.starts_with("before\n<!-- layers -->\n| floor |"), "{page}");
    assert!(page.contains("\n| 2 | codec | `codec` | purpose | barred |\n"), "{page}");
    assert!(page.ends_with("\n<!-- /layers -->\nafter\n"), "{page}");
    assert_eq!(architecture::with_table(&page, HOUSE).unwrap(), page);
    assert!(architecture::with_table("no markers", HOUSE).is_err());
}

/// The problems with the names in a crate of two files, of which `list` allows some.
fn names_in(codec: &str, tree: &str, list: &str) -> Vec<String> {
    let files = [LIB, ("src/codec.rs", codec), ("src/tree.rs", tree)];
    let read = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        Ok(Some(file.map_or_else(String::new, |(_, text)| (*text).to_owned())))
    };
    check_names(HOUSE, &names::parse(list).unwrap(), &read).unwrap()
}

#[test]
fn a_type_name_that_stands_for_two_things_is_reported_with_both_places() {
    assert_eq!(
        names_in("pub struct Node;", "// A comment.\nenum Node {}\ntrait Walk {}", ""),
        [
            "src/codec.rs:1: `Node` is also a type in src/tree.rs:2: rename one, or give the reason in \
          xtask/layers/names.txt"
        ]
    );
}

#[test]
fn a_type_name_may_stand_for_two_things_with_a_reason() {
    let list = "# Names.\nthe-house Node: two trees\n";
    assert_eq!(names_in("pub struct Node;", "struct Node;", list), [""; 0]);
    assert_eq!(
        names_in("pub struct Node;", "", list),
        ["xtask/layers/names.txt:2: `Node` stands for one type: remove the line"]
    );
    assert!(names::parse("the-house Node").is_err());
}

#[test]
fn a_type_name_in_a_test_is_not_counted() {
    let tree = "#[cfg(test)]\nmod tests { struct Writer; }";
    assert_eq!(names_in("pub struct Writer;", tree, ""), [""; 0]);
}
