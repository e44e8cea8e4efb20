//! The properties of the protocol: some hold in every state, the others must be reachable.

use snapshot_handover::decision::{Again, Choice, Mark, Verdict, Written, destination, source};
use stateright::Property;

use super::{Protocol, Who, World};

/// Returns all properties.
pub(super) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always("never two live sides", |_, world: &World| {
            !(world.runs_at_source && world.runs_at_destination)
        }),
        Property::always("never two that say it is theirs", |model: &Protocol, world: &World| {
            world.verdict(model.rules) != Verdict::Both
        }),
        Property::always(
            "a destination that ends without the tree has nothing bound",
            |_, world: &World| {
                !(world.destination.over
                    && world.destination.state == Some(destination::State::Aborted)
                    && world.bound_at_destination)
            },
        ),
        Property::always(
            "the source commits on the destination's word only",
            |_, world: &World| {
                world.source.written != Written::Mark(Mark::Committed)
                    || world.destination.written == Written::Mark(Mark::Live)
            },
        ),
        Property::always(
            "in the end one side is live, or the way back has a name",
            |model: &Protocol, world: &World| {
                let (source, destination) = (world.runs_at_source, world.runs_at_destination);
                !world.is_quiet(model.rules)
                    || match world.verdict(model.rules) {
                        Verdict::RunsAtSource => !destination,
                        Verdict::RunsAtDestination => !source,
                        Verdict::StartAtSource => !destination,
                        Verdict::StartAtDestination => !source,
                        // Its record is outdated: it has taken the tree back, or was restarted
                        // without it, and could not write that.
                        Verdict::Tell(Choice::Rollback) => !destination,
                        Verdict::Look => !destination,
                        Verdict::Tell(Choice::Commit) | Verdict::Wait | Verdict::Both => false,
                    }
            },
        ),
        Property::always(
            "without a kill, one side is live in the end",
            |model: &Protocol, world: &World| {
                world.budget.kills < 2
                    || world.budget.writes < 2
                    || !world.is_quiet(model.rules)
                    || match world.verdict(model.rules) {
                        Verdict::RunsAtSource => world.runs_at_source,
                        Verdict::RunsAtDestination => world.runs_at_destination,
                        _ => false,
                    }
            },
        ),
        Property::sometimes("it moves", |model: &Protocol, world: &World| {
            world.budget == model.budget && world.is_quiet(model.rules) && world.runs_at_destination
        }),
        Property::sometimes("the operator commits", |model: &Protocol, world: &World| {
            world.source.state == Some(source::State::Doubt)
                && world.verdict(model.rules) == Verdict::Tell(Choice::Commit)
        }),
        Property::sometimes("the operator rolls back", |model: &Protocol, world: &World| {
            world.source.state == Some(source::State::Doubt)
                && world.verdict(model.rules) == Verdict::Tell(Choice::Rollback)
        }),
        Property::sometimes(
            "a destination that was killed is asked",
            |model: &Protocol, world: &World| {
                world.budget.restarts < model.budget.restarts
                    && world.destination.over
                    && world.destination.state == Some(destination::State::Aborted)
                    && world.source.state == Some(source::State::Kept)
                    && world.source.written == Written::Mark(Mark::Kept)
                    && world.budget.connections < 3
            },
        ),
        Property::sometimes(
            "it is started again at the destination",
            |model: &Protocol, world: &World| {
                let budget = &world.budget;
                world.runs_at_destination
                    && match model.budget.idles {
                        true => world.destination.is_again && world.holders[1] == 1,
                        false => budget.starts == 0,
                    }
            },
        ),
        Property::always("no checkpoint is taken up by two", |_, world: &World| {
            world.holders[0] + world.holders[1] <= 1 || world.is_between()
        }),
        Property::always("no stale checkpoint is taken up without a word", |_, world: &World| {
            !world.is_silently_stale
        }),
        Property::always(
            "a side whose shim was started again has its sandbox in the end",
            |model: &Protocol, world: &World| {
                let rules = model.rules;
                let has = |who: Who, lives: bool| {
                    !lives
                        || world.again(rules, who) != Some(Again::TakeUp)
                        || world.holders[who as usize] > 0
                        // It never had one, or the operator is asked.
                        || !world.is_again(who)
                };
                !model.budget.idles
                    || !world.is_quiet(rules)
                    || has(Who::Source, world.source.state.is_some())
                        && has(Who::Destination, world.destination.state.is_some())
            },
        ),
        Property::sometimes("a stale checkpoint is reported", |model: &Protocol, world: &World| {
            !model.budget.idles || world.is_reported_stale
        }),
        Property::sometimes(
            "a shim that dies outside of a hand-over takes its sandbox up again",
            |model: &Protocol, world: &World| {
                !model.budget.idles
                    || world.source.is_again
                        && world.source.written == Written::Nothing
                        && world.holders[0] == 1
                        && world.runs_at_source
            },
        ),
        Property::sometimes("both die, and one takes it up", |model: &Protocol, world: &World| {
            !model.budget.idles
                || world.source.is_again
                    && world.destination.is_again
                    && world.holders[0] + world.holders[1] == 1
        }),
    ]
}
