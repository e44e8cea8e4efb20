//! How a migration ended: what both sides have written, and whose the sandbox is.

use std::path::Path;

use snapshot_handover::decision::{Mark, Side, Written, verdict};

use crate::shim::proof::prove;
use crate::shim::record::Record;
use crate::shim::verdict::sentence;
use crate::shim::{say, summary};

/// Prints what the sides have written whose folders are in `folder`.
///
/// # Errors
///
/// Neither has written anything, a record cannot be read, they are of different migrations, or the
/// logs refute what they say.
pub(crate) fn status(folder: &Path) -> anyhow::Result<()> {
    let source = Record::find(&folder.join("source"))?;
    let destination = Record::find(&folder.join("destination"))?;
    for (name, record) in [("source", &source), ("destination", &destination)] {
        if let Some(record) = record {
            tell(name, record);
        }
    }
    match (&source, &destination) {
        (None, None) => {
            anyhow::bail!("no side of a migration has written anything in {}", folder.display())
        }
        (Some(source), Some(destination)) => {
            anyhow::ensure!(
                source.migration == destination.migration,
                "the two sides have written of different migrations"
            );
            say("verdict", sentence(verdict(source.side(), destination.side())));
            prove_afterwards(source, destination)
        }
        (Some(source), None) => {
            // It has not come so far as to write, or it wrote on another host.
            match source.mark {
                Mark::Begun | Mark::Kept | Mark::Committed => {
                    let nothing = Side { written: Written::Nothing, alive: true };
                    say("verdict", sentence(verdict(source.side(), nothing)));
                }
                _ => say(
                    "verdict",
                    "ask the destination: run this on its folder. The sandbox is its own if it says \
                     live, and the source's if it says anything else and its shim has ended",
                ),
            }
            Ok(())
        }
        (None, Some(destination)) => {
            let whose = match destination.mark {
                Mark::Live => "the sandbox is the destination's",
                Mark::Aborted => "the sandbox is the source's",
                _ if destination.side().alive => "the destination has not decided yet",
                _ => "the sandbox is the source's",
            };
            say("verdict", whose);
            Ok(())
        }
    }
}

fn tell(name: &'static str, record: &Record) {
    let Side { alive, .. } = record.side();
    let mark = match record.mark {
        Mark::Begun => "has begun, and given or taken nothing",
        Mark::Given => "has given the sandbox away, and has no answer",
        Mark::Live => "has taken the sandbox over",
        Mark::Aborted => "has not taken the sandbox over, and will not",
        Mark::Committed => "has let go of the sandbox",
        Mark::Kept => "has kept the sandbox",
    };
    let shim = match alive {
        true => format!("its shim runs as process {}", record.shim.pid),
        false => "its shim has ended".to_owned(),
    };
    say(name, &format!("migration {}: {mark}; {shim}", record.migration));
    if let Some(failure) = &record.failure {
        say(name, &format!("because: [{}] {}", failure.code, failure.text));
    }
}

/// What the destination could not prove because the source's last word did not come.
fn prove_afterwards(source: &Record, destination: &Record) -> anyhow::Result<()> {
    let handed = destination.handed.as_ref().or(source.handed.as_ref());
    match handed {
        Some(handed) if destination.mark == Mark::Live && !destination.seen.is_empty() => {
            let proof = prove(&[&handed.seen, &destination.seen], &handed.exits)?;
            summary::proof("verdict", &proof);
        }
        _ => {}
    }
    Ok(())
}
