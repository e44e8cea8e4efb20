//! Verifies a snapshot: everything that can be known before a controller is built.

use std::cell::Cell;
use std::fmt;

use super::plan::TreePlan;
use super::survey::Surveyor;
use crate::codec::{Quoted, ReadScope, Reader, controller_with, read_bare_any};
use crate::controller::{Described, Loaded, StateOf, described};
use crate::envelope::Snapshot;
use crate::error::{Code, Error, plural};
use crate::panics::caught;
use crate::payload::{TypeInfo, is_type_url_of, take_payload, version_read, wrong_type};
use crate::references::{self, TwinNames};
use crate::registry::registry;
use crate::visit::{ChildCell, StatePlace, Visit, Visitor, Wants};
use crate::{Controller, ControllerId};

/// The content of a verified snapshot.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Preview {
    /// The type URL of the root's payload.
    pub type_url: &'static str,
    /// The length of the root's payload, including all payloads inside, in bytes.
    pub payload_length: usize,
    /// The controllers, parents before children, the root first.
    pub controllers: Vec<PreviewedController>,
}

/// A controller in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreviewedController {
    /// Its id.
    pub id: ControllerId,
    /// The type URL of its payload.
    pub type_url: &'static str,
    /// The schema version of its payload, which may be an older one that this build still reads.
    pub version: u32,
    /// The stage in which it was saved and in which it will be resumed, by its Rust name; `None` if
    /// it has no stage.
    pub stage: Option<&'static str>,
}

impl fmt::Display for Preview {
    /// Writes one line per controller, the root first: id, type URL, version, stage.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, length) = (self.controllers.len(), self.payload_length);
        write!(f, "{count} controller{}, {length} byte{}", plural(count), plural(length))?;
        for PreviewedController { id, type_url, version, stage } in &self.controllers {
            write!(f, "\n{id}: {type_url} version {version}")?;
            if let Some(stage) = stage {
                write!(f, ", {stage}")?;
            }
        }
        Ok(())
    }
}

/// A decoded tree of states that has passed every check.
pub(crate) struct Verified<T> {
    pub(crate) root: T,
    pub(crate) plan: TreePlan,
    /// The stages on the wire, in the order of the plan.
    pub(crate) stages: Vec<Option<i32>>,
    /// The schema versions of the payloads, in the same order.
    versions: Vec<u32>,
}

impl<T> Verified<T> {
    pub(crate) fn preview(&self, snapshot: &Snapshot) -> Preview {
        let units = self.plan.ids().zip(self.plan.units());
        let controllers = units.zip(&self.stages).zip(&self.versions);
        Preview {
            type_url: self.plan.units()[0].info.type_url,
            payload_length: snapshot.payload().len(),
            controllers: controllers
                .map(|(((id, unit), stage), &version)| PreviewedController {
                    id: id.clone(),
                    type_url: unit.info.type_url,
                    version,
                    stage: unit.info.stage_rules.zip(*stage).map(|(rules, n)| rules.name(n)),
                })
                .collect(),
        }
    }
}

/// Decodes and verifies a snapshot whose root is an `R`.
pub(crate) fn decode<R: Controller>(snapshot: &Snapshot) -> Result<Verified<StateOf<R>>, Error> {
    registry()?;
    let (root, VerifiedTree { plan, stages, versions }) =
        decode_root(snapshot, take_root::<R>, |root| root)?;
    Ok(Verified { root, plan, stages, versions })
}

/// Decodes the root of a snapshot, which must be an `R`.
pub(super) fn take_root<R: Controller>(
    type_url: &str,
    r: &mut Reader<'_>,
) -> Result<StateOf<R>, Error> {
    if is_type_url_of::<R::State>(type_url) {
        r.charge(controller_with::<StateOf<R>>())?;
        let state = take_payload(r)?;
        Ok(StateOf::new(state, version_read::<R::State>(r)))
    } else {
        Err(wrong_type::<R::State>(type_url))
    }
}

/// Decodes and verifies a snapshot whose root is of any registered type.
pub(crate) fn decode_any(snapshot: &Snapshot) -> Result<Preview, Error> {
    let registry = registry()?;
    let take = |type_url: &str, r: &mut Reader<'_>| match registry.get(type_url) {
        Some(registration) => registration.take(r),
        None => {
            let reason = format!("no controller is registered for type URL {}", Quoted(type_url));
            Err(Error::new(Code::Unimplemented, reason))
        }
    };
    let (root, VerifiedTree { plan, stages, versions }) =
        decode_root(snapshot, take, |root| root.as_loaded())?;
    Ok(Verified { root, plan, stages, versions }.preview(snapshot))
}

/// The facts about an ordered tree: its plan, and in the order of the plan the stages and the
/// schema versions on the wire.
struct VerifiedTree {
    plan: TreePlan,
    stages: Vec<Option<i32>>,
    versions: Vec<u32>,
}

fn decode_root<T>(
    snapshot: &Snapshot,
    take: impl Fn(&str, &mut Reader<'_>) -> Result<T, Error>,
    as_loaded: impl Fn(&T) -> &dyn Loaded,
) -> Result<(T, VerifiedTree), Error> {
    let (any, base) = snapshot.any();
    let limits = snapshot.limits();
    // The states leave the rest of the budget for their references.
    let left = Cell::new(0);
    let read = |scope: Option<&'static dyn ReadScope>| {
        caught(|| {
            read_bare_any(any, base, limits.memory_for(any.len()), |type_url, r| {
                if let Some(scope) = scope {
                    r.set_scope(scope);
                }
                let taken = take(type_url, r);
                left.set(r.memory_left());
                taken
            })
        })
    };
    match read(None) {
        Ok(root) => {
            let in_order =
                caught(|| verify(as_loaded(&root), limits.name, left.get(), Completeness::All))?;
            return Ok((root, in_order));
        }
        // The rest is unknown, and reading it would take as much memory again.
        Err(error) if error.findings().any(|f| f.code() == Code::ResourceExhausted) => {
            return Err(error.at_root());
        }
        Err(_) => {}
    }
    // All errors must be reported together. So a second reading checks the stages: with an
    // unreadable payload there is no tree in which to check them.
    let within = match read(Some(&WithStages)) {
        Ok(_) => Error::internal("decoding failed once and not again"),
        Err(error) => error.at_root(),
    };
    // A third reading leaves out the unreadable payloads and finds the errors among the others. It
    // finds nothing if the root's own payload is unreadable.
    let among = read(Some(&WithoutUnreadable)).ok().and_then(|root| {
        caught(|| verify(as_loaded(&root), limits.name, left.get(), Completeness::SomeLeftOut))
            .err()
    });
    Err(match among {
        Some(among) => within.and(among),
        None => within,
    })
}

/// The scope of the second reading. It looks for all errors within payloads, including those of
/// stages.
#[derive(Debug)]
struct WithStages;

impl ReadScope for WithStages {
    fn looks_closely(&self) -> bool {
        true
    }

    fn checks_stages(&self) -> bool {
        true
    }
}

/// The scope of the third reading. It leaves out unreadable payloads and looks for errors among the
/// rest.
#[derive(Debug)]
struct WithoutUnreadable;

impl ReadScope for WithoutUnreadable {
    fn looks_closely(&self) -> bool {
        true
    }

    fn leaves_out(&self) -> bool {
        true
    }
}

/// Whether all controllers of a tree could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Completeness {
    /// All controllers were read.
    All,
    /// Some were left out. The stages were checked before. A reference without a definition may
    /// refer to a controller that was left out.
    SomeLeftOut,
}

/// Checks the relations between controllers, including references, and the stages.
fn verify(
    root: &dyn Loaded,
    name_limit: usize,
    memory: u64,
    completeness: Completeness,
) -> Result<VerifiedTree, Error> {
    let mut verifier = Verifier {
        surveyor: Surveyor::at_root(root.info(), name_limit),
        completeness,
        stages: Vec::new(),
        versions: Vec::new(),
        checked: None,
        errors: None,
    };
    verifier.meet(0, &Described::of(root));
    verifier.descend(0, |visit| root.visit(visit))?;
    let Verifier { surveyor, stages, versions, mut errors, .. } = verifier;
    let survey = surveyor.finish();
    let references = match completeness {
        // An error in the references would repeat a name that is refused for its length.
        Completeness::All if survey.has_short_names() && survey.has_references() => {
            references::wrong(root.info().message_name, TwinNames::Known, memory, |visit| {
                root.visit(visit)
            })
        }
        Completeness::All | Completeness::SomeLeftOut => Default::default(),
    };
    let plan = match survey.plan() {
        Ok(plan) => Some(plan),
        Err(error) => {
            error.add_to(&mut errors);
            None
        }
    };
    references.into_iter().for_each(|error| error.add_to(&mut errors));
    match (errors, plan) {
        (None, Some(plan)) => Ok(VerifiedTree { plan, stages, versions }),
        (Some(errors), _) => Err(errors),
        (None, None) => Err(Error::internal("the tree cannot be put in order")),
    }
}

struct Verifier {
    surveyor: Surveyor,
    completeness: Completeness,
    stages: Vec<Option<i32>>,
    versions: Vec<u32>,
    /// The type and the stage of the last controller whose stage is right.
    checked: Option<(&'static TypeInfo, Option<i32>)>,
    errors: Option<Error>,
}

impl Verifier {
    fn meet(&mut self, unit: usize, state: &Described) {
        let Described { info, stage, version, .. } = *state;
        // Most controllers are like the one before them.
        let is_checked = self
            .checked
            .is_some_and(|(known, in_stage)| std::ptr::eq(known, info) && in_stage == stage);
        if !is_checked
            && self.completeness == Completeness::All
            && let Some(rules) = info.stage_rules
            && let Err(error) = rules.check(stage)
        {
            error.at_controller(&self.surveyor.id(unit)).add_to(&mut self.errors);
        } else {
            self.checked = Some((info, stage));
        }
        self.stages.push(stage);
        self.versions.push(version);
    }

    /// Recurses no deeper than the reader did.
    fn descend(
        &mut self,
        at: usize,
        parent: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        parent(&mut Visit::new(&mut VerifiedBelow { verifier: self, at }))
    }

    /// Verifies a child of the unit `at`, and everything below it.
    fn child(
        &mut self,
        at: usize,
        place: StatePlace<'_>,
        child: &dyn ChildCell,
    ) -> Result<(), Error> {
        let mut text = String::new();
        let spot = place.spot(&mut text);
        let Some(described) = described(child) else {
            return match self.completeness {
                Completeness::All => Err(Error::internal("a decoded child has no state")),
                Completeness::SomeLeftOut => {
                    self.surveyor.leave_out(at, (spot, &text));
                    Ok(())
                }
            };
        };
        let own_name = described.own_name.as_ref().ok().and_then(|name| name.as_deref());
        let spot = (spot, text.as_str());
        let after = place.follows().map(|_| place.after()).unwrap_or_default();
        let unit = self.surveyor.enter(at, &after, described.info, spot, own_name);
        self.meet(unit, &described);
        if let Err(error) = described.own_name {
            error.at_controller(&self.surveyor.id(unit)).add_to(&mut self.errors);
        }
        if !described.info.is_leaf {
            self.descend(unit, |visit| child.visit(visit))?;
            self.surveyor.leave(unit);
        }
        Ok(())
    }
}

/// Verifies the children in the state of one unit.
struct VerifiedBelow<'v> {
    verifier: &'v mut Verifier,
    at: usize,
}

impl Visitor for VerifiedBelow<'_> {
    fn wants(&self) -> Wants {
        Wants::PLACES
    }

    fn child(&mut self, place: StatePlace<'_>, child: &dyn ChildCell) -> Result<(), Error> {
        self.verifier.child(self.at, place, child)
    }
}
