//! The example of the front page: a disk that moves from one host to another.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

// As narrow as the front page.
#[rustfmt::skip]
mod front_page {
    use std::ops::DerefMut;
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex, PoisonError};

    use futures_executor::block_on;
    use snapshot_core::{Context, Controller, Error, Incoming, Session, Snapshot, Source};
    use snapshot_proto::example::v1::{self as pb, disk_snapshot};

    #[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
    #[snapshot(stage = disk_snapshot::Stage)]               // compared with the proto enum
    enum DiskStage { #[default] Reserved, Attached, Ejected, #[snapshot(transient)] Moving }

    #[derive(Snapshot)]
    #[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
    #[snapshot(save_from(Attached), freeze_to = Moving, import_as = Moving, abort_to = Ejected)]
    struct DiskState {
        image: PathBuf,                                     // `string` in the message
        #[snapshot(stage)]
        stage: DiskStage,
        size: u64,
    }

    struct Disk(Mutex<DiskState>);

    impl Controller for Disk {
        type State = DiskState;
        fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)       // also after a panic
        }
        fn import(state: DiskState) -> Result<Self, Error> { Ok(Self(Mutex::new(state))) }
        async fn patch(&self, cx: &Context) -> Result<(), Error> {      // bind to this host
            self.state().image = cx.resource::<Images>()?.0.join("root");
            Ok(())
        }
    }

    async fn send(disk: &Arc<Disk>, session: &Session, link: &Link) -> Result<(), Error> {
        let frozen = Source::new(disk).freeze(session).await?;          // stands still
        let arrived = async { link.deliver(frozen.save()?).await };     // and the other side is live
        match arrived.await {
            Ok(()) => Ok(frozen.commit().await?),
            Err(error) => { frozen.rollback().await?; Err(error) }      // continues as before
        }
    }

    async fn receive(bytes: Vec<u8>, session: &Session) -> Result<Arc<Disk>, Error> {
        let imported = Incoming::open(bytes)?.import::<Disk>()?;        // verified, nothing touched
        Ok(imported.patch(session).await?.resume(session).await?)       // live, or aborted
    }

    /// The folder of the images on a host.
    struct Images(PathBuf);

    /// Replaces a connection: the other side receives the snapshot and returns the result.
    struct Link {
        there: Session,
        arrived: Mutex<Option<Arc<Disk>>>,
    }

    impl Link {
        fn to(there: Session) -> Self {
            Self { there, arrived: Mutex::default() }
        }

        async fn deliver(&self, snapshot: Snapshot) -> Result<(), Error> {
            let disk = receive(snapshot.into_bytes().into(), &self.there).await?;
            *self.arrived.lock().unwrap_or_else(PoisonError::into_inner) = Some(disk);
            Ok(())
        }
    }

    #[test]
    fn a_panic_that_holds_the_lock_does_not_stop_the_next_attempt() {
        let state = DiskState { image: "/here/root".into(), stage: DiskStage::Attached, size: 4096 };
        let disk = Arc::new(Disk(Mutex::new(state)));
        let holder = Arc::clone(&disk);
        let panicked = std::thread::spawn(move || {
            let _state = holder.state();
            panic!("with the guard");
        });
        panicked.join().unwrap_err();
        assert!(disk.0.is_poisoned());

        let frozen = block_on(Source::new(&disk).freeze(&Session::new())).unwrap();
        frozen.save().unwrap();
        block_on(frozen.rollback()).unwrap();
        assert_eq!(disk.state().stage, DiskStage::Attached);
    }

    #[test]
    fn a_disk_moves_or_stays() {
        let state = DiskState { image: "/here/root".into(), stage: DiskStage::Attached, size: 4096 };
        let disk = Arc::new(Disk(Mutex::new(state)));

        let error = block_on(send(&disk, &Session::new(), &Link::to(Session::new()))).unwrap_err();
        assert!(error.to_string().contains("no resource Images"), "{error}");
        assert_eq!(disk.state().stage, DiskStage::Attached);

        let link = Link::to(Session::new().resource(Arc::new(Images("/there".into()))));
        block_on(send(&disk, &Session::new(), &link)).unwrap();
        assert_eq!(disk.state().stage, DiskStage::Ejected);
        let arrived = link.arrived.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap();
        assert_eq!(arrived.state().image, PathBuf::from("/there/root"));
        assert_eq!(arrived.state().stage, DiskStage::Attached);
    }
}
