//! Doing what was decided.

use std::collections::VecDeque;

use snapshot_handover::decision::{Action, Event};

/// What comes of an action.
pub(crate) enum Next {
    /// The next action.
    GoOn,
    /// Something has happened that the rest of the actions has to wait for.
    Happened(Event),
    /// There is nothing more to say.
    End,
}

/// Who does what was decided.
pub(crate) trait Hands {
    /// Does it.
    ///
    /// # Errors
    ///
    /// What nobody can decide about.
    fn act(&mut self, action: Action) -> anyhow::Result<Next>;

    /// Waits for the other side.
    fn wait(&mut self) -> Event;
}

/// Goes from decision to decision until there is nothing more to say. Gives the last state.
///
/// # Errors
///
/// Those of [`Hands::act`].
pub(crate) fn drive<S: Copy>(
    hands: &mut impl Hands,
    step: fn(S, Event) -> (S, Vec<Action>),
    (mut state, actions): (S, Vec<Action>),
) -> anyhow::Result<S> {
    let mut todo = VecDeque::from(actions);
    loop {
        let event = match todo.pop_front() {
            None => hands.wait(),
            Some(action) => match hands.act(action)? {
                Next::GoOn => continue,
                Next::Happened(event) => event,
                Next::End => return Ok(state),
            },
        };
        let actions;
        (state, actions) = step(state, event);
        todo = actions.into();
    }
}
