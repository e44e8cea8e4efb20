//! Derives more samples from the given ones, with messages that none of them has, if an empty message is
//! valid.

use super::super::bench::{Bench, EditOutcome, Sample};
use super::super::report::Law;
use super::super::subject::Recoded;
use super::learn::learn;
use super::refuse::known;

/// The maximum number of added samples.
const ADDED: usize = 64;

/// Adds samples until they contain every message that can be empty.
pub(in super::super) fn grow(bench: &mut Bench) {
    let most = bench.samples.len() + ADDED;
    let mut index = 0;
    // More messages can be added to an added sample in turn.
    while index < bench.samples.len() {
        for site in bench.sites_of(index) {
            for info in known(bench, &site) {
                if info.shape().is_none()
                    || bench.coverage.has_message(site.place, info.number)
                    || bench.samples.len() >= most
                {
                    continue;
                }
                let path = bench.path(&site, &info);
                let value = bench.places.default(site.place, &info);
                let bytes = bench.with_values(&site, &info, vec![value], false);
                match bench.restored(Law::Restored, &path, &bytes, "an empty message") {
                    EditOutcome::Restored => add(bench, &bytes),
                    EditOutcome::Refused(error) => {
                        bench.coverage.refused(site.place, &info, &error)
                    }
                    EditOutcome::Broken => {}
                }
            }
        }
        index += 1;
    }
}

fn add(bench: &mut Bench, bytes: &[u8]) {
    let Recoded::Written(bytes) = bench.subject.recode(bytes).0 else { return };
    let Some(tree) = bench.places.read(&bytes) else { return };
    bench.coverage.sample(&tree);
    bench.samples.push(Sample { bytes, tree, is_made: true });
    for site in bench.sites_of(bench.samples.len() - 1) {
        learn(bench, &site);
    }
    // The learned properties determine how the sample is read.
    if let Some(sample) = bench.samples.last_mut()
        && let Some(tree) = bench.places.read(&sample.bytes)
    {
        sample.tree = tree;
    }
}
