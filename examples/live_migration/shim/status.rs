//! The operator's questions and answers: the owner of a sandbox, the command to type, and the end
//! of a sandbox.

use std::path::Path;

use snapshot_core::Error;
use snapshot_handover::decision::{Choice, Mark, Side as Known, Verdict, Written, verdict};
use snapshot_handover::ledger::Status;
use snapshot_handover::{Handover, Ledger, SessionId};

use crate::shim::cli::Decided;
use crate::shim::console::say;
use crate::shim::proof::prove;
use crate::shim::side::{Look, Side};
use crate::shim::{destination, source, summary, vm};

/// The state of both sides in one folder. A side that is elsewhere is not visible.
struct Both {
    source: Side,
    destination: Side,
    here: Option<Look>,
    there: Option<Look>,
}

impl Both {
    fn look(folder: &Path) -> Result<Self, Error> {
        let source = Side::of(folder, source::SIDE);
        let destination = Side::of(folder, destination::SIDE);
        let (here, there) = (source.look()?, destination.look()?);
        Ok(Self { source, destination, here, there })
    }

    /// Returns the last hand-over that either side knows, with the records of both.
    fn last(&self) -> Option<(SessionId, Option<Known>, Option<Known>)> {
        let last = |look: &Option<Look>| look.as_ref().and_then(|look| look.last.clone());
        let (here, there) = (last(&self.here), last(&self.there));
        let session = [&here, &there].into_iter().flatten().map(|s| s.session.clone()).max()?;
        let of = |status: Option<Status>, look: &Option<Look>| {
            let alive = look.as_ref()?.alive;
            let status = status.filter(|status| status.session == session);
            Some(status.map_or(Known { written: Written::Nothing, alive }, |s| s.side()))
        };
        Some((session.clone(), of(here, &self.here), of(there, &self.there)))
    }
}

/// Prints in one line which side owns the sandbox and what to type, and then the facts.
///
/// # Errors
///
/// If neither side has used the folder, a ledger cannot be read, or the logs contradict the result.
pub(crate) fn status(folder: &Path) -> anyhow::Result<()> {
    let both = Both::look(folder)?;
    anyhow::ensure!(
        both.here.is_some() || both.there.is_some(),
        "no side of a migration has written anything in {}",
        folder.display()
    );
    say("status", &sentence(&both, folder)?);
    for (name, look) in [(source::SIDE, &both.here), (destination::SIDE, &both.there)] {
        if let Some(look) = look {
            tell(name, look);
        }
    }
    let ended = both.destination.ended()?.or(both.source.ended()?);
    if let Some(ended) = ended.filter(|ended| !ended.exits.is_empty()) {
        let shims: Vec<&[_]> = ended.shims.iter().map(Vec::as_slice).collect();
        summary::proof("status", &prove(&shims, &ended.exits)?);
    }
    Ok(())
}

/// Returns the owner of the sandbox, and the command to type.
fn sentence(both: &Both, folder: &Path) -> Result<String, Error> {
    let start = |side: &Side| {
        side.command().unwrap_or_else(|| "live_migration with the same --dir".to_owned())
    };
    for (name, side) in [(source::SIDE, &both.source), (destination::SIDE, &both.destination)] {
        if side.ended()?.is_some() {
            return Ok(format!("the sandbox has ended at the {name}: nothing to do"));
        }
    }
    let alive = |look: &Option<Look>| look.as_ref().is_some_and(|look| look.alive);
    let runs_on = |is_alive: bool, side: &Side, name: &str| match is_alive {
        true => format!("the sandbox is the {name}'s, and its shim runs: nothing to do"),
        false => {
            format!("the sandbox is the {name}'s, and its shim has ended: type {}", start(side))
        }
    };
    let at_source = || runs_on(alive(&both.here), &both.source, source::SIDE);
    let at_destination = || runs_on(alive(&both.there), &both.destination, destination::SIDE);
    let decide = |choice: &str| format!("live_migration decide {} {choice}", folder.display());
    let Some((_, here, there)) = both.last() else {
        return Ok(match both.here {
            Some(_) => at_source(),
            None => "no source has come to this destination: nothing to do".to_owned(),
        });
    };
    let verdict = match (here, there) {
        (Some(here), Some(there)) => verdict(here, there),
        // The record of the other side is on another host. It matters only to a source that has
        // given the sandbox away.
        (Some(here), None) => match here.written {
            Written::Mark(Mark::Given) | Written::Unreadable => {
                return Ok(format!(
                    "the source has given the sandbox away, and its destination is elsewhere: ask \
                     there, then type {} if it is the destination's, or {} if it is not",
                    decide("commit"),
                    decide("rollback")
                ));
            }
            _ => verdict(here, Known { written: Written::Nothing, alive: true }),
        },
        (None, Some(there)) => match there.written {
            Written::Mark(Mark::Live) => return Ok(at_destination()),
            Written::Mark(Mark::Aborted) => {
                return Ok("the sandbox is the source's: ask there".to_owned());
            }
            Written::Unreadable => Verdict::Look,
            _ if there.alive => Verdict::Wait,
            _ => return Ok("the sandbox is the source's: ask there".to_owned()),
        },
        (None, None) => return Ok(at_source()),
    };
    Ok(match verdict {
        Verdict::RunsAtSource | Verdict::StartAtSource => at_source(),
        Verdict::RunsAtDestination | Verdict::StartAtDestination => at_destination(),
        Verdict::Tell(Choice::Commit) => {
            format!("{}; the source asks it, or type {}", at_destination(), decide("commit"))
        }
        Verdict::Tell(Choice::Rollback) => format!(
            "the sandbox is the source's, which holds it frozen and asks the destination: start that \
             again ({}), or type {}",
            start(&both.destination),
            decide("rollback")
        ),
        Verdict::Wait => "the destination has not decided yet: wait, then ask again".to_owned(),
        other => other.to_string(),
    })
}

fn tell(name: &str, look: &Look) {
    let shim = if look.alive { "its shim runs" } else { "its shim has ended" };
    let Some(status) = &look.last else {
        return say(name, &format!("has begun no hand-over; {shim}"));
    };
    let record = match &status.record {
        Ok(record) => record,
        Err(error) => return say(name, &format!("{error}; {shim}")),
    };
    let mark = match record.mark {
        Mark::Begun => "has begun, and given or taken nothing",
        Mark::Given => "has given the sandbox away, and has no answer",
        Mark::Live => "has taken the sandbox over",
        Mark::Aborted => "has not taken the sandbox over, and will not",
        Mark::Committed => "has released the sandbox",
        Mark::Kept => "has kept the sandbox",
    };
    say(name, &format!("hand-over {}: {mark}; {shim}", record.session));
    if let Some(failure) = &record.failure {
        let error = Error::from(failure.clone());
        say(name, &format!("because: [{}] {error}", error.code()));
    }
}

/// Answers in place of the destination.
///
/// # Errors
///
/// If no source is in doubt there, or if the destination's record in the same folder contradicts
/// the answer.
pub(crate) fn decide(folder: &Path, decided: Decided) -> anyhow::Result<()> {
    let both = Both::look(folder)?;
    let choice = match decided {
        Decided::Commit => Choice::Commit,
        Decided::Rollback => Choice::Rollback,
    };
    let Some((session, Some(here), there)) = both.last() else {
        anyhow::bail!("no source has begun a hand-over in {}", folder.display());
    };
    anyhow::ensure!(
        here.written == Written::Mark(Mark::Given),
        "the source is not in doubt: {}",
        sentence(&both, folder)?
    );
    if let Some(there) = there {
        let is_live = there.written == Written::Mark(Mark::Live);
        let may_be = there.alive && !matches!(there.written, Written::Mark(Mark::Aborted));
        match choice {
            Choice::Rollback => anyhow::ensure!(
                !is_live && !may_be,
                "the destination has the sandbox, or may be about to take it: {}",
                sentence(&both, folder)?
            ),
            Choice::Commit => anyhow::ensure!(
                is_live,
                "the destination does not have the sandbox: {}",
                sentence(&both, folder)?
            ),
        }
    }
    if here.alive {
        both.source.decide(&session, choice)?;
        say("decide", "the source's shim follows it now");
    } else {
        let ledger: Ledger = both.source.open_ledger()?;
        Handover::new(&ledger).decide(&session, choice)?;
        drop(ledger);
        say("decide", &format!("it is written down: {}", sentence(&Both::look(folder)?, folder)?));
    }
    Ok(())
}

/// Ends the sandbox whose guest is in this folder.
///
/// # Errors
///
/// If a shim has it, or the VM does not end.
pub(crate) fn end(folder: &Path) -> anyhow::Result<()> {
    let both = Both::look(folder)?;
    let alive = |look: &Option<Look>| look.as_ref().is_some_and(|look| look.alive);
    anyhow::ensure!(
        !alive(&both.here) && !alive(&both.there),
        "a shim runs in {}: end it, which ends its sandbox too",
        folder.display()
    );
    vm::switch_off(&folder.join("guest"))?;
    for (side, look) in [(&both.source, &both.here), (&both.destination, &both.there)] {
        if look.is_some() {
            side.end(&Default::default());
        }
    }
    say("end", "the sandbox of this folder has ended");
    Ok(())
}
