//! Single payloads, bare and in an `Any`.

use std::fmt::Debug;

use snapshot_core::Error;
use snapshot_examples::hcsshim::{
    self, LinuxContainerState, MigrationState, NetworkState, PodState, ProcessState, SavedState,
    ScsiState, VmState,
};
use snapshot_examples::lcow::payload as lcow_payload;

use super::bound::bounded;
use super::meaning::meaning;

const ANY: &str = "google.protobuf.Any";

/// Runs an input for the payloads of hcsshim. The first byte is the kind; the number after the last
/// kind stands for an `Any`. Returns whether the bytes are valid.
pub(crate) fn hcsshim(input: &[u8]) -> bool {
    use hcsshim::{Kind, verify, verify_any};
    let Some((kind, bytes)) = choose(Kind::ALL, input) else { return false };
    match kind {
        None => writes_back(bytes, ANY, verify_any),
        Some(kind) => {
            match kind {
                Kind::Migration => is_read_as_equal::<MigrationState>(bytes),
                Kind::Vm => is_read_as_equal::<VmState>(bytes),
                Kind::Scsi => is_read_as_equal::<ScsiState>(bytes),
                Kind::Network => is_read_as_equal::<NetworkState>(bytes),
                Kind::Pod => is_read_as_equal::<PodState>(bytes),
                Kind::LinuxContainer => is_read_as_equal::<LinuxContainerState>(bytes),
                Kind::Process => is_read_as_equal::<ProcessState>(bytes),
            }
            writes_back(bytes, message_of(kind.type_url()), |bytes| verify(kind, bytes))
        }
    }
}

/// Runs an input for the payloads of an LCOW sandbox. The first byte is the kind; the number after the
/// last kind stands for an `Any`. Returns whether the bytes are valid.
pub(crate) fn lcow(input: &[u8]) -> bool {
    use lcow_payload::{Kind, verify, verify_any};
    let Some((kind, bytes)) = choose(Kind::ALL, input) else { return false };
    match kind {
        None => writes_back(bytes, ANY, verify_any),
        Some(kind) => writes_back(bytes, message_of(kind.type_url()), |bytes| verify(kind, bytes)),
    }
}

fn choose<'a, K: Copy>(kinds: &[K], input: &'a [u8]) -> Option<(Option<K>, &'a [u8])> {
    let (first, bytes) = input.split_first()?;
    Some((kinds.get(usize::from(*first) % (kinds.len() + 1)).copied(), bytes))
}

fn message_of(type_url: &str) -> &str {
    type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
}

fn writes_back(
    bytes: &[u8],
    message: &str,
    verify: impl Fn(&[u8]) -> Result<Vec<u8>, Error>,
) -> bool {
    let read = bounded(bytes.len(), || verify(bytes).map_err(|error| error.to_string()));
    let Ok(again) = read else { return false };
    match verify(&again) {
        Ok(canonical) => assert_eq!(canonical, again, "the canonical bytes are not"),
        Err(error) => panic!("what was written is refused: {error}"),
    }
    assert_eq!(meaning(message, bytes), meaning(message, &again), "something was changed");
    true
}

fn is_read_as_equal<S: SavedState + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(state) = hcsshim::read::<S>(bytes) {
        let again = snapshot_core::codec::to_bytes(&state).expect("what was read can be written");
        assert_eq!(hcsshim::read::<S>(&again).expect("what was written can be read"), state);
    }
}
