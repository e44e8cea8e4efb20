//! A running controller without its type, as the orchestrator sees it.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::address::address;
use super::lock::{Board, with_state, with_state_by};
use super::{Context, Controller, Hook};
use crate::codec::Writer;
use crate::error::Error;
use crate::panics::quietly;
use crate::payload::{Payload, StageRules, State, TypeInfo, type_url_of};
use crate::visit::Visit;

pub(crate) type HookFuture<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// The facts that a controller states about itself.
pub(crate) struct Account {
    /// Its name among its siblings.
    pub(crate) own_name: Option<String>,
    /// The number of its stage.
    pub(crate) stage: Option<i32>,
}

/// A controller without its type. Implemented for every [`Controller`].
///
/// The methods that are called for one controller after the other take the board of this thread, which
/// the caller looks up once. The others look it up themselves.
pub(crate) trait Node: Send + Sync + 'static {
    fn info(&self) -> &'static TypeInfo;
    /// Writes the controller as the value of an `Any` field, with the length and without the tag.
    fn put_any(&self, w: &mut Writer) -> Result<(), Error>;
    /// Writes the payload alone: the content of the `Any` around it.
    fn put_payload(&self, w: &mut Writer) -> Result<(), Error>;
    /// Shows the controllers and the names in its state to `visit`.
    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error>;
    /// Visits its state and returns its account, under one lock.
    fn meet(&self, visit: &mut Visit<'_>, board: Option<&Board>) -> (Account, Result<(), Error>);
    fn own_name(&self) -> Option<String>;
    fn set_stage_number(&self, number: i32, board: Option<&Board>) -> Result<(), Error>;
    /// Enters the stage `to` from the stage `from`, behind one lock. If the controller was in another
    /// one, that goes to `own`, and it enters `to` only unless `keeps_own`.
    fn leave_stage(
        &self,
        from: i32,
        to: Option<i32>,
        keeps_own: bool,
        own: &mut Option<i32>,
        board: Option<&Board>,
    ) -> Result<(), Error>;
    /// Enters the stage of a frozen controller, if the current stage may be saved. Stores the
    /// current stage in `before` first.
    fn freeze_stage(
        &self,
        rules: &StageRules,
        before: &mut Option<i32>,
        board: Option<&Board>,
    ) -> Result<(), Error>;
    fn hook<'a>(&'a self, hook: Hook, cx: &'a Context) -> HookFuture<'a>;
    /// Replaces the state by a later one of its type, under one lock. The stage must be `expected`,
    /// in which the import left the controller.
    fn refresh(&self, later: Box<dyn Any>, expected: Option<i32>) -> Result<(), Error>;
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// Writes a state. If its controller is frozen, the state is written in the stage that it had
/// before. Nobody sees the difference, because the lock is held until the frozen stage is back.
fn put_state<P: Payload>(state: &mut P, address: usize, w: &mut Writer) -> Result<(), Error> {
    let found = state.stage_number();
    let stages = w.begin_controller(address, P::TYPE_URL, found).zip(found);
    let Some((before, frozen)) = stages.filter(|(before, frozen)| before != frozen) else {
        return w.caught(|w| state.put_fields(w));
    };
    state.set_stage_number(before)?;
    let put = w.caught(|w| state.put_fields(w));
    match state.set_stage_number(frozen) {
        Ok(()) => put,
        Err(error) => Err(put.err().map_or(error.clone(), |put| put.and(error))),
    }
}

#[cold]
fn stage_changed(rules: Option<&StageRules>, expected: Option<i32>, found: Option<i32>) -> Error {
    let name = |stage: Option<i32>| rules.zip(stage).map_or("(none)", |(rules, at)| rules.name(at));
    Error::precondition(format!(
        "its stage changed from {} to {} after its import: hold such events back until the resume, \
         because the state is the source's",
        name(expected),
        name(found)
    ))
}

/// Adds the name that a payload gives itself to its error.
#[cold]
#[inline(never)]
fn with_own_name<P: Payload>(state: &P, error: Error) -> Error {
    match quietly(|| state.own_name()).flatten() {
        Some(name) => error.with_name(&name),
        None => error,
    }
}

impl<C: Controller> Node for C {
    fn info(&self) -> &'static TypeInfo {
        const { &TypeInfo::of::<C>() }
    }

    fn put_any(&self, w: &mut Writer) -> Result<(), Error> {
        let mark = w.position();
        w.deeper(1, |w| self.put_payload(w))?;
        crate::codec::close_any(mark, type_url_of::<C::State>(w), w);
        Ok(())
    }

    fn put_payload(&self, w: &mut Writer) -> Result<(), Error> {
        let mark = w.position();
        let put = with_state(self, |state| {
            let put = w.deeper(1, |w| {
                w.payload(C::State::TYPE_URL, |w| put_state(state, address(self), w))
            });
            match put {
                Ok(()) => Ok(()),
                Err(error) => Err(with_own_name(state, error)),
            }
        });
        match put {
            Ok(()) => {
                w.end_controller(address(self), mark);
                Ok(())
            }
            Err(error) => Err(error.in_payload(C::State::MESSAGE_NAME)),
        }
    }

    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        with_state(self, |state| state.visit_fields(visit))
    }

    fn meet(&self, visit: &mut Visit<'_>, board: Option<&Board>) -> (Account, Result<(), Error>) {
        let mut met = Account { own_name: None, stage: None };
        let visited = with_state_by(self, board, |state| {
            met.stage = state.stage_number();
            met.own_name = state.own_name();
            state.visit_fields(visit)
        });
        (met, visited)
    }

    fn own_name(&self) -> Option<String> {
        // If the name is unknown, the read of the fields reports the reason.
        with_state(self, |state| Ok(state.own_name())).unwrap_or_default()
    }

    fn set_stage_number(&self, number: i32, board: Option<&Board>) -> Result<(), Error> {
        with_state_by(self, board, |state| state.set_stage_number(number))
    }

    fn leave_stage(
        &self,
        from: i32,
        to: Option<i32>,
        keeps_own: bool,
        own: &mut Option<i32>,
        board: Option<&Board>,
    ) -> Result<(), Error> {
        with_state_by(self, board, |state| {
            *own = state.stage_number().filter(|&stage| stage != from);
            match to {
                Some(to) if own.is_none() || !keeps_own => state.set_stage_number(to),
                _ => Ok(()),
            }
        })
    }

    fn freeze_stage(
        &self,
        rules: &StageRules,
        before: &mut Option<i32>,
        board: Option<&Board>,
    ) -> Result<(), Error> {
        with_state_by(self, board, |state| {
            *before = state.stage_number();
            rules.check(*before)?;
            match rules.freeze_to {
                Some(stage) => state.set_stage_number(stage),
                None => Ok(()),
            }
        })
    }

    fn hook<'a>(&'a self, hook: Hook, cx: &'a Context) -> HookFuture<'a> {
        match hook {
            Hook::Freeze => Box::pin(self.freeze(cx)),
            Hook::Thaw => Box::pin(self.thaw(cx)),
            Hook::Commit => Box::pin(self.commit(cx)),
            Hook::Prepare => Box::pin(self.prepare(cx)),
            Hook::Patch => Box::pin(self.patch(cx)),
            Hook::Resume => Box::pin(self.resume(cx)),
            Hook::Abort => Box::pin(self.abort(cx)),
        }
    }

    fn refresh(&self, later: Box<dyn Any>, expected: Option<i32>) -> Result<(), Error> {
        let later = later.downcast::<C::State>();
        let later = later.map_err(|_| Error::internal("the later state is of another type"))?;
        with_state(self, |state| {
            let found = state.stage_number();
            if found != expected {
                return Err(stage_changed(C::State::STAGE_RULES, expected, found));
            }
            Controller::refresh(self, state, *later)
        })
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
