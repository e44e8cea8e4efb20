//! The fake guest: its containers and processes.

use snapshot_core::Error;

use super::{FakeHost, Running, name};
use crate::lcow::host::{ContainerHost, OnExit, ProcessConfig, ProcessHost, ProcessKey};
use crate::lcow::ids::{GcsId, VmId};

impl ContainerHost for FakeHost {
    fn combine_layers(
        &self,
        vm: &VmId,
        _: &[String],
        _: Option<&str>,
        rootfs: &str,
    ) -> Result<(), Error> {
        self.call("combine_layers", rootfs)?.vm(vm)?.mounts.insert(rootfs.to_owned());
        Ok(())
    }

    fn remove_layers(&self, vm: &VmId, rootfs: &str) -> Result<(), Error> {
        self.call("remove_layers", rootfs)?.vm(vm)?.mounts.remove(rootfs);
        Ok(())
    }

    fn create_container(&self, vm: &VmId, container: &GcsId, _: &str) -> Result<(), Error> {
        self.call("create_container", container)?.vm(vm)?.containers.insert(container.clone());
        Ok(())
    }

    fn open_container(&self, vm: &VmId, container: &GcsId) -> Result<(), Error> {
        self.call("open_container", container)?.vm(vm)?.containers.insert(container.clone());
        Ok(())
    }

    fn delete_container(&self, vm: &VmId, container: &GcsId) -> Result<(), Error> {
        self.call("delete_container", container)?.vm(vm)?.containers.remove(container);
        Ok(())
    }
}

impl ProcessHost for FakeHost {
    fn start_process(
        &self,
        process: ProcessKey<'_>,
        _: ProcessConfig<'_>,
        on_exit: OnExit,
    ) -> Result<i32, Error> {
        let name = name(process);
        let mut inner = self.call("start_process", &name)?;
        inner.vm(process.vm)?;
        inner.world.open_io.insert(name.clone());
        inner.exits.insert(name, Running { on_exit, frozen: false, held_back: None });
        inner.next_pid += 1;
        Ok(inner.next_pid)
    }

    fn signal_process(&self, process: ProcessKey<'_>, _: i32, signal: i32) -> Result<(), Error> {
        let subject = format!("{} {signal}", name(process));
        self.call("signal_process", subject).map(|_| ())
    }

    fn freeze_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("freeze_process", &name)?;
        if let Some(running) = inner.exits.get_mut(&name) {
            running.frozen = true;
        }
        Ok(())
    }

    fn thaw_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("thaw_process", &name)?;
        let Some(mut running) = inner.exits.remove(&name) else { return Ok(()) };
        running.frozen = false;
        match running.held_back.take() {
            None => {
                inner.exits.insert(name, running);
            }
            Some(exit) => {
                drop(inner);
                (running.on_exit)(exit);
            }
        }
        Ok(())
    }

    fn adopt_process(
        &self,
        process: ProcessKey<'_>,
        _: i32,
        _: ProcessConfig<'_>,
        on_exit: OnExit,
    ) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("adopt_process", &name)?;
        inner.world.open_io.insert(name.clone());
        inner.exits.insert(name, Running { on_exit, frozen: true, held_back: None });
        Ok(())
    }

    fn resume_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("resume_process", &name)?;
        match inner.exits.get_mut(&name) {
            Some(running) => {
                running.frozen = false;
                Ok(())
            }
            None => Err(Error::invalid(format!("process {name} was not adopted"))),
        }
    }

    fn release_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("release_process", &name)?;
        inner.world.open_io.remove(&name);
        inner.exits.remove(&name);
        Ok(())
    }
}
