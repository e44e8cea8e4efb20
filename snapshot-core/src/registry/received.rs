//! A manifest from a peer, read within limits, whoever the peer is.

use prost::Message;

use super::Manifest;
use crate::codec::{Reader, charge_for_prost, default_memory};
use crate::schema::Schema;
use crate::{Code, Error};

impl Manifest {
    /// The maximum number of bytes that [`Manifest::from_bytes`] reads: 16 MiB. A sandbox's
    /// manifest has 30 KB.
    pub const LENGTH_LIMIT: usize = 16 << 20;

    /// Reads a manifest from a peer or from a file.
    ///
    /// Fields that this build does not know are ignored, because later builds may state more about
    /// themselves. Besides [`Manifest::LENGTH_LIMIT`], there is a limit of memory, which is that of
    /// [`ReadOptions::default_memory`](crate::ReadOptions::default_memory) for a payload of the
    /// same length. prost itself has no limit, and can turn one byte into a hundred.
    ///
    /// ```
    /// use prost::Message;
    /// use snapshot_core::registry::{Manifest, registry};
    ///
    /// let ours = registry()?.manifest();
    /// assert_eq!(Manifest::from_bytes(&ours.encode_to_vec())?, ours);
    /// assert!(Manifest::from_bytes(b"").is_err());
    /// # Ok::<(), snapshot_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::DataLoss`] if the bytes are not a manifest, or if there are none;
    /// [`Code::ResourceExhausted`] above a limit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let length = bytes.len();
        if length == 0 {
            return Err(Error::new(Code::DataLoss, "the manifest is empty: send it again"));
        }
        if length > Self::LENGTH_LIMIT {
            return Err(Error::exhausted(format!(
                "the manifest has {length} bytes, and at most {} are read: no build has that many types",
                Self::LENGTH_LIMIT
            )));
        }
        let counted = charge_for_prost(Self::DESCRIPTOR, &mut Reader::new(bytes));
        counted.map_err(|error| match error.code() {
            Code::ResourceExhausted => Error::exhausted(format!(
                "the manifest needs more than {} bytes of memory: no build has that many types",
                default_memory(length)
            )),
            _ => error.explained("the manifest cannot be read: "),
        })?;
        Self::decode(bytes).map_err(|error| {
            let reason = format!("the manifest cannot be read: {error}");
            Error::new(Code::DataLoss, reason).with_source(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry;

    #[test]
    fn a_manifest_of_millions_of_empty_payloads_is_refused_before_it_takes_memory() {
        let bytes = b"\x0a\0".repeat(8 << 20);
        let mut result = None;
        let info = allocation_counter::measure(|| result = Some(Manifest::from_bytes(&bytes)));
        let error = result.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted);
        assert!(error.to_string().starts_with("the manifest needs more than "), "{error}");
        assert!(info.bytes_max < 64 << 10, "{} bytes", info.bytes_max);
    }

    #[test]
    fn whatever_is_repeated_in_a_manifest_takes_no_more_than_the_budget() {
        let field = |number: u8, value: &[u8]| {
            let mut bytes = vec![number << 3 | 2];
            prost::encoding::encode_varint(value.len() as u64, &mut bytes);
            [bytes, value.to_vec()].concat()
        };
        const COUNT: usize = 300_000;
        for bytes in [
            b"\x12\0".repeat(COUNT),
            b"\x1a\0".repeat(COUNT),
            b"\x0a\x02\x2a\0".repeat(COUNT),
            field(1, &b"\x32\0".repeat(COUNT)),
            field(1, &b"\x3a\0".repeat(COUNT)),
            field(1, &field(3, &vec![1; COUNT])),
            field(1, &field(5, &b"\x0a\0".repeat(COUNT))),
            field(2, &b"\x12\0".repeat(COUNT)),
            field(2, &field(2, &b"\x32\0".repeat(COUNT))),
            field(2, &field(2, &b"\x42\0".repeat(COUNT))),
            field(2, &field(2, &b"\x42\x04\x22\0\x2a\0".repeat(COUNT))),
            field(2, &field(2, &field(8, &b"\x62\0".repeat(COUNT)))),
            field(1, &b"\x3a\x02\x1a\0".repeat(COUNT)),
            field(3, &b"\x12\0".repeat(COUNT)),
        ] {
            let budget = default_memory(bytes.len());
            let mut result = None;
            let info = allocation_counter::measure(|| result = Some(Manifest::from_bytes(&bytes)));
            let is_read = result.unwrap().is_ok();
            assert!(info.bytes_max <= budget, "{} of {budget}: {is_read}", info.bytes_max);
        }
    }

    #[test]
    fn what_is_no_manifest_is_told_from_one_that_says_more() {
        let ours = registry().unwrap().manifest().encode_to_vec();
        for (bytes, reason) in [
            (&b""[..], "the manifest is empty: send it again"),
            (
                &[0x0a, 5],
                "the manifest cannot be read: needs 5 bytes, but has 0 left (byte 2 of 2)",
            ),
            (&[0x0a, 3, 0x0a, 1, 0xff], "the manifest cannot be read: "),
        ] {
            let error = Manifest::from_bytes(bytes).unwrap_err();
            assert_eq!(error.code(), Code::DataLoss);
            assert!(error.to_string().starts_with(reason), "{error}");
        }
        let later = [&ours[..], &[0xfa, 1, 1, 7]].concat();
        assert_eq!(Manifest::from_bytes(&later).unwrap().encode_to_vec(), ours);
        let error = Manifest::from_bytes(&vec![0; Manifest::LENGTH_LIMIT + 1]).unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted);
    }
}
