//! What a hook may reach.

use std::sync::Arc;

use super::{Controller, ControllerId};
use crate::Error;
use crate::error::Code;
use crate::orchestrator::{Phase, Reach, Resources};

/// What a hook is given: who it is called for, the controllers that this one comes after, and the
/// host's own resources.
pub struct Context {
    id: ControllerId,
    phase: Phase,
    reach: Reach,
    resources: Arc<Resources>,
}
