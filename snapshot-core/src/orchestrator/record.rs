//! The record that a session keeps.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::plan::TreePlan;
use super::timeline::{ControllerTime, LateStage, PhaseTime, SavedBytes};
use super::{Phase, Timeline};

/// The data of a [`Timeline`], in the form that is cheapest to write.
#[derive(Default)]
pub(super) struct TimelineRecord {
    pub(super) phases: Vec<PhaseTime>,
    runs: Vec<Run>,
    /// The bytes that each controller saved, in the order of the plan.
    pub(super) saved: Option<(Arc<TreePlan>, Vec<usize>)>,
    pub(super) late_stages: Vec<LateStage>,
    pub(super) blackout_began: Option<Instant>,
    pub(super) blackout_ended: Option<Instant>,
}

/// The hooks that have ended in one run of a phase.
struct Run {
    plan: Arc<TreePlan>,
    phase: Phase,
    hooks: Vec<HookTime>,
}

/// A hook that has ended, or the hooks of consecutive units that took no time.
pub(crate) struct HookTime {
    pub(crate) units: Range<u32>,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) succeeded: bool,
}

impl TimelineRecord {
    /// Begins a run of hooks in a phase. Returns its number.
    pub(super) fn begin_run(&mut self, plan: &Arc<TreePlan>, phase: Phase) -> usize {
        self.runs.push(Run { plan: Arc::clone(plan), phase, hooks: Vec::new() });
        self.runs.len() - 1
    }

    /// Records hooks of this run that have ended.
    pub(super) fn end_hooks(&mut self, run: usize, hooks: &mut Vec<HookTime>) {
        if let Some(run) = self.runs.get_mut(run) {
            run.hooks.append(hooks);
        }
    }

    /// Returns all of it for people to read, with times from `start`.
    pub(super) fn timeline(&self, start: Instant) -> Timeline {
        let since = |from: Instant, to: Instant| to.saturating_duration_since(from);
        Timeline {
            phases: self.phases.clone(),
            controllers: self.controllers(start),
            saved: self.saved(),
            late_stages: self.late_stages.clone(),
            blackout: self
                .blackout_began
                .map(|began| since(began, self.blackout_ended.unwrap_or_else(Instant::now))),
            blackout_began: self.blackout_began.map(|began| since(start, began)),
        }
    }

    fn controllers(&self, start: Instant) -> Vec<ControllerTime> {
        let mut hooks: Vec<(&Run, &HookTime)> = self
            .runs
            .iter()
            .flat_map(|run| run.hooks.iter().map(move |hook| (run, hook)))
            .collect();
        // Two runs may overlap, if both sides share one session.
        hooks.sort_by_key(|(_, hook)| hook.ended);
        let times = |(run, hook): (&Run, &HookTime)| {
            let began = hook.began.saturating_duration_since(start);
            let took = hook.ended.saturating_duration_since(hook.began);
            let (plan, phase, succeeded) = (Arc::clone(&run.plan), run.phase, hook.succeeded);
            hook.units.clone().map(move |unit| ControllerTime {
                id: plan.id(unit as usize).clone(),
                type_url: plan.info(unit as usize).type_url,
                phase,
                began,
                took,
                succeeded,
            })
        };
        hooks.into_iter().flat_map(times).collect()
    }

    fn saved(&self) -> Vec<SavedBytes> {
        let Some((plan, lengths)) = &self.saved else { return Vec::new() };
        let saved = plan.ids().zip(plan.units()).zip(lengths);
        saved
            .map(|((id, unit), &bytes)| SavedBytes {
                id: id.clone(),
                type_url: unit.info.type_url,
                bytes,
            })
            .collect()
    }
}
