//! Fields with a conversion, `with = module`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use snapshot_core::{Snapshot, codec};
use snapshot_proto::fixture::v1 as pb;

use super::super::laws::Case;
use super::super::place::Places;
use super::super::twin::{Foreign, Twin};

/// Degrees Celsius, as a user would write it.
mod celsius {
    /// In tenths of a kelvin on the wire.
    pub(crate) fn to_wire(celsius: &i16) -> Result<u32, String> {
        u32::try_from(i32::from(*celsius) * 10 + 2732).map_err(|_| "colder than can be".to_owned())
    }

    pub(crate) fn from_wire(tenths: u32) -> Result<i16, String> {
        let above_zero = i64::from(tenths) - 2732;
        match (above_zero % 10, i16::try_from(above_zero / 10)) {
            (0, Ok(celsius)) => Ok(celsius),
            _ => Err(format!("{tenths} tenths of a kelvin are no whole degree")),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Scalars, ignore(
    double, float, int32, sint32, fixed32, sfixed32, sfixed64, bool
))]
pub struct Adapted {
    #[snapshot(with = codec::unix_seconds)]
    pub int64: SystemTime,
    #[snapshot(with = celsius)]
    pub uint32: i16,
    #[snapshot(with = codec::millis)]
    pub uint64: Duration,
    #[snapshot(with = codec::unix_seconds)]
    pub sint64: SystemTime,
    #[snapshot(with = codec::nanos)]
    pub fixed64: Duration,
    #[snapshot(with = codec::display)]
    pub string: i8,
    #[snapshot(with = codec::json)]
    pub bytes: Option<BTreeMap<String, Vec<u32>>>,
}

fn time(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

impl Twin<pb::Scalars> for Adapted {
    fn natives() -> BoxedStrategy<Self> {
        let seconds =
            || prop_oneof![Just(0i64), Just(-1), -1_000_000_000_000..1_000_000_000_000i64];
        let json = prop::collection::btree_map("[a-z\"ж]{0,2}", any::<Vec<u32>>(), 0..3);
        (
            seconds(),
            -273i16..,
            any::<u32>(),
            seconds(),
            any::<u64>(),
            any::<i8>(),
            prop::option::of(json),
        )
            .prop_map(|(int64, uint32, millis, sint64, nanos, string, bytes)| Self {
                int64: time(int64),
                uint32,
                uint64: Duration::from_millis(millis.into()),
                sint64: time(sint64),
                fixed64: Duration::from_nanos(nanos),
                string,
                bytes,
            })
            .boxed()
    }

    fn to_prost(&self) -> pb::Scalars {
        let seconds = |time: &SystemTime| match time.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_secs() as i64,
            Err(error) => -(error.duration().as_secs() as i64),
        };
        pb::Scalars {
            int64: seconds(&self.int64),
            uint32: (i32::from(self.uint32) * 10 + 2732) as u32,
            uint64: self.uint64.as_millis() as u64,
            sint64: seconds(&self.sint64),
            fixed64: self.fixed64.as_nanos() as u64,
            string: self.string.to_string(),
            bytes: self.bytes.as_ref().map_or_else(Vec::new, |v| serde_json::to_vec(v).unwrap()),
            ..Default::default()
        }
    }

    fn of_prost(prost: &pb::Scalars) -> Result<Self, Places> {
        let mut places = Places::default();
        let tenths = i64::from(prost.uint32) - 2732;
        let uint32 = i16::try_from(tenths / 10).ok().filter(|_| tenths % 10 == 0);
        let uint32 = places.keep(uint32.ok_or_else(|| Places::here().in_field("uint32")));
        let string = prost.string.parse().map_err(|_| Places::here().in_field("string"));
        let string = places.keep(string);
        let bytes = match prost.bytes.as_slice() {
            b"" => Ok(None),
            json => {
                serde_json::from_slice(json).map(Some).map_err(|_| Places::here().in_field("bytes"))
            }
        };
        let bytes = places.keep(bytes);
        match (uint32, string, bytes) {
            (Some(uint32), Some(string), Some(bytes)) => Ok(Self {
                int64: time(prost.int64),
                uint32,
                uint64: Duration::from_millis(prost.uint64),
                sint64: time(prost.sint64),
                fixed64: Duration::from_nanos(prost.fixed64),
                string,
                bytes,
            }),
            _ => Err(places),
        }
    }
}

impl Case for Adapted {
    fn messages() -> BoxedStrategy<pb::Scalars> {
        let one_wrong = (Adapted::natives(), pb::Scalars::foreigners(), 0..4u8).prop_map(
            |(adapted, other, wrong)| {
                let mut message = adapted.to_prost();
                match wrong {
                    0 => message.uint32 = other.uint32,
                    1 => message.string = other.string,
                    2 => message.bytes = other.bytes,
                    _ => {}
                }
                message
            },
        );
        one_wrong.boxed()
    }
}
