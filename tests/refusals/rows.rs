//! The rows of the list, each at the top level, in a message, a list, a map and a oneof, and in nested
//! combinations of these.

use super::states::{Node, nodes, refusal};

/// One test per row: the bytes of a node, then the path, the reason and the byte in the node.
macro_rules! rows {
    ($($name:ident {
        $($(#[$meta:meta])* $bytes:expr => $path:literal, $reason:literal, $byte:literal;)*
    })*) => {$(
        #[test]
        fn $name() {
            $(for inside in nodes($bytes) {
                let expected = inside.error($path, $reason, $byte);
                assert_eq!(refusal::<Node>(&inside.bytes), expected, "{:02x?}", inside.bytes);
            })*
        }
    )*};
}

rows! {
    an_unknown_field_is_refused {
        b"\x48\x01" => "", "unknown field 9 (varint) in fixture.v1.Recursive.Node", 0;
        b"\x4a\x02xx" => "", "unknown field 9 (length-delimited) in fixture.v1.Recursive.Node", 0;
        b"\x0a\x01a\x4d\0\0\0\0" => "", "unknown field 9 (32-bit) in fixture.v1.Recursive.Node", 3;
        b"\x49\0\0\0\0\0\0\0\0" => "", "unknown field 9 (64-bit) in fixture.v1.Recursive.Node", 0;
        // The maximum number.
        b"\xf8\xff\xff\xff\x0f\x01" =>
            "", "unknown field 536870911 (varint) in fixture.v1.Recursive.Node", 0;
        // In a message of another type, in the oneof.
        b"\x3a\x06\x0a\0\x10\x01\x18\x01" =>
            "detour", "unknown field 3 (varint) in fixture.v1.Recursive.Detour", 6;
    }

    a_wrong_wire_type_is_refused {
        b"\x08\x01" => "name", "has wire type varint, expected length-delimited", 0;
        b"\x15\0\0\0\0" => "next", "has wire type 32-bit, expected length-delimited", 0;
        b"\x18\x01" => "children", "has wire type varint, expected length-delimited", 0;
        b"\x21\0\0\0\0\0\0\0\0" => "by_name", "has wire type 64-bit, expected length-delimited", 0;
        b"\x28\x01" => "left", "has wire type varint, expected length-delimited", 0;
        b"\x3a\x06\x0a\0\x12\x02\x01\x02" =>
            "detour.length", "has wire type length-delimited, expected varint", 4;
    }

    a_singular_field_twice_is_refused {
        b"\x0a\x01a\x0a\x01a" => "name", "occurs twice", 3;
        // An explicit default is also a value.
        b"\x0a\0\x0a\0" => "name", "occurs twice", 2;
        b"\x12\0\x0a\x01a\x12\0" => "next", "occurs twice", 5;
        b"\x2a\0\x2a\0" => "left", "occurs twice", 2;
        b"\x2a\0\x32\0" => "right", "cannot be set together with left, which is already set", 2;
        b"\x3a\x06\x0a\0\x10\x01\x10\x01" => "detour.length", "occurs twice", 6;
    }

    a_map_key_twice_is_refused {
        b"\x22\x03\x0a\x01k\x22\x03\x0a\x01k" => r#"by_name["k"]"#, "occurs twice", 5;
        // Once omitted and once explicit.
        b"\x22\0\x0a\x01a\x22\x02\x0a\0" => r#"by_name[""]"#, "occurs twice", 5;
        // A duplicate key or value in one entry.
        b"\x22\x06\x0a\x01k\x0a\x01k" => "by_name.key", "occurs twice", 6;
        b"\x22\x07\x0a\x01k\x12\0\x12\0" => r#"by_name["k"]"#, "occurs twice", 8;
    }

    invalid_utf_8_is_refused {
        b"\x0a\x03a\xffb" => "name", "is not valid UTF-8", 3;
        // Truncated, over-long, a surrogate, above the last code point.
        b"\x0a\x02\xe2\x82" => "name", "is not valid UTF-8", 2;
        b"\x0a\x02\xc0\x80" => "name", "is not valid UTF-8", 2;
        b"\x0a\x03\xed\xa0\x80" => "name", "is not valid UTF-8", 2;
        b"\x0a\x04\xf4\x90\x80\x80" => "name", "is not valid UTF-8", 2;
        b"\x22\x03\x0a\x01\xff" => "by_name.key", "is not valid UTF-8", 4;
    }

    a_number_out_of_range_is_refused {
        b"\x3a\x05\x0a\0\x10\x80\x02" =>
            "detour.length", "256 does not fit in u8, which holds 0 to 255", 4;
        b"\x3a\x0a\x0a\0\x10\xff\xff\xff\xff\xff\xff\x01" =>
            "detour.length", "8796093022207 does not fit in uint32, which holds 0 to 4294967295", 4;
    }

    an_over_long_varint_is_refused {
        // As a value: neither its end nor its number is known.
        b"\x3a\x06\x0a\0\x10\x85\x80\x00" =>
            "detour.length", "varint is longer than it needs to be", 5;
        b"\x3a\x0d\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x0a\0" =>
            "detour.length", "varint does not fit 64 bits", 3;
        // As a tag.
        b"\x0a\x01a\x92\x00\x00" => "", "varint is longer than it needs to be", 3;
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" => "", "varint does not fit 64 bits", 0;
        // As a length.
        b"\x0a\x81\x00a" => "name", "varint is longer than it needs to be", 1;
        b"\x12\x80\x00" => "next", "varint is longer than it needs to be", 1;
        b"\x22\x82\x80\x00\x0a\0" => "by_name", "varint is longer than it needs to be", 1;
    }

    a_group_is_refused {
        b"\x4b\x4c" => "", "groups are not supported", 0;
        b"\x0a\x01a\x13\x14" => "", "groups are not supported", 3;
        b"\x0c" => "", "groups are not supported", 0;
        b"\x22\x02\x0b\x0c" => "by_name", "groups are not supported", 2;
        b"\x22\x05\x0a\x01k\x13\x14" => r#"by_name["k"]"#, "groups are not supported", 5;
    }

    an_unknown_wire_type_is_refused {
        b"\x0e" => "", "unknown wire type", 0;
        b"\x0a\x01a\x17" => "", "unknown wire type", 3;
    }

    a_field_number_out_of_range_is_refused {
        b"\x00\x00" => "", "field number is not in 1 to 536870911", 0;
        b"\x02\x00" => "", "field number is not in 1 to 536870911", 0;
        b"\x80\x80\x80\x80\x10\x00" => "", "field number is not in 1 to 536870911", 0;
        b"\xf8\xff\xff\xff\xff\xff\xff\xff\x7f\x00" =>
            "", "field number is not in 1 to 536870911", 0;
    }

    a_length_past_the_end_is_refused {
        b"\x0a\x05abc" => "name", "needs 5 bytes, but has 3 left", 2;
        b"\x12\x01" => "next", "needs 1 byte, but has 0 left", 2;
        b"\x1a\x80\x80\x80\x80\x08" => "children[0]", "needs 2147483648 bytes, but has 0 left", 6;
        b"\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01xx" =>
            "by_name", "needs 18446744073709551615 bytes, but has 2 left", 11;
        // Past the end of the message around it, but not of the whole.
        b"\x12\x02\x0a\x01\x0a\x01a" => "next.name", "needs 1 byte, but has 0 left", 4;
        b"\x2a\x03\x1a\x05\x0a\x0a\x03abc" => "left.children[0]", "needs 5 bytes, but has 1 left", 4;
    }

    a_missing_required_message_is_refused {
        b"\x3a\x02\x10\x05" => "detour.node", "is missing", 0;
        b"\x0a\x01a\x3a\0" => "detour.node", "is missing", 3;
    }
}

#[test]
fn all_bytes_after_the_end_are_refused() {
    let node = Node { name: "a".into(), ..Node::default() };
    let bytes = snapshot_core::codec::to_bytes(&node).unwrap();
    for byte in 0..=255 {
        for inside in nodes(&[bytes.as_slice(), &[byte]].concat()) {
            let error = refusal::<Node>(&inside.bytes);
            let (at, total) = (inside.at + bytes.len(), inside.bytes.len());
            // The byte itself or, if it is a tag, the end after it.
            let here = format!("(byte {at} of {total})");
            let end = format!("(byte {} of {total})", at + 1);
            assert!(error.ends_with(&here) || error.ends_with(&end), "{byte:#x}: {error}");
            assert!(!error.contains('\n'), "{byte:#x}: {error}");
        }
    }
}
