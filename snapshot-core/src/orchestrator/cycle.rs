//! Finds cycles among the steps of a plan.

use super::edges::Edges;

/// Returns the cycles among steps. Each is a list of its steps in the order "comes after",
/// beginning with the lowest; no step is in two of them. Empty if an order exists.
pub(crate) fn cycles(dependencies: &Edges, dependents: &Edges) -> Vec<Vec<usize>> {
    // Removes the steps that wait for nothing, until only cycles and the steps that wait for them
    // are left.
    let mut blockers = dependencies.counts();
    let mut free: Vec<usize> = (0..blockers.len()).filter(|&step| blockers[step] == 0).collect();
    while let Some(step) = free.pop() {
        for after in dependents.of(step) {
            blockers[after] -= 1;
            if blockers[after] == 0 {
                free.push(after);
            }
        }
    }
    let mut found = Vec::new();
    // For each step, the start of the path on which it was first met; 0 if it was not met.
    let mut met = vec![0; blockers.len()];
    for start in (0..blockers.len()).filter(|&step| blockers[step] > 0) {
        if met[start] != 0 {
            continue;
        }
        let mut way = Vec::new();
        let mut at = start;
        while met[at] == 0 {
            met[at] = start + 1;
            way.push(at);
            // Each remaining step waits for another remaining step.
            match dependencies.of(at).find(|&before| blockers[before] > 0) {
                Some(next) => at = next,
                None => break,
            }
        }
        if met[at] == start + 1
            && let Some(from) = way.iter().position(|&step| step == at)
        {
            let mut cycle = way.split_off(from);
            if let Some(lowest) = cycle.iter().enumerate().min_by_key(|(_, step)| **step) {
                let lowest = lowest.0;
                cycle.rotate_left(lowest);
            }
            found.push(cycle);
        }
    }
    found
}
