//! The report of a migration: what happened, as plain data that can be kept, sent and drawn.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::{Failure, Outcome, Phase, Session, Undo};
use crate::Error;
#[cfg(feature = "json")]
use crate::path::in_json;

/// Defines the types of the report: plain data, serialisable with the feature `json`.
macro_rules! plain_data {
    ($($(#[$doc:meta])* pub struct $name:ident {
        $($(#[$field_doc:meta])* pub $field:ident: $type:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* #[cfg_attr(feature = "json", serde(default))] pub $field: $type,)*
        }
    )*};
}

plain_data! {
    /// The events of a migration, on one side or on both: phases, controllers, sizes, errors, undo.
    /// The tool `snapshot timeline` draws it; attach it to a bug report.
    ///
    /// Times are in nanoseconds. The times of one side come from a clock that never jumps. The
    /// offset between the two sides comes from the clocks of their hosts.
    ///
    /// ```
    /// use snapshot_core::{Code, Error, MigrationReport, Phase, Session};
    ///
    /// let session = Session::new();
    /// let reason = "schema version 9, but this build reads version 1";
    /// let error = Error::new(Code::Unimplemented, reason);
    /// let side = session.report("source").failed_in(Phase::Preflight, &error);
    /// let report = MigrationReport::new([side]);
    /// # #[cfg(feature = "json")] {
    /// let text = report.to_json();
    /// assert_eq!(MigrationReport::from_json(text.as_bytes())?, report);
    /// # }
    /// # Ok::<(), Error>(())
    /// ```
    pub struct MigrationReport {
        /// The version of this format, [`MigrationReport::FORMAT`].
        pub format: u32,
        /// The sides, the source first.
        pub sides: Vec<SideReport>,
    }

    /// The events on one side.
    pub struct SideReport {
        /// The name of the side: `source` or `destination`.
        pub side: String,
        /// The start of its session, in nanoseconds since 1970 by the host's clock.
        pub started_ns: u64,
        /// The phases that have ended, in the order of their ends.
        pub phases: Vec<PhaseReport>,
        /// The hooks that have ended, in the order of their ends.
        pub hooks: Vec<HookReport>,
        /// The bytes that each controller saved, parents first.
        pub saved: Vec<SavedReport>,
        /// Stages that controllers have entered on their own while they were moved.
        pub late_stages: Vec<LateStageReport>,
        /// The time in which the controllers stood still.
        pub blackout: Option<BlackoutReport>,
        /// The reason why the side failed.
        pub failure: Option<FailureReport>,
    }

    /// A phase.
    pub struct PhaseReport {
        /// Its name, as in [`Phase::as_str`](super::Phase::as_str).
        pub phase: String,
        /// The start, from the start of the session.
        pub began_ns: u64,
        /// The duration.
        pub took_ns: u64,
        /// Whether it succeeded.
        pub succeeded: bool,
    }

    /// A hook of a controller in a phase.
    pub struct HookReport {
        /// The controller's id.
        pub controller: String,
        /// The type URL of its payload.
        pub type_url: String,
        /// The phase.
        pub phase: String,
        /// The start, from the start of the session.
        pub began_ns: u64,
        /// The duration, including waits.
        pub took_ns: u64,
        /// Whether it succeeded.
        pub succeeded: bool,
    }

    /// The size of a saved controller.
    pub struct SavedReport {
        /// The controller's id.
        pub controller: String,
        /// The type URL of its payload.
        pub type_url: String,
        /// The length of its payload without those of its children.
        pub bytes: u64,
    }

    /// A stage that a controller has entered on its own while it was moved.
    pub struct LateStageReport {
        /// The controller's id.
        pub controller: String,
        /// The type URL of its payload.
        pub type_url: String,
        /// The phase that found it.
        pub phase: String,
        /// The Rust name of the stage in which the framework had left it.
        pub expected: String,
        /// The Rust name of the stage in which it was found.
        pub found: String,
        /// Whether the controller stayed in that stage, as after a thaw or a resume.
        pub kept: bool,
    }

    /// The time in which the controllers stood still.
    pub struct BlackoutReport {
        /// The start, from the start of the session.
        pub began_ns: u64,
        /// The duration; if it still lasts, until the report.
        pub took_ns: u64,
    }

    /// The reason why a side failed, and its undo.
    pub struct FailureReport {
        /// The phase that failed.
        pub phase: String,
        /// The code of the first finding, as gRPC spells it.
        pub code: String,
        /// All problems.
        pub findings: Vec<FindingReport>,
        /// The number of findings that were omitted because there were too many.
        pub dropped: u64,
        /// The errors of the undo; empty if every existing undo hook succeeded.
        pub undo: Vec<FindingReport>,
        /// Every controller of the tree, parents first; empty if the side failed before the first
        /// hook.
        pub controllers: Vec<ControllerOutcome>,
    }

    /// One problem.
    pub struct FindingReport {
        /// Its code, as gRPC spells it.
        pub code: String,
        /// The controller's id, if one is known.
        pub controller: Option<String>,
        /// The field; empty if the problem is not about one.
        pub path: String,
        /// The problem.
        pub reason: String,
        /// The byte offset in the input, if one is known.
        pub offset: Option<u64>,
    }

    /// The outcome of a controller in the phase that failed.
    pub struct ControllerOutcome {
        /// The controller's id.
        pub controller: String,
        /// The type URL of its payload.
        pub type_url: String,
        /// The outcome of its hook: `not begun`, `done`, `failed` or `cut short`.
        pub outcome: String,
        /// The outcome of its undo hook: `not run`, `nothing` (there is none), `done` or `failed`.
        pub undo: String,
    }
}

impl MigrationReport {
    /// The version of the format that this build writes.
    pub const FORMAT: u32 = 1;

    /// Creates the report of these sides.
    pub fn new(sides: impl IntoIterator<Item = SideReport>) -> Self {
        Self { format: Self::FORMAT, sides: sides.into_iter().collect() }
    }

    /// Returns the blackout of a migration that succeeded: from the start of the source's freeze to
    /// the end of the destination's resume, in which the tree runs nowhere. `None` if one of these
    /// phases is missing.
    ///
    /// Between two hosts, its accuracy is that of their clocks.
    pub fn blackout(&self) -> Option<Duration> {
        let phases = |name: &'static str| {
            let sides = self.sides.iter();
            let phases = sides.flat_map(|side| side.phases.iter().map(move |phase| (side, phase)));
            phases.filter(move |(_, phase)| phase.phase == name && phase.succeeded)
        };
        let began = |(side, phase): (&SideReport, &PhaseReport)| {
            side.started_ns.saturating_add(phase.began_ns)
        };
        let freeze = phases(Phase::Freeze.as_str()).map(began).next_back()?;
        let mut resume =
            phases(Phase::Resume.as_str()).map(|at| began(at).saturating_add(at.1.took_ns));
        Some(Duration::from_nanos(resume.next_back()?.checked_sub(freeze)?))
    }

    /// Returns the report as JSON, with a line for each member. Characters that would act on a
    /// terminal are escaped.
    #[cfg(feature = "json")]
    pub fn to_json(&self) -> String {
        // Plain data without maps always fits in JSON.
        in_json(serde_json::to_string_pretty(self).unwrap_or_default())
    }

    /// Reads a report from JSON.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) if the text is not a report,
    /// [`Code::Unimplemented`](crate::Code::Unimplemented) for another version of the format.
    #[cfg(feature = "json")]
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let report: Self = serde_json::from_slice(json).map_err(|error| {
            Error::invalid(format!("not the report of a migration: {error}")).with_source(error)
        })?;
        match report.format {
            0 => Err(Error::invalid("not the report of a migration: it has no format")),
            Self::FORMAT => Ok(report),
            other => Err(Error::new(
                crate::Code::Unimplemented,
                format!("has report format {other}, but this build reads format {}", Self::FORMAT),
            )),
        }
    }
}

impl Session {
    /// Returns the events on this side so far, as plain data. If the side failed, add the reason
    /// with [`SideReport::failed`].
    pub fn report(&self, side: impl Into<String>) -> SideReport {
        let timeline = self.timeline();
        let since = self.started().duration_since(SystemTime::UNIX_EPOCH);
        SideReport {
            side: side.into(),
            started_ns: since.map(nanoseconds).unwrap_or_default(),
            phases: timeline
                .phases
                .iter()
                .map(|time| PhaseReport {
                    phase: time.phase.as_str().to_owned(),
                    began_ns: nanoseconds(time.began),
                    took_ns: nanoseconds(time.took),
                    succeeded: time.succeeded,
                })
                .collect(),
            hooks: timeline
                .controllers
                .iter()
                .map(|time| HookReport {
                    controller: time.id.to_string(),
                    type_url: time.type_url.to_owned(),
                    phase: time.phase.as_str().to_owned(),
                    began_ns: nanoseconds(time.began),
                    took_ns: nanoseconds(time.took),
                    succeeded: time.succeeded,
                })
                .collect(),
            saved: timeline
                .saved
                .iter()
                .map(|saved| SavedReport {
                    controller: saved.id.to_string(),
                    type_url: saved.type_url.to_owned(),
                    bytes: saved.bytes as u64,
                })
                .collect(),
            late_stages: timeline
                .late_stages
                .iter()
                .map(|late| LateStageReport {
                    controller: late.id.to_string(),
                    type_url: late.type_url.to_owned(),
                    phase: late.phase.as_str().to_owned(),
                    expected: late.expected.to_owned(),
                    found: late.found.to_owned(),
                    kept: late.kept,
                })
                .collect(),
            blackout: timeline.blackout_began.zip(timeline.blackout).map(|(began, took)| {
                BlackoutReport { began_ns: nanoseconds(began), took_ns: nanoseconds(took) }
            }),
            failure: None,
        }
    }
}

impl SideReport {
    /// Adds the failure of a phase with its hooks and its undo.
    #[must_use]
    pub fn failed(self, failure: &Failure) -> Self {
        let controllers = failure.controllers().iter().map(|report| ControllerOutcome {
            controller: report.id.to_string(),
            type_url: report.type_url.to_owned(),
            outcome: outcome_name(report.outcome).to_owned(),
            undo: undo_name(report.undo).to_owned(),
        });
        let controllers = controllers.collect();
        let undo = failure.undo_error().map(findings).unwrap_or_default();
        let mut report = self.failed_in(failure.phase(), failure.cause());
        report.failure = report.failure.map(|f| FailureReport { undo, controllers, ..f });
        report
    }

    /// Adds a failure without hooks: of a phase that has none, of the other side as it reported it,
    /// or of the program's own step between the phases.
    #[must_use]
    pub fn failed_in(mut self, phase: impl fmt::Display, cause: &Error) -> Self {
        self.failure = Some(FailureReport {
            phase: phase.to_string(),
            code: cause.code().as_str().to_owned(),
            findings: findings(cause),
            dropped: cause.dropped() as u64,
            ..FailureReport::default()
        });
        self
    }
}

fn findings(error: &Error) -> Vec<FindingReport> {
    let findings = error.findings().map(|finding| FindingReport {
        code: finding.code().as_str().to_owned(),
        controller: finding.controller().map(ToString::to_string),
        path: finding.path().to_string(),
        reason: finding.reason().to_owned(),
        offset: finding.offset().map(|offset| offset as u64),
    });
    findings.collect()
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NotBegun => "not begun",
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::CutShort => "cut short",
    }
}

fn undo_name(undo: Undo) -> &'static str {
    match undo {
        Undo::NotRun => "not run",
        Undo::Nothing => "nothing",
        Undo::Done => "done",
        Undo::Failed => "failed",
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
