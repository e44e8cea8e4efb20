//! Teaches: a schema that changes while hosts run different releases.
//!
//! There are three releases of one controller. The newest restores snapshots of the first and saves
//! snapshots for the second. Before anything is frozen, it refuses a state that the second would lose.
//!
//! `cargo run --example schema_evolution`

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use futures_executor::block_on;
use prost::Message;
use snapshot_core::registry::{Manifest, Registration, Registry};
use snapshot_core::{Controller, Error, Incoming, Session, Snapshot, Source, codec};
use snapshot_proto::example::v1 as pb;

/// Version 1 counted the size in MiB. Its message is kept as a record, with a function for each
/// direction. Version 2 is the current message without the field that was added later.
#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, controller = Volume)]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV1, upgrade = to_bytes, downgrade = to_mib))]
#[snapshot(accept(version = 2))]
struct VolumeState {
    image: String,
    size: u64,
    /// The `default` is the value for an older payload. A volume with that value can be saved for an
    /// older peer.
    #[snapshot(since = 3, default = 1000)]
    operations_per_second: u32,
}

/// Upgrades version 1 to version 2.
fn to_bytes(old: pb::VolumeSnapshotV1) -> Result<pb::VolumeSnapshot, Error> {
    let size = u64::from(old.size_mib) << 20;
    Ok(pb::VolumeSnapshot { image: old.image, size, ..Default::default() })
}

/// Downgrades version 2 to version 1, if nothing is lost.
fn to_mib(new: pb::VolumeSnapshot) -> Result<pb::VolumeSnapshotV1, String> {
    let size_mib = u32::try_from(new.size >> 20).ok().filter(|_| new.size.is_multiple_of(1 << 20));
    let size_mib =
        size_mib.ok_or_else(|| format!("{} bytes are not a whole number of MiB", new.size))?;
    Ok(pb::VolumeSnapshotV1 { image: new.image, size_mib, ..Default::default() })
}

struct Volume(Mutex<VolumeState>);

impl Controller for Volume {
    type State = VolumeState;

    fn state(&self) -> impl DerefMut<Target = VolumeState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: VolumeState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

/// The previous release, with its `.proto` file and its code. It would run on the other host. Here both
/// are in one program, so only the newest release is registered.
mod release_2 {
    use super::{Controller, DerefMut, Error, Mutex, PoisonError, Snapshot};

    pub(crate) mod pb {
        #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
        pub(crate) struct VolumeSnapshot {
            #[prost(uint32, tag = "1")]
            pub schema_version: u32,
            #[prost(string, tag = "2")]
            pub image: String,
            #[prost(uint64, tag = "4")]
            pub size: u64,
        }

        impl prost::Name for VolumeSnapshot {
            const NAME: &'static str = "VolumeSnapshot";
            const PACKAGE: &'static str = "example.v1";
        }
    }

    #[derive(Snapshot, Debug, PartialEq)]
    #[snapshot(message = pb::VolumeSnapshot, version = 2)]
    pub(crate) struct VolumeState {
        pub image: String,
        pub size: u64,
    }

    pub(crate) struct Volume(Mutex<VolumeState>);

    impl Controller for Volume {
        type State = VolumeState;

        fn state(&self) -> impl DerefMut<Target = VolumeState> + '_ {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn import(state: VolumeState) -> Result<Self, Error> {
            Ok(Self(Mutex::new(state)))
        }
    }
}

/// The first release, which has saved a snapshot.
mod release_1 {
    use super::Snapshot;

    pub(crate) mod pb {
        #[derive(snapshot_core::Schema, Clone, PartialEq, prost::Message)]
        pub(crate) struct VolumeSnapshot {
            #[prost(uint32, tag = "1")]
            pub schema_version: u32,
            #[prost(string, tag = "2")]
            pub image: String,
            #[prost(uint32, tag = "3")]
            pub size_mib: u32,
        }

        impl prost::Name for VolumeSnapshot {
            const NAME: &'static str = "VolumeSnapshot";
            const PACKAGE: &'static str = "example.v1";
        }
    }

    #[derive(Snapshot, Debug, PartialEq)]
    #[snapshot(message = pb::VolumeSnapshot, version = 1)]
    pub(crate) struct VolumeState {
        pub image: String,
        pub size_mib: u32,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::new();

    // 1. The third release restores a snapshot of the first.
    let old = release_1::VolumeState { image: "/images/a.vhdx".to_owned(), size_mib: 64 };
    let any = prost_types::Any::decode(&*codec::to_any_bytes(&old)?)?;
    let incoming = Incoming::open(Snapshot::from_any(&any)?)?;
    println!("release 3 opens: {}", incoming.preview()?);
    let patched = block_on(incoming.import::<Volume>()?.patch(&session))?;
    let volume = block_on(patched.resume(&session))?;
    println!("release 3 has: {:?}", *volume.state());
    let image = "/images/a.vhdx".to_owned();
    let expected = VolumeState { image, size: 64 << 20, operations_per_second: 1000 };
    assert_eq!(*volume.state(), expected);

    // 2. The volume moves to a host with the second release. The manifest of that release lists the
    // versions that it reads, and the preflight finds the one that both know.
    let theirs: Manifest = Registry::new([Registration::of::<release_2::Volume>()])?.manifest();
    let source = Source::new(&volume);
    source.preflight(&theirs)?;
    let frozen = block_on(source.freeze(&session))?;
    let snapshot = frozen.save()?;
    println!("saved for release 2: {}", Incoming::open(snapshot.clone())?.preview()?);
    let any = snapshot.into_any().encode_to_vec();
    let arrived: release_2::VolumeState = codec::from_any_bytes(&any)?;
    println!("release 2 has: {arrived:?}");
    assert_eq!(arrived.size, 64 << 20);
    block_on(frozen.rollback())?;

    // 3. No value that release 2 does not know is dropped: the migration is refused, and the volume
    // keeps running.
    volume.state().operations_per_second = 5000;
    let told = refusal(Source::new(&volume).preflight(&theirs));
    println!("refused: {told}");
    assert!(told.contains("operations_per_second: exists from version 3 on"), "{told}");

    // The same holds for a value that a downgrade function cannot express in the older message.
    *volume.state() = VolumeState { size: 1000, operations_per_second: 1000, ..expected };
    let told = refusal(codec::to_bytes_as(&*volume.state(), 1).map(drop));
    println!("refused: {told}");
    assert!(told.contains("1000 bytes are not a whole number of MiB"), "{told}");

    // 4. A payload of a future release is reported as such, not as errors in its fields.
    let newer = pb::VolumeSnapshot { schema_version: 7, ..Default::default() };
    let told = refusal(codec::from_bytes::<VolumeState>(&newer.encode_to_vec()).map(drop));
    println!("refused: {told}");
    assert!(told.contains("schema version 7, but this build reads versions 1 to 3"), "{told}");
    Ok(())
}

fn refusal<T>(result: Result<T, Error>) -> String {
    let Err(error) = result else { unreachable!("what would be lost must be refused") };
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_keeps_the_contract() {
        let state = VolumeState { image: "/a".into(), size: 1 << 20, operations_per_second: 7 };
        snapshot_core::testing::contract::<VolumeState>([state]);
    }

    #[test]
    fn three_releases_exchange_snapshots_and_lose_nothing() -> Result<(), Box<dyn std::error::Error>>
    {
        main()
    }
}
