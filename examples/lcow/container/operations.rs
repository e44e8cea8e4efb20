//! The operations of a shim on a container outside of a migration.

use std::collections::HashSet;
use std::sync::Arc;

use snapshot_core::{Child, Error};

use super::{Container, ContainerStage, ContainerState, Layer, Layers, NewContainer};
use crate::lcow::host::Binding;
use crate::lcow::ids::ExecId;
use crate::lcow::plan9::Plan9;
use crate::lcow::process::{NewProcess, Process};
use crate::lcow::scsi::{DiskConfig, MountConfig, Scsi};
use crate::lcow::vm::Vm;
use crate::lcow::vpci::Vpci;

impl Container {
    /// Reserves the container's disks, shares and devices, combines its layers and creates it in
    /// the guest.
    ///
    /// # Errors
    ///
    /// It is created already or migrating, its parameters have a device twice, or the VM or the
    /// guest refuses. Then everything that it holds is released. If that fails, the container
    /// becomes `Invalid` and must be deleted.
    pub fn create(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        let (Some(vm), Some(new)) = (state.vm.clone(), state.new.clone()) else {
            return Err(state.not_in(ContainerStage::NotCreated, "created"));
        };
        new.check()?;
        let _operation = vm.begin()?;
        let created = vm.binding().and_then(|binding| {
            state.acquire(&vm, &new)?;
            state.put_together(&binding)
        });
        match created {
            Ok(()) => {
                state.new = None;
                state.stage = ContainerStage::Created;
                Ok(())
            }
            Err(error) => match state.give_back(&vm) {
                Ok(()) => Err(error),
                Err(undo) => {
                    state.new = None;
                    state.stage = ContainerStage::Invalid;
                    Err(error.and(undo))
                }
            },
        }
    }

    /// Starts the init process.
    ///
    /// # Errors
    ///
    /// The container is not `Created`, or the process does not start.
    pub fn start(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        let (vm, init) = state.init_in(ContainerStage::Created, "started")?;
        init.start(&vm, &state.gcs_container_id)?;
        state.stage = ContainerStage::Running;
        Ok(())
    }

    /// Starts another process in the running container.
    ///
    /// # Errors
    ///
    /// The container does not run or is migrating, the exec id is empty or taken, or the process
    /// does not start.
    pub fn exec(&self, exec_id: ExecId, new: NewProcess) -> Result<Arc<Process>, Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        let (vm, _) = state.init_in(ContainerStage::Running, "given a process")?;
        if state.processes.contains_key(&exec_id) {
            return Err(Error::precondition(format!(
                "container {} already has a process {:?}",
                state.container_id,
                exec_id.as_str()
            )));
        }
        let process = Arc::new(Process::new(exec_id.clone(), new));
        process.start(&vm, &state.gcs_container_id)?;
        state.processes.insert(exec_id, Child::new(Arc::clone(&process)));
        Ok(process)
    }

    /// Sends a signal to a process; does nothing once the container has stopped.
    ///
    /// # Errors
    ///
    /// The container is migrating, there is no such process, or the guest refuses.
    pub fn kill(&self, exec_id: &ExecId, signal: i32) -> Result<(), Error> {
        let state = self.lock();
        let _inside = state.enter()?;
        if matches!(state.stage, ContainerStage::Stopped | ContainerStage::Invalid) {
            return Ok(());
        }
        match state.processes.get(exec_id).and_then(Child::get) {
            Some(process) => process.signal(signal),
            None => Err(state.no_process(exec_id)),
        }
    }

    /// Removes a process that has exited. The init process is removed with the container.
    ///
    /// # Errors
    ///
    /// The container is migrating, there is no such process, or it runs.
    pub fn delete_process(&self, exec_id: &ExecId) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        if exec_id.is_empty() {
            return Err(Error::precondition("the init process goes with its container"));
        }
        match state.processes.get(exec_id).and_then(Child::get) {
            Some(process) => process.release()?,
            None => return Err(state.no_process(exec_id)),
        }
        state.processes.remove(exec_id);
        Ok(())
    }

    /// Removes a container that does not run from the guest, and releases everything that it holds.
    ///
    /// # Errors
    ///
    /// The container runs or is migrating, or a release fails: a second call continues where the
    /// first one stopped.
    pub fn delete(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        let vm = state.vm.clone();
        let _operation = vm.as_ref().map(|vm| vm.begin()).transpose()?;
        for process in state.processes.values().filter_map(Child::get) {
            if process.runs()? {
                return Err(Error::precondition(format!(
                    "container {} runs: end its processes before it is deleted",
                    state.container_id
                )));
            }
        }
        for process in state.processes.values().filter_map(Child::get) {
            process.release()?;
        }
        if let Some(vm) = &vm {
            if state.stage != ContainerStage::NotCreated {
                let Binding { host, vm } = vm.binding()?;
                host.delete_container(&vm, &state.gcs_container_id)?;
            }
            state.give_back(vm)?;
        }
        state.new = None;
        state.stage = ContainerStage::Stopped;
        Ok(())
    }
}

impl NewContainer {
    /// Reservations are new each time they are made; a device has one channel.
    fn check(&self) -> Result<(), Error> {
        let mut seen = HashSet::new();
        match self.devices.iter().find(|device| !seen.insert(*device)) {
            None => Ok(()),
            Some((instance_id, function)) => Err(Error::invalid(format!(
                "container {} would get function {function} of device {instance_id} twice: name it \
                 once",
                self.id
            ))),
        }
    }
}

fn scsi(vm: &Vm) -> Result<Arc<Scsi>, Error> {
    vm.scsi().ok_or_else(|| Error::precondition("the VM has no SCSI controller"))
}

fn plan9(vm: &Vm) -> Result<Arc<Plan9>, Error> {
    vm.plan9().ok_or_else(|| Error::precondition("the VM has no Plan 9 shares"))
}

fn vpci(vm: &Vm) -> Result<Arc<Vpci>, Error> {
    vm.vpci().ok_or_else(|| Error::precondition("the VM has no virtual PCI bus"))
}

impl ContainerState {
    #[cold]
    fn not_in(&self, stage: ContainerStage, what: &str) -> Error {
        Error::precondition(format!(
            "container {} is {:?}: it can be {what} only while it is {stage:?}",
            self.container_id, self.stage
        ))
    }

    #[cold]
    fn no_process(&self, exec_id: &ExecId) -> Error {
        Error::invalid(format!(
            "container {} has no process {:?}",
            self.container_id,
            exec_id.as_str()
        ))
    }

    /// Returns the VM and the init process of a container, which must be in this stage.
    fn init_in(&self, stage: ContainerStage, what: &str) -> Result<(Arc<Vm>, Arc<Process>), Error> {
        let init = self.processes.get(&ExecId::default()).and_then(Child::get);
        match (&self.vm, init) {
            (Some(vm), Some(init)) if self.stage == stage => Ok((Arc::clone(vm), Arc::clone(init))),
            _ => Err(self.not_in(stage, what)),
        }
    }

    /// Reserves everything that the container needs. Each item is recorded in the state at once, so
    /// that [`give_back`](ContainerState::give_back) finds it even after a failure.
    fn acquire(&mut self, vm: &Vm, new: &NewContainer) -> Result<(), Error> {
        if !new.ro_layers.is_empty() || new.scratch.is_some() {
            let rootfs_path = format!("/run/gcs/c/{}/rootfs", self.gcs_container_id);
            let layers = self.layers.insert(Layers { rootfs_path, ..Layers::default() });
            let read_only = MountConfig { read_only: true, ..MountConfig::default() };
            for disk in &new.ro_layers {
                layers.ro_layers.push(reserve(vm, disk, &read_only)?);
                map_layer(vm, layers.ro_layers.last_mut())?;
            }
            if let Some(disk) = &new.scratch {
                let writable = MountConfig { ensure_filesystem: true, ..MountConfig::default() };
                layers.scratch = Some(reserve(vm, disk, &writable)?);
                map_layer(vm, layers.scratch.as_mut())?;
            }
        }
        for (disk, partition, mount) in &new.disks {
            let id = scsi(vm)?.reserve(disk.clone(), *partition, mount.clone())?;
            self.scsi_reservation_ids.push(id);
            scsi(vm)?.map_to_guest(id)?;
        }
        for (path, config) in &new.shares {
            let id = plan9(vm)?.reserve(path, config.clone())?;
            self.plan9_reservation_ids.push(id);
            plan9(vm)?.map_to_guest(id)?;
        }
        for (instance_id, function) in &new.devices {
            self.vpci_vmbus_guids.push(vpci(vm)?.assign(instance_id, *function)?);
        }
        Ok(())
    }

    fn put_together(&mut self, Binding { host, vm }: &Binding) -> Result<(), Error> {
        let mut rootfs = String::new();
        if let Some(layers) = &mut self.layers {
            let paths: Vec<_> = layers.ro_layers.iter().map(|l| l.guest_path.clone()).collect();
            let scratch = layers.scratch.as_ref().map(|layer| layer.guest_path.as_str());
            host.combine_layers(vm, &paths, scratch, &layers.rootfs_path)?;
            layers.layers_combined = true;
            rootfs.clone_from(&layers.rootfs_path);
        }
        host.create_container(vm, &self.gcs_container_id, &rootfs)
    }

    /// Releases everything that the container holds, item by item, so that after a failure the
    /// state has exactly the items that are still held.
    fn give_back(&mut self, vm: &Vm) -> Result<(), Error> {
        while let Some(&channel) = self.vpci_vmbus_guids.last() {
            vpci(vm)?.remove(channel)?;
            self.vpci_vmbus_guids.pop();
        }
        while let Some(&id) = self.plan9_reservation_ids.last() {
            plan9(vm)?.unmap_from_guest(id)?;
            self.plan9_reservation_ids.pop();
        }
        while let Some(&id) = self.scsi_reservation_ids.last() {
            scsi(vm)?.unmap_from_guest(id)?;
            self.scsi_reservation_ids.pop();
        }
        let Some(layers) = &mut self.layers else { return Ok(()) };
        if layers.layers_combined {
            let Binding { host, vm } = vm.binding()?;
            host.remove_layers(&vm, &layers.rootfs_path)?;
            layers.layers_combined = false;
        }
        if let Some(layer) = &layers.scratch {
            scsi(vm)?.unmap_from_guest(layer.reservation_id)?;
            layers.scratch = None;
        }
        while let Some(layer) = layers.ro_layers.last() {
            scsi(vm)?.unmap_from_guest(layer.reservation_id)?;
            layers.ro_layers.pop();
        }
        self.layers = None;
        Ok(())
    }
}

fn reserve(vm: &Vm, disk: &DiskConfig, mount: &MountConfig) -> Result<Layer, Error> {
    let reservation_id = scsi(vm)?.reserve(disk.clone(), 0, mount.clone())?;
    Ok(Layer { reservation_id, guest_path: String::new() })
}

fn map_layer(vm: &Vm, layer: Option<&mut Layer>) -> Result<(), Error> {
    if let Some(layer) = layer {
        layer.guest_path = scsi(vm)?.map_to_guest(layer.reservation_id)?;
    }
    Ok(())
}
