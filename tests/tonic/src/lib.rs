//! A tonic service serves a disk, and the state of the disk is saved as a message that tonic generated.

#![forbid(unsafe_code)]

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};

use snapshot_core::{Controller, Error, Snapshot, State};
use tonic::{Code, Request, Response, Status};

/// The types that tonic-prost-build generates from `proto/disks.proto`.
#[allow(missing_docs, unused_qualifications, clippy::all, reason = "generated")]
pub mod pb {
    tonic::include_proto!("disks.v1");
}

/// The state of a disk.
#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
pub struct DiskState {
    /// Where the image is.
    pub image: String,
    /// The size in bytes.
    pub size: u64,
}

/// A disk.
#[derive(Debug)]
pub struct Disk(Mutex<DiskState>);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

/// Serves one disk.
#[derive(Debug)]
pub struct Service(pub Arc<Disk>);

#[tonic::async_trait]
impl pb::disks_server::Disks for Service {
    async fn get(&self, _: Request<pb::DiskRequest>) -> Result<Response<pb::DiskSnapshot>, Status> {
        let message = self.0.state().to_message();
        Ok(Response::new(message.map_err(|error| status(&error))?))
    }
}

/// Converts an error to a status: the codes of the framework have the names of gRPC.
pub fn status(error: &Error) -> Status {
    use snapshot_core::Code as Ours;
    let code = match error.code() {
        Ours::InvalidArgument => Code::InvalidArgument,
        Ours::FailedPrecondition => Code::FailedPrecondition,
        Ours::DataLoss => Code::DataLoss,
        Ours::Unimplemented => Code::Unimplemented,
        Ours::DeadlineExceeded => Code::DeadlineExceeded,
        Ours::Cancelled => Code::Cancelled,
        _ => Code::Internal,
    };
    Status::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;
    use snapshot_core::{Incoming, Session, Source};

    use super::pb::disks_server::Disks as _;
    use super::*;

    fn disk() -> Arc<Disk> {
        Arc::new(Disk(Mutex::new(DiskState { image: "/images/root".to_owned(), size: 4096 })))
    }

    #[test]
    fn a_controller_is_saved_as_a_message_of_tonic() {
        let disk = disk();
        let frozen = block_on(Source::new(&disk).freeze(&Session::new())).unwrap();
        let snapshot = frozen.save().unwrap();
        let any = snapshot.clone().into_any();
        assert_eq!(any.type_url, "type.googleapis.com/disks.v1.DiskSnapshot");
        let saved: pb::DiskSnapshot = prost::Message::decode(any.value.as_slice()).unwrap();

        let answer = block_on(Service(Arc::clone(&disk)).get(Request::new(pb::DiskRequest {})));
        assert_eq!(answer.unwrap().into_inner(), saved);
        assert_eq!((saved.schema_version, saved.size), (1, 4096));

        let arrived = Incoming::from(snapshot).import::<Disk>().unwrap();
        assert_eq!(*arrived.root().state(), *disk.state());
        block_on(frozen.commit()).unwrap();
    }

    #[test]
    fn an_error_is_a_status_with_its_code_and_all_its_findings() {
        let damaged = Incoming::open(b"not a snapshot".to_vec()).map(drop).unwrap_err();
        let status = status(&damaged);
        assert_eq!(status.code(), Code::DataLoss);
        assert_eq!(status.message(), damaged.to_string());
    }
}
