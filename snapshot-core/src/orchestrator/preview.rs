//! Verifying a snapshot: everything that can be known before a controller is built.

use std::fmt;

use super::plan::{Plan, Survey};
use crate::caught::caught;
use crate::codec::{Reader, read_bare_any, wrong_type};
use crate::controller::{Loaded, StateOf, Walk};
use crate::envelope::Snapshot;
use crate::references::{References, Twins};
use crate::registry::{TypeInfo, registry};
use crate::state::take_payload;
use crate::{Code, Controller, ControllerId, Error, Payload};

/// What a verified snapshot holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Preview {
    /// The type URL of the root's payload.
    pub type_url: &'static str,
    /// The length of the root's payload with all payloads inside, in bytes.
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
    /// The schema version of its payload.
    pub version: u32,
    /// The stage that it was saved in and that it will be resumed in, by its Rust name; `None` if
    /// it has no stage.
    pub stage: Option<&'static str>,
}

impl fmt::Display for Preview {
    /// One line per controller, the root first: id, type URL, version, stage.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.controllers.len();
        write!(f, "{count} controllers, {} bytes", self.payload_length)?;
        for PreviewedController { id, type_url, version, stage } in &self.controllers {
            write!(f, "\n{id}: {type_url} version {version}")?;
            if let Some(stage) = stage {
                write!(f, ", {stage}")?;
            }
        }
        Ok(())
    }
}

/// A decoded tree of states that passed every check.
pub(crate) struct Verified<T> {
    pub(crate) root: T,
    pub(crate) plan: Plan,
    /// The stages on the wire, in the order of the plan.
    pub(crate) stages: Vec<Option<i32>>,
}

impl<T> Verified<T> {
    pub(crate) fn preview(&self, snapshot: &Snapshot) -> Preview {
        let controllers = self.plan.units().iter().zip(&self.stages);
        Preview {
            type_url: self.plan.units()[0].info.type_url,
            payload_length: snapshot.payload().len(),
            controllers: controllers
                .map(|(unit, stage)| PreviewedController {
                    id: unit.id.clone(),
                    type_url: unit.info.type_url,
                    version: unit.info.version,
                    stage: unit.info.stage_rules.zip(*stage).map(|(rules, n)| rules.name(n)),
                })
                .collect(),
        }
    }
}

/// Decodes and verifies a snapshot whose root is an `R`.
pub(crate) fn decode<R: Controller>(snapshot: &Snapshot) -> Result<Verified<StateOf<R>>, Error> {
    registry()?;
    let mut root = decode_root(snapshot, |type_url, r| {
        if type_url == R::State::TYPE_URL {
            take_payload(r).map(StateOf::<R>::new)
        } else {
            Err(wrong_type::<R::State>(type_url))
        }
    })?;
    let (plan, stages) = caught(|| verify(&mut root))?;
    Ok(Verified { root, plan, stages })
}

/// Decodes and verifies a snapshot whose root is of any registered type.
pub(crate) fn decode_any(snapshot: &Snapshot) -> Result<Preview, Error> {
    let registry = registry()?;
    let mut root = decode_root(snapshot, |type_url, r| match registry.get(type_url) {
        Some(registration) => registration.take(r),
        None => {
            let reason = format!("no controller is registered for type URL {type_url:?}");
            Err(Error::new(Code::Unimplemented, reason))
        }
    })?;
    let (plan, stages) = caught(|| verify(root.as_loaded()))?;
    Ok(Verified { root, plan, stages }.preview(snapshot))
}

fn decode_root<T>(
    snapshot: &Snapshot,
    take: impl Fn(&str, &mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let (any, base) = snapshot.any();
    let read = || read_bare_any(any, base, &take);
    caught(read).map_err(|_| {
        // Once more, and this time with the stages: where a payload cannot be read there is no tree
        // to check them in, and all errors are to be told at once.
        let again = || {
            read_bare_any(any, base, |type_url, r| {
                r.check_stages();
                take(type_url, r)
            })
        };
        match caught(again) {
            Ok(_) => Error::internal("decoding failed once and not again"),
            Err(error) => error.at_root(),
        }
    })
}

/// Checks what concerns several controllers, references among them, and the stages.
fn verify(root: &mut dyn Loaded) -> Result<(Plan, Vec<Option<i32>>), Error> {
    let mut verifier =
        Verifier { survey: Survey::of_root(root.info()), stages: Vec::new(), errors: Vec::new() };
    verifier.meet(0, root.info(), root.stage_number());
    verifier.descend(root, 0)?;
    let Verifier { survey, stages, mut errors } = verifier;
    let mut references = References::new(root.info().message_name);
    root.refer_fields(&mut references);
    let references = references.check(Twins::Known);
    match survey.plan() {
        Ok(plan) => {
            errors.extend(references);
            Error::collect(errors).map(|()| (plan, stages))
        }
        Err(error) => {
            errors.push(error);
            errors.extend(references);
            Error::collect(errors).and(Err(Error::internal("the tree cannot be put in order")))
        }
    }
}

struct Verifier {
    survey: Survey,
    stages: Vec<Option<i32>>,
    errors: Vec<Error>,
}

impl Verifier {
    fn meet(&mut self, unit: usize, info: TypeInfo, stage: Option<i32>) {
        if let Some(rules) = info.stage_rules
            && let Err(error) = rules.check(stage)
        {
            self.errors.push(error.at_controller(self.survey.id(unit)));
        }
        self.stages.push(stage);
    }

    /// Recurses no deeper than the reader did.
    fn descend(&mut self, parent: &mut dyn Loaded, at: usize) -> Result<(), Error> {
        parent.walk(&mut Walk::new(&mut |found, cell| {
            let Some(child) = cell.loaded() else {
                return Err(Error::internal("a decoded child has no state"));
            };
            let info = child.info();
            let path = found.path(child.own_name().as_deref());
            let unit = self.survey.enter(at, &path, found.after, info);
            self.meet(unit, info, child.stage_number());
            self.descend(child, unit)?;
            self.survey.leave(unit);
            Ok(())
        }))
    }
}
