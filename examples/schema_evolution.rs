//! Teaches: a schema that changes, on hosts that are not all upgraded at once.
//!
//! Three releases of one controller. The newest restores what the first saved, saves what the second
//! reads, and refuses, before anything is frozen, what the second would lose.
//!
//! `cargo run --example schema_evolution`

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use futures_executor::block_on;
use prost::Message;
use snapshot_core::registry::{Manifest, Registration, Registry};
use snapshot_core::{Controller, Error, Incoming, Session, Snapshot, Source, codec};
use snapshot_proto::example::v1 as pb;

/// Version 1 counted the size in MiB: that is another message, kept as the record of what it was,
/// with a function each way. Version 2 is the same message without the field that came later.
#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, controller = Volume)]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV1, upgrade = to_bytes, downgrade = to_mib))]
#[snapshot(accept(version = 2))]
struct VolumeState {
    image: String,
    size: u64,
    /// What an older payload gets. A volume that has it can be saved for an older peer.
    #[snapshot(since = 3, default = 1000)]
    operations_per_second: u32,
}

/// From version 1 to version 2.
fn to_bytes(old: pb::VolumeSnapshotV1) -> Result<pb::VolumeSnapshot, Error> {
    let size = u64::from(old.size_mib) << 20;
    Ok(pb::VolumeSnapshot { image: old.image, size, ..Default::default() })
}

/// And back, if that loses nothing.
fn to_mib(new: pb::VolumeSnapshot) -> Result<pb::VolumeSnapshotV1, String> {
    let size_mib = u32::try_from(new.size >> 20).ok().filter(|_| new.size.is_multiple_of(1 << 20));
    let size_mib = size_mib.ok_or_else(|| format!("{} bytes are no whole MiB", new.size))?;
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

/// The release before: what its `.proto` files and its code were then. It runs on the other host; here
/// it shares the program, so only the newest release is registered.
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

/// The first release, which has left a snapshot behind.
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

    // 1. What the first release saved is restored by the third.
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

    // 2. It moves on to a host where the second release runs. The manifest of that tells what it
    // reads, and the preflight finds the version that both know.
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

    // 3. What release 2 cannot know is not dropped: the volume stays where it is, and running.
    volume.state().operations_per_second = 5000;
    let told = refusal(Source::new(&volume).preflight(&theirs));
    println!("refused: {told}");
    assert!(told.contains("operations_per_second: exists from version 3 on"), "{told}");

    // Likewise what a downgrade function cannot say in the older message's words.
    *volume.state() = VolumeState { size: 1000, operations_per_second: 1000, ..expected };
    let told = refusal(codec::to_bytes_as(&*volume.state(), 1).map(drop));
    println!("refused: {told}");
    assert!(told.contains("1000 bytes are no whole MiB"), "{told}");

    // 4. A release that is not out yet is told as such, before any of its fields.
    let newer = pb::VolumeSnapshot { schema_version: 7, ..Default::default() };
    let told = refusal(codec::from_bytes::<VolumeState>(&newer.encode_to_vec()).map(drop));
    println!("refused: {told}");
    assert!(told.contains("schema version 7, this build reads versions 1 to 3"), "{told}");
    Ok(())
}

fn refusal(result: Result<(), Error>) -> String {
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
