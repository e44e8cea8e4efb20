//! Schema versions: those that a payload can be read and saved in, and the conversions between them.

mod downgrade;
mod upgrade;

pub use self::downgrade::{Older, downgraded, put_older, to_bytes_as};
pub use self::upgrade::{Upgraded, check_upgraded, read_upgraded, upgrade, upgraded};
use crate::codec::{Reader, Tag};
use crate::error::{Code, Error};
use crate::payload::{OlderVersion, Payload};
use crate::schema::kind::WireType;

/// Returns the versions that a build saves, ascending; the current one is last.
pub(crate) fn saved_versions(
    older: &'static [OlderVersion],
    current: u32,
) -> impl DoubleEndedIterator<Item = u32> {
    let older = older.iter().filter(|older| older.saves).map(|older| older.version);
    older.chain([current])
}

/// Fails if this build cannot save `P` in this version.
pub(crate) fn check_saves<P: Payload>(version: u32) -> Result<(), Error> {
    let saves: Vec<u32> = saved_versions(P::OLDER, P::VERSION).collect();
    if saves.contains(&version) {
        return Ok(());
    }
    let reason = format!("cannot be saved as version {version}: this build saves {}", list(&saves));
    Err(Error::new(Code::Unimplemented, reason).in_payload(P::MESSAGE_NAME).at_root())
}

/// Lists versions in words: `version 2`, `versions 1 and 2`, `versions 1 to 3`,
/// `versions 1, 3 and 4`.
fn list(versions: &[u32]) -> String {
    match versions {
        [only] => format!("version {only}"),
        [first, .., last] if *last as usize - *first as usize + 1 == versions.len() => {
            let joint = if versions.len() == 2 { "and" } else { "to" };
            format!("versions {first} {joint} {last}")
        }
        [before @ .., last] => {
            let before: Vec<String> = before.iter().map(u32::to_string).collect();
            format!("versions {} and {last}", before.join(", "))
        }
        [] => "no version".to_owned(),
    }
}

/// Looks ahead for the version of a payload before its fields are read, and returns the version to
/// read it in. An unknown version is thus reported as such, not as errors in its fields. Damage
/// before the version is left to the strict reading, which reports it.
pub fn check_version<P: Payload>(r: &mut Reader<'_>) -> Result<u32, Error> {
    // In canonical encoding the version comes first if its field has the lowest number.
    if r.begins_with(P::VERSION_FIELD, P::VERSION.into()) {
        r.set_version(P::VERSION);
        return Ok(P::VERSION);
    }
    look_for_version::<P>(r)
}

/// Searches the whole payload for the version.
fn look_for_version<P: Payload>(r: &mut Reader<'_>) -> Result<u32, Error> {
    let (found, offset) = match find(r, P::VERSION_FIELD) {
        FoundVersion::Version(version, offset) => (version, offset),
        FoundVersion::Nothing => (0, r.offset()),
        FoundVersion::Damage => {
            r.set_version(P::VERSION);
            return Ok(P::VERSION);
        }
    };
    let accepted = found == u64::from(P::VERSION)
        || P::OLDER.iter().any(|older| u64::from(older.version) == found);
    if !accepted {
        return Err(r.locate(foreign_version::<P>(found), offset));
    }
    // It equals an accepted version, which has 32 bits.
    let version = found as u32;
    r.set_version(version);
    Ok(version)
}

/// The result of the search for a version.
enum FoundVersion {
    /// The version and its offset.
    Version(u64, usize),
    /// The payload has no version.
    Nothing,
    /// The payload cannot be read up to its version.
    Damage,
}

/// Searches for the field with the version, without moving the reader.
fn find(r: &Reader<'_>, field: u32) -> FoundVersion {
    let mut ahead = r.fork();
    loop {
        let Tag { number, wire_type } = match ahead.tag() {
            Ok(Some(tag)) => tag,
            Ok(None) => return FoundVersion::Nothing,
            Err(_) => return FoundVersion::Damage,
        };
        let offset = ahead.offset();
        if number == field {
            return match ahead.varint() {
                Ok(version) if wire_type == WireType::Varint => {
                    FoundVersion::Version(version, offset)
                }
                _ => FoundVersion::Damage,
            };
        }
        if ahead.skip(wire_type).is_err() {
            return FoundVersion::Damage;
        }
    }
}

/// The error of a version that this build does not read; 0 stands for none.
#[cold]
fn foreign_version<P: Payload>(found: u64) -> Error {
    let reads: Vec<u32> = P::OLDER.iter().map(|older| older.version).chain([P::VERSION]).collect();
    let reads = list(&reads);
    let reason = match found {
        0 => format!("has no schema version, but this build reads {reads}"),
        _ => format!("schema version {found}, but this build reads {reads}"),
    };
    Error::new(Code::Unimplemented, reason).in_field("schema_version")
}

/// Returns the message with this version in field `field`, in place of any other.
fn stamp(bytes: &[u8], field: u32, version: u32) -> Result<Vec<u8>, Error> {
    let mut r = Reader::new(bytes);
    let mut stamped = Vec::with_capacity(bytes.len() + 6);
    let mut is_there = false;
    let mut put = |stamped: &mut Vec<u8>| {
        if !std::mem::replace(&mut is_there, true) {
            prost::encoding::uint32::encode(field, &version, stamped);
        }
    };
    loop {
        let from = r.offset();
        let Some(tag) = r.tag()? else { break };
        r.skip(tag.wire_type)?;
        if tag.number >= field {
            put(&mut stamped);
        }
        if tag.number != field {
            stamped.extend_from_slice(&bytes[from..r.offset()]);
        }
    }
    put(&mut stamped);
    Ok(stamped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_listed_in_words() {
        for (versions, text) in [
            (&[3][..], "version 3"),
            (&[1, 2], "versions 1 and 2"),
            (&[2, 3, 4], "versions 2 to 4"),
            (&[1, 3, 4], "versions 1, 3 and 4"),
            (&[1, 4], "versions 1 and 4"),
        ] {
            assert_eq!(list(versions), text);
        }
    }

    #[test]
    fn a_stamp_replaces_a_version_and_keeps_the_order_of_the_fields() {
        assert_eq!(stamp(b"", 1, 300).unwrap(), [0x08, 0xac, 2]);
        assert_eq!(stamp(&[0x08, 9, 0x10, 1], 1, 2).unwrap(), [0x08, 2, 0x10, 1]);
        assert_eq!(stamp(&[0x08, 9, 0x18, 1], 2, 7).unwrap(), [0x08, 9, 0x10, 7, 0x18, 1]);
        assert_eq!(stamp(&[0x10, 1, 0x10, 2], 2, 7).unwrap(), [0x10, 7]);
    }
}
