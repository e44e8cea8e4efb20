//! Shares: their folders, configurations and stages, and those of their mounts.

use std::path::{Path, PathBuf};

use snapshot_core::{Error, Snapshot};
use snapshot_proto::lcow::v1::plan9_snapshot as pb;

use crate::lcow::host::SharedFolder;

/// The stage of a share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = pb::ShareStage)]
pub enum ShareStage {
    /// Planned: not yet added to the VM.
    #[default]
    Reserved,
    /// Added to the VM.
    Added,
    /// Added, but unusable: only removal is possible.
    Invalid,
    /// Removed from the VM.
    Removed,
}

/// The stage of a share's mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = pb::MountStage)]
pub enum ShareMountStage {
    /// Planned: the guest has not been asked yet.
    #[default]
    Reserved,
    /// Mounted in the guest.
    Mounted,
    /// The guest failed to mount it: only unmounting is possible.
    Invalid,
    /// Unmounted from the guest.
    Unmounted,
}

/// The configuration of a share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::ShareConfig)]
pub struct ShareConfig {
    /// Whether the guest can only read it.
    pub read_only: bool,
    /// Whether only the files in `allowed_names` are visible.
    pub restrict: bool,
    /// Names of the visible files, used with `restrict`.
    pub allowed_names: Vec<String>,
}

/// A share's mount in the guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::MountState)]
pub struct ShareMount {
    /// Whether it is mounted read-only.
    pub read_only: bool,
    /// Its stage.
    #[snapshot(stage, field = state)]
    pub stage: ShareMountStage,
    /// The number of reservations that hold it.
    pub ref_count: u32,
    /// The path in the guest where it is mounted; empty until then.
    pub guest_path: String,
}

/// One shared folder.
#[derive(Clone, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::ShareState)]
pub struct Share {
    /// The share's name on the VM, made from the counter.
    pub name: String,
    /// Its configuration.
    pub config: ShareConfig,
    /// Its stage.
    #[snapshot(stage, field = state)]
    pub stage: ShareStage,
    /// Its mount in the guest; absent while there is none.
    pub mount: Option<ShareMount>,
}

impl Share {
    pub(super) fn folder(&self, path: PathBuf) -> SharedFolder {
        SharedFolder { name: self.name.clone(), path, config: self.config.clone() }
    }

    /// Holds the share once more, if it has the requested configuration and is not being removed.
    pub(super) fn hold(&mut self, path: &Path, config: &ShareConfig) -> Result<(), Error> {
        let path = path.display();
        if self.config != *config {
            return Err(Error::precondition(format!(
                "{path} is shared with other settings: {:?}",
                self.config
            )));
        }
        let mount = self.mount.get_or_insert_with(ShareMount::default);
        let live = matches!(self.stage, ShareStage::Reserved | ShareStage::Added)
            && matches!(mount.stage, ShareMountStage::Reserved | ShareMountStage::Mounted);
        if !live {
            return Err(Error::precondition(format!(
                "the share of {path} is {:?}, its mount {:?}: try again later",
                self.stage, mount.stage
            )));
        }
        mount.ref_count = mount.ref_count.checked_add(1).ok_or_else(|| {
            Error::precondition(format!("the share of {path} cannot be held once more"))
        })?;
        Ok(())
    }
}
