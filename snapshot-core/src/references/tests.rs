use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::codec::{Reader, Reference, ReferenceValues};
use crate::error::Code;
use crate::visit::Role;

fn refers<T: Reference>(
    visit: &mut Visit<'_>,
    field: &'static str,
    namespace: &'static str,
    value: &T,
) -> Result<(), Error> {
    visit.names(field, Role::Refers, namespace, |names| value.add_names(names));
    Ok(())
}

fn defines<T: Reference>(
    visit: &mut Visit<'_>,
    field: &'static str,
    namespace: &'static str,
    value: &T,
) -> Result<(), Error> {
    visit.names(field, Role::Defines, namespace, |names| value.add_names(names));
    Ok(())
}

/// Returns the errors. Asserts that the pass without paths agrees with the one with paths.
fn errors(refer: impl Fn(&mut Visit<'_>) -> Result<(), Error>) -> Vec<Error> {
    let mut names = References::names_alone("test.v1.Root".into());
    names.collect(&refer);
    let mut references = References::with_paths("test.v1.Root".into());
    references.collect(&refer);
    let errors = references.check(TwinNames::Reported);
    assert_eq!(names.resolves(), errors.is_empty());
    let reported = wrong("test.v1.Root", TwinNames::Reported, u64::MAX, refer);
    assert_eq!(format!("{reported:?}"), format!("{errors:?}"));
    errors
}

/// Returns the text of each error.
fn texts(refer: impl Fn(&mut Visit<'_>) -> Result<(), Error>) -> Vec<String> {
    errors(refer).iter().map(ToString::to_string).collect()
}

/// Returns the places and names to which a value refers.
fn named<T: Reference>(value: &T) -> Vec<String> {
    shortened(|visit| refers(visit, "f", "n", value))
}

fn named_by_values<T: ReferenceValues>(value: &T) -> Vec<String> {
    shortened(|visit| {
        visit.names("f", Role::Refers, "n", |names| value.add_value_names(names));
        Ok(())
    })
}

fn shortened(refer: impl Fn(&mut Visit<'_>) -> Result<(), Error>) -> Vec<String> {
    let rest = ", but no controller of this snapshot defines any n";
    let short = |text: String| {
        let text = text.strip_prefix(".: test.v1.Root.").unwrap().strip_suffix(rest).unwrap();
        text.replace("refers to n ", "")
    };
    texts(refer).into_iter().map(short).collect()
}

#[test]
fn a_value_is_named_by_its_text_on_the_wire() {
    assert_eq!(named(&"a b".to_owned()), [r#"f: "a b""#]);
    assert_eq!(named(&Box::<str>::from("b")), [r#"f: "b""#]);
    assert_eq!(named(&7_u8), [r#"f: "7""#]);
    assert_eq!(named(&i64::MIN), [r#"f: "-9223372036854775808""#]);
    assert_eq!(named(&NonZero::<u32>::MAX), [r#"f: "4294967295""#]);
    assert_eq!(named(&true), [r#"f: "true""#]);
    assert_eq!(named(&PathBuf::from("/a/b")), [r#"f: "/a/b""#]);
    assert_eq!(named(&std::net::Ipv6Addr::LOCALHOST), [r#"f: "::1""#]);
    #[cfg(feature = "uuid")]
    assert_eq!(
        named(&uuid::Uuid::from_u128(0xA)),
        [r#"f: "00000000-0000-0000-0000-00000000000a""#]
    );
}

#[test]
fn a_collection_has_the_names_that_are_in_it() {
    assert_eq!(named(&None::<u8>), [""; 0]);
    assert_eq!(named(&Some(7)), [r#"f: "7""#]);
    assert_eq!(named(&vec!["a".to_owned(), "b".to_owned()]), [r#"f[0]: "a""#, r#"f[1]: "b""#]);
    assert_eq!(named(&[1_u8, 2]), [r#"f[0]: "1""#, r#"f[1]: "2""#]);
    assert_eq!(named(&Arc::<[u8]>::from([3])), [r#"f[0]: "3""#]);
    assert_eq!(named(&std::collections::VecDeque::from([4])), [r#"f[0]: "4""#]);
    assert_eq!(named(&vec![None, Some(5)]), [r#"f[1]: "5""#]);
    assert_eq!(named(&BTreeSet::from([9, 10])), [r#"f["9"]: "9""#, r#"f["10"]: "10""#]);
    assert_eq!(named(&BTreeMap::from([(9, ()), (10, ())])), [r#"f["9"]: "9""#, r#"f["10"]: "10""#]);
}

#[test]
fn the_values_of_a_map_are_located_by_their_keys() {
    let map = BTreeMap::from([(1, "b".to_owned()), (2, "a".to_owned())]);
    let expected = [r#"f["1"]: "b""#, r#"f["2"]: "a""#];
    assert_eq!(named_by_values(&map), expected);
    assert_eq!(named_by_values(&Box::new(map.clone())), expected);
    assert_eq!(named_by_values(&map.into_iter().collect::<HashMap<_, _>>()), expected);
    let lists = BTreeMap::from([("k".to_owned(), vec![7, 8])]);
    assert_eq!(named_by_values(&lists), [r#"f["k"][0]: "7""#, r#"f["k"][1]: "8""#]);
}

#[test]
fn the_names_of_a_hashed_collection_are_reported_in_a_stable_order() {
    let names: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
    let expected: Vec<_> = names.iter().map(|name| format!("f[{name:?}]: {name:?}")).collect();
    assert_eq!(named(&names.iter().cloned().collect::<HashSet<_>>()), expected);
    let map: HashMap<_, _> = names.iter().map(|name| (name.clone(), name.clone())).collect();
    assert_eq!(named(&map), expected);
    assert_eq!(named_by_values(&map), expected);
}

#[test]
fn a_reference_may_come_before_its_definition() {
    let refer = |visit: &mut Visit<'_>| {
        refers(visit, "a", "n", &1_u8)?;
        defines(visit, "b", "n", &1_u64)
    };
    assert_eq!(texts(refer), [""; 0]);
}

#[test]
fn namespaces_do_not_see_each_other() {
    let refer = |visit: &mut Visit<'_>| {
        defines(visit, "a", "one", &1_u8)?;
        defines(visit, "b", "two", &1_u8)?;
        refers(visit, "c", "three", &1_u8)
    };
    assert_eq!(
        texts(refer),
        [
            ".: test.v1.Root.c: refers to three \"1\", but no controller of this snapshot defines any \
          three"
        ]
    );
}

#[test]
fn errors_are_in_the_order_of_the_tree_and_name_both_ends() {
    let refer = |visit: &mut Visit<'_>| {
        refers(visit, "a", "n", &3_u8)?;
        defines(visit, "b", "n", &[1_u8, 2, 1])?;
        refers(visit, "c", "n", &[2_u8, 4])?;
        visit.field("child", |visit| {
            let child = |visit: &mut Visit<'_>| {
                defines(visit, "d", "n", &vec![2_u8])?;
                refers(visit, "e", "n", &5_u8)
            };
            visit.payload(|| None, "test.v1.Child", child)
        })
    };
    let errors = errors(refer);
    assert!(errors.iter().all(|error| error.code() == Code::InvalidArgument));
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            ".: test.v1.Root.a: refers to n \"3\", which is neither in test.v1.Root.b nor in child: \
             test.v1.Child.d",
            ".: test.v1.Root.b[2]: defines n \"1\", which test.v1.Root.b[0] already defines",
            ".: test.v1.Root.c[1]: refers to n \"4\", which is neither in test.v1.Root.b nor in \
             child: test.v1.Child.d",
            "child: test.v1.Child.d[0]: defines n \"2\", which .: test.v1.Root.b[1] already \
             defines",
            "child: test.v1.Child.e: refers to n \"5\", which is neither in .: test.v1.Root.b nor in \
             test.v1.Child.d",
        ]
    );
}

#[test]
fn an_error_lists_only_a_few_of_many_defining_fields() {
    let refer = |visit: &mut Visit<'_>| {
        for (field, value) in [("a", 1_u8), ("b", 2), ("c", 3), ("d", 4), ("e", 5)] {
            defines(visit, field, "n", &value)?;
        }
        refers(visit, "f", "n", &6_u8)
    };
    assert_eq!(
        texts(refer),
        [".: test.v1.Root.f: refers to n \"6\", which is neither in test.v1.Root.a nor in \
          test.v1.Root.b nor in test.v1.Root.c nor in 2 more"]
    );
}

#[test]
fn a_payload_has_the_same_id_as_in_a_walk() {
    fn leaf(visit: &mut Visit<'_>, name: Option<&str>) -> Result<(), Error> {
        visit.payload(|| name.map(str::to_owned), "L", |visit| refers(visit, "x", "n", &0_u8))
    }
    let refer = |visit: &mut Visit<'_>| {
        visit.field("one", |visit| leaf(visit, Some("alone")))?;
        visit.field("list", |visit| {
            visit.index(3, |visit| leaf(visit, None))?;
            visit.index(4, |visit| leaf(visit, Some("a/b")))
        })?;
        visit.field("map", |visit| {
            visit.key(String::new, |visit| leaf(visit, None))?;
            visit.key(|| "k".to_owned(), |visit| leaf(visit, Some("")))
        })?;
        visit.field("nested", |visit| {
            visit.message(|visit| visit.field("deep", |visit| leaf(visit, None)))
        })?;
        visit.field("outer", |visit| {
            let member = |visit: &mut Visit<'_>| {
                visit.member("m%", &BTreeSet::new(), |visit| leaf(visit, Some("own")))
            };
            visit.payload(|| None, "O", |visit| visit.field("entries", member))
        })
    };
    let expected = [
        "one: L.x",
        "list/3: L.x",
        "list/a%2Fb: L.x",
        "map/\"\": L.x",
        "map/\"\": L.x",
        "nested/deep: L.x",
        "outer/m%25: L.x",
    ];
    let texts = texts(refer);
    assert_eq!(texts.len(), expected.len());
    for (text, expected) in texts.iter().zip(expected) {
        assert!(text.starts_with(&format!("{expected}: refers")), "{text}");
    }
}

#[test]
fn a_name_that_two_controllers_of_one_id_define_is_not_reported_after_the_plan_refused_them() {
    let twins = |visit: &mut Visit<'_>| {
        visit.field("list", |visit| {
            (0..2).try_for_each(|index| {
                let own_name = || Some("twin".to_owned());
                let twin = |visit: &mut Visit<'_>| defines(visit, "x", "n", &[7_u8, 7]);
                visit.index(index, |visit| visit.payload(own_name, "T", twin))
            })
        })
    };
    let expected = "list/twin: T.x[1]: defines n \"7\", which T.x[0] already defines";
    assert_eq!(wrong("test.v1.Root", TwinNames::Known, u64::MAX, twins).len(), 1);
    let texts = texts(twins);
    assert_eq!(texts[0], expected);
    assert_eq!(texts.len(), 3);
}

#[test]
fn a_tree_that_is_too_deep_is_an_error_not_a_stack_overflow() {
    fn nest(visit: &mut Visit<'_>, left: u32) -> Result<(), Error> {
        match left {
            0 => Ok(()),
            _ => visit.field("next", |visit| visit.message(|visit| nest(visit, left - 1))),
        }
    }
    assert_eq!(texts(|visit| nest(visit, Reader::DEPTH_LIMIT)), [""; 0]);
    let texts = texts(|visit| nest(visit, 1_000_000));
    let [text] = <[String; 1]>::try_from(texts).unwrap();
    assert!(text.ends_with("next: messages are nested more than 100 deep"), "{text}");
}

#[test]
fn a_path_without_names_leaves_no_steps_behind() {
    let mut references = References::with_paths("test.v1.Root".into());
    references.collect(|visit| {
        visit.field("a", |visit| {
            for index in 0..10 {
                visit.index(index, |_| Ok(()))?;
            }
            visit.index(10, |visit| refers(visit, "b", "n", &1_u8))?;
            visit.key(|| "k".to_owned(), |visit| refers(visit, "b", "n", &None::<u8>))
        })
    });
    // The root, the field, the element, its field.
    assert_eq!(references.steps.len(), 4);
}

#[test]
fn of_many_errors_the_first_are_kept_and_the_others_counted() {
    const COUNT: u32 = 100_000;
    let numbers: Vec<u32> = (0..COUNT).collect();
    let refer = |visit: &mut Visit<'_>| refers(visit, "f", "n", &numbers);
    let mut result = None;
    let taken = allocation_counter::measure(|| {
        result = Some(Error::collect(wrong("test.v1.Root", TwinNames::Known, u64::MAX, refer)));
    });
    let error = result.unwrap().unwrap_err();
    assert!(error.to_string().starts_with(".: test.v1.Root.f[0]: refers to n \"0\", "), "{error}");
    assert_eq!((error.findings().count(), error.dropped()), (256, COUNT as usize - 256));
    // Names and paths of 300 bytes each while their vectors grow, and no error of a kilobyte.
    assert!(taken.bytes_max < 300 * u64::from(COUNT) + (1 << 20), "{} bytes", taken.bytes_max);
}

#[test]
fn names_take_no_more_memory_than_the_limit_of_the_read() {
    const LIMIT: u64 = 8 << 20;
    let numbers: Vec<u32> = (0..1_000_000).collect();
    let refer = |visit: &mut Visit<'_>| defines(visit, "f", "n", &numbers);
    let mut result = None;
    let taken = allocation_counter::measure(|| {
        result = Some(Error::collect(wrong("test.v1.Root", TwinNames::Known, LIMIT, refer)));
    });
    let error = result.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.to_string().contains("`ReadOptions::memory`"), "{error}");
    assert!(taken.bytes_max <= LIMIT, "{} bytes", taken.bytes_max);
    assert!(wrong("test.v1.Root", TwinNames::Known, 1 << 30, refer).is_empty());
}

#[test]
fn many_references_to_a_few_names_fit_into_little_memory() {
    const LIMIT: u64 = 2 << 20;
    let defined: Vec<u32> = (0..1_000).collect();
    let referred: Vec<u32> = (0..200_000).map(|n| n % 1_000).collect();
    // The definitions are found after the references.
    let refer = |visit: &mut Visit<'_>| {
        refers(visit, "f", "n", &referred)?;
        defines(visit, "d", "n", &defined)
    };
    let mut errors = Vec::new();
    let taken = allocation_counter::measure(|| {
        errors = wrong("test.v1.Root", TwinNames::Known, LIMIT, refer);
    });
    assert!(errors.is_empty(), "{errors:?}");
    assert!(taken.bytes_max <= LIMIT, "{} bytes", taken.bytes_max);

    let one_more = |visit: &mut Visit<'_>| {
        refer(visit)?;
        refers(visit, "g", "n", &1_000_u32)
    };
    let error = Error::collect(wrong("test.v1.Root", TwinNames::Known, 1 << 30, one_more));
    let expected = ".: test.v1.Root.g: refers to n \"1000\", which is not in test.v1.Root.d";
    assert_eq!(error.unwrap_err().to_string(), expected);
    // Repeated definitions are not forgotten.
    let twice = |visit: &mut Visit<'_>| {
        refer(visit)?;
        defines(visit, "e", "n", &999_u32)
    };
    let mut names = References::names_alone("test.v1.Root".into()).within_memory(LIMIT);
    names.collect(twice);
    assert!(!names.is_exhausted() && !names.resolves());
}
