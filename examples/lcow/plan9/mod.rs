//! The VM's Plan 9 shares: the host's folders that the guest mounts, and who holds them.
//!
//! hcsshim refuses to save while there is a share, since it cannot name the folder on the other
//! host. Here the destination's plan names it.

mod share;

use std::collections::HashMap;
use std::ops::DerefMut;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use snapshot_core::{Context, Controller, Error, Gate, Snapshot, refresh};
use snapshot_proto::lcow::v1 as pb;
use uuid::Uuid;

pub use share::{Share, ShareConfig, ShareMount, ShareMountStage, ShareStage};

use super::host::{Binding, Host, SharedFolder};
use super::lock;
use super::migration::enter;
use super::plan::PatchPlan;
use super::vm::Vm;

/// The Plan 9 controller's state.
#[derive(Debug, Default, Snapshot)]
#[snapshot(message = pb::Plan9Snapshot, version = 1, controller = Plan9)]
pub struct Plan9State {
    /// Whether new shares must be read-only.
    pub no_writable_file_shares: bool,
    /// The counter for share names. It only grows, so that no name is used twice.
    pub name_counter: u64,
    /// The shares by the folder on the host.
    #[snapshot(defines = "plan9.share")]
    pub shares: HashMap<PathBuf, Share>,
    /// The share that each reservation holds. Containers refer to these ids.
    #[snapshot(defines = "plan9.reservation", refers(values = "plan9.share"))]
    pub reservations: HashMap<Uuid, PathBuf>,
    /// Closed from the freeze to the thaw, and from the import to the resume.
    #[snapshot(skip)]
    pub(super) gate: Gate,
    #[snapshot(skip)]
    pub(super) binding: Option<Binding>,
}

/// The Plan 9 controller.
#[derive(Debug, Default)]
pub struct Plan9 {
    state: Mutex<Plan9State>,
}

impl Plan9 {
    /// Creates the shares of a VM that does not exist yet. With `no_writable_file_shares` every
    /// share must be read-only.
    pub fn new(no_writable_file_shares: bool) -> Self {
        let state = Plan9State { no_writable_file_shares, ..Plan9State::default() };
        Self { state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Plan9State> {
        lock(&self.state)
    }

    pub(super) fn bind(&self, binding: Binding) {
        self.lock().binding = Some(binding);
    }

    /// Returns the shared folders of the VM.
    pub(super) fn added(&self) -> Vec<SharedFolder> {
        let state = self.lock();
        let added = state.shares.iter().filter(|(_, share)| share.stage == ShareStage::Added);
        let mut folders: Vec<_> = added.map(|(path, share)| share.folder(path.clone())).collect();
        folders.sort_by(|a, b| a.name.cmp(&b.name));
        folders
    }

    /// Plans a share of a folder and its mount. A folder that is shared already is held once more.
    ///
    /// # Errors
    ///
    /// The controller is migrating, the VM allows no writable shares, or the folder is shared with
    /// other settings.
    pub fn reserve(
        &self,
        host_path: impl Into<PathBuf>,
        config: ShareConfig,
    ) -> Result<Uuid, Error> {
        let host_path = host_path.into();
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the Plan 9 controller".to_owned())?;
        if state.no_writable_file_shares && !config.read_only {
            return Err(Error::precondition(format!(
                "the VM was created without writable shares: share {} read-only",
                host_path.display()
            )));
        }
        match state.shares.get_mut(&host_path) {
            Some(share) => share.hold(&host_path, &config)?,
            None => {
                let next = state
                    .name_counter
                    .checked_add(1)
                    .ok_or_else(|| Error::precondition("the VM has used up all share names"))?;
                let mount = ShareMount {
                    read_only: config.read_only,
                    ref_count: 1,
                    ..ShareMount::default()
                };
                let share = Share {
                    name: state.name_counter.to_string(),
                    config,
                    stage: ShareStage::Reserved,
                    mount: Some(mount),
                };
                state.name_counter = next;
                state.shares.insert(host_path.clone(), share);
            }
        }
        let id = Uuid::new_v4();
        state.reservations.insert(id, host_path);
        Ok(id)
    }

    /// Adds and mounts the share of a reservation, if that is not done yet. Returns its path in the
    /// guest.
    ///
    /// # Errors
    ///
    /// The controller is migrating, there is no such reservation, or the host or guest refuses; a
    /// share that was added for it is removed again.
    pub fn map_to_guest(&self, reservation: Uuid) -> Result<String, Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the Plan 9 controller".to_owned())?;
        let (Binding { host, vm }, path, share) = state.held(reservation)?;
        let add = share.stage == ShareStage::Reserved;
        if add {
            host.add_share(&vm, &share.folder(path))?;
            share.stage = ShareStage::Added;
        }
        let name = share.name.clone();
        let mount = share.mount.get_or_insert_with(ShareMount::default);
        if mount.stage == ShareMountStage::Reserved {
            let guest_path = format!("/run/mounts/plan9/{name}");
            if let Err(error) = host.mount_share(&vm, &name, &guest_path, mount.read_only) {
                if !add {
                    return Err(error);
                }
                return match host.remove_share(&vm, &name) {
                    Ok(()) => {
                        share.stage = ShareStage::Reserved;
                        Err(error)
                    }
                    Err(undo) => {
                        share.stage = ShareStage::Invalid;
                        Err(error.and(undo))
                    }
                };
            }
            mount.stage = ShareMountStage::Mounted;
            mount.guest_path = guest_path;
        }
        Ok(mount.guest_path.clone())
    }

    /// Releases a reservation. The last one unmounts and removes the share.
    ///
    /// # Errors
    ///
    /// The controller is migrating, there is no such reservation, or the host or guest refuses.
    /// Then the reservation stays, and a second call continues where the first one stopped.
    pub fn unmap_from_guest(&self, reservation: Uuid) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the Plan 9 controller".to_owned())?;
        let (Binding { host, vm }, path, share) = state.held(reservation)?;
        if let Some(mount) = &mut share.mount {
            if mount.ref_count > 1 {
                mount.ref_count -= 1;
                state.reservations.remove(&reservation);
                return Ok(());
            }
            if mount.stage == ShareMountStage::Mounted {
                host.unmount_share(&vm, &mount.guest_path)?;
                mount.stage = ShareMountStage::Unmounted;
            }
        }
        if matches!(share.stage, ShareStage::Added | ShareStage::Invalid) {
            host.remove_share(&vm, &share.name)?;
            share.stage = ShareStage::Removed;
        }
        state.shares.remove(&path);
        state.reservations.remove(&reservation);
        Ok(())
    }
}

impl Plan9State {
    /// Returns the object that a reservation holds, and the VM.
    fn held(&mut self, id: Uuid) -> Result<(Binding, PathBuf, &mut Share), Error> {
        let Some(binding) = self.binding.clone() else {
            return Err(Error::precondition("the VM does not exist yet: create it first"));
        };
        let Some(path) = self.reservations.get(&id).cloned() else {
            return Err(Error::invalid(format!("there is no Plan 9 reservation {id}")));
        };
        match self.shares.get_mut(&path) {
            Some(share) => Ok((binding, path, share)),
            None => Err(Error::internal(format!(
                "reservation {id} is of {}, which is not shared",
                path.display()
            ))),
        }
    }

    /// Checks the conditions for a migration that are not references, before the freeze and on
    /// import.
    fn check(&self) -> Result<(), Error> {
        Error::collect(
            [self.check_stages(), self.check_consistency()].into_iter().filter_map(Result::err),
        )
    }

    /// Refuses to move a share or mount that is neither planned nor in use.
    fn check_stages(&self) -> Result<(), Error> {
        let mut errors = Vec::new();
        for (path, share) in &self.shares {
            let mut found = Vec::new();
            if !matches!(share.stage, ShareStage::Reserved | ShareStage::Added) {
                found.push(Error::precondition(format!(
                    "is {:?}: only a Reserved or Added share can move",
                    share.stage
                )));
            }
            if let Some(mount) = &share.mount
                && !matches!(mount.stage, ShareMountStage::Reserved | ShareMountStage::Mounted)
            {
                let error = Error::precondition(format!(
                    "is {:?}: only a Reserved or Mounted mount can move",
                    mount.stage
                ));
                found.push(error.in_field("mount"));
            }
            errors.extend(found.into_iter().map(|error| in_share(error, path)));
        }
        Error::collect(errors)
    }

    /// Checks the consistency of the state beyond its references, whatever the stages of its
    /// shares: every share is held as often as its count says.
    pub(super) fn check_consistency(&self) -> Result<(), Error> {
        let mut errors = Vec::new();
        let mut held: HashMap<&PathBuf, u32> = HashMap::new();
        for path in self.reservations.values() {
            *held.entry(path).or_default() += 1;
        }
        for (path, share) in &self.shares {
            let held = held.get(path).copied().unwrap_or(0);
            let error = match &share.mount {
                Some(mount) if mount.ref_count != held => {
                    let count = mount.ref_count;
                    Error::invalid(format!("is {count}, but {held} reservations hold the share"))
                        .in_field("ref_count")
                }
                None if held > 0 => {
                    Error::invalid(format!("is missing, but {held} reservations hold it"))
                }
                Some(_) | None => continue,
            };
            errors.push(in_share(error.in_field("mount"), path));
        }
        Error::collect(errors)
    }

    /// Moves every share to its folder on this host.
    fn move_to(&mut self, plan: &PatchPlan, host: &Host) -> Result<(), Error> {
        let mut shares = HashMap::with_capacity(self.shares.len());
        for (path, share) in &self.shares {
            let here = plan.share(path);
            let located =
                |error: Error| error.in_key(path.display().to_string()).in_field("shares");
            host.check_folder(&here).map_err(located)?;
            if shares.insert(here.clone(), share.clone()).is_some() {
                let error = Error::invalid(format!(
                    "the plan puts two shares in {}: give each its own folder",
                    here.display()
                ));
                return Err(located(error));
            }
        }
        for path in self.reservations.values_mut() {
            *path = plan.share(path);
        }
        self.shares = shares;
        Ok(())
    }
}

/// Adds the share of this folder to the path of an error.
fn in_share(error: Error, path: &Path) -> Error {
    error.in_key(path.display().to_string()).in_field("shares")
}

impl Controller for Plan9 {
    type State = Plan9State;

    fn state(&self) -> impl DerefMut<Target = Plan9State> + '_ {
        self.lock()
    }

    fn import(mut state: Plan9State) -> Result<Self, Error> {
        state.check()?;
        state.gate = Gate::closed();
        Ok(Self { state: Mutex::new(state) })
    }

    async fn freeze(&self, cx: &Context) -> Result<(), Error> {
        let vm = cx.find::<Vm>()?;
        if let Some(vm) = &vm {
            vm.end_operations().await;
        }
        let closed = self.lock().gate.close();
        closed.await;
        // From here on this device refuses each of them.
        if let Some(vm) = &vm {
            vm.allow_operations();
        }
        self.lock().check()
    }

    async fn thaw(&self, cx: &Context) -> Result<(), Error> {
        if let Some(vm) = cx.find::<Vm>()? {
            vm.allow_operations();
        }
        self.lock().gate.open();
        Ok(())
    }

    fn refresh(&self, state: &mut Plan9State, later: Plan9State) -> Result<(), Error> {
        later.check()?;
        refresh(state, later);
        Ok(())
    }

    /// Checks the folders on this host, so that a missing one is found before the freeze.
    async fn prepare(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let host = cx.resource::<Host>()?;
        let state = self.lock();
        let checked = state.shares.keys().map(|path| {
            host.check_folder(&plan.share(path)).map_err(|error| in_share(error, path))
        });
        Error::collect(checked.filter_map(Result::err))
    }

    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let host = cx.resource::<Host>()?;
        self.lock().move_to(&plan, &host)
    }

    async fn resume(&self, _: &Context) -> Result<(), Error> {
        self.lock().gate.open();
        Ok(())
    }

    /// Does nothing to the shares: they end with the VM.
    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        Ok(())
    }
}
