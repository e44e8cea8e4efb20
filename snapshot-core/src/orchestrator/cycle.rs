//! Finding cycles among the steps of a plan.

/// The cycles among steps: each as its steps in the order "comes after", beginning with the
/// lowest, no step in two of them. Empty if an order exists.
pub(crate) fn cycles(dependencies: &[Vec<u32>], dependents: &[Vec<u32>]) -> Vec<Vec<usize>> {
    // Take away what has nothing before it, until only cycles and what waits for them is left.
    let mut blockers: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut free: Vec<usize> = (0..blockers.len()).filter(|&step| blockers[step] == 0).collect();
    while let Some(step) = free.pop() {
        for &after in &dependents[step] {
            let after = after as usize;
            blockers[after] -= 1;
            if blockers[after] == 0 {
                free.push(after);
            }
        }
    }
    let mut found = Vec::new();
    // On which way from where a step was first met, 0 if it was not.
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
            // Each step that is left waits for another that is left.
            let next = dependencies[at].iter().find(|&&before| blockers[before as usize] > 0);
            match next {
                Some(&next) => at = next as usize,
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
