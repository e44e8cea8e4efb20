//! Edges between the steps of a plan, in two flat lists.

/// For every step, the steps that its edges lead to.
#[derive(Debug)]
pub(crate) struct Edges {
    /// The index of each step's first target. It has one entry more than there are steps.
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Edges {
    /// Creates an empty list with room for this many steps and edges.
    pub(crate) fn with_capacity(steps: usize, edges: usize) -> Self {
        let mut starts = Vec::with_capacity(steps + 1);
        starts.push(0);
        Self { starts, targets: Vec::with_capacity(edges) }
    }

    /// Adds a step with its targets.
    pub(crate) fn push(&mut self, targets: impl IntoIterator<Item = usize>) {
        self.targets.extend(targets.into_iter().map(|target| target as u32));
        self.starts.push(self.targets.len() as u32);
    }

    /// Adds a target to the last step.
    pub(crate) fn push_to_last(&mut self, target: usize) {
        self.targets.push(target as u32);
        if let Some(end) = self.starts.last_mut() {
            *end += 1;
        }
    }

    /// Returns the edges in the opposite direction.
    pub(crate) fn reversed(&self) -> Self {
        // First counts, then fills in the steps in order, so that the targets of a step are in
        // order.
        let mut starts = vec![0u32; self.starts.len()];
        for &target in &self.targets {
            starts[target as usize + 1] += 1;
        }
        for step in 1..starts.len() {
            starts[step] += starts[step - 1];
        }
        let mut next = starts.clone();
        let mut targets = vec![0; self.targets.len()];
        for step in 0..self.len() {
            for target in self.of(step) {
                let place = &mut next[target];
                targets[*place as usize] = step as u32;
                *place += 1;
            }
        }
        Self { starts, targets }
    }

    /// Returns the number of steps.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Returns the number of edges of each step.
    pub(crate) fn counts(&self) -> Vec<u32> {
        self.starts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// Returns the targets of a step.
    pub(crate) fn of(&self, step: usize) -> impl Iterator<Item = usize> {
        let range = self.starts[step] as usize..self.starts[step + 1] as usize;
        self.targets[range].iter().map(|&target| target as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_turned_round_twice_are_the_same() {
        let mut edges = Edges::with_capacity(4, 6);
        for targets in [vec![1, 2], vec![2], vec![], vec![0, 1]] {
            edges.push(targets);
        }
        edges.push_to_last(2);
        assert_eq!(edges.counts(), [2, 1, 0, 3]);
        let back = edges.reversed();
        assert_eq!(back.len(), 4);
        assert_eq!(back.of(2).collect::<Vec<_>>(), [0, 1, 3]);
        assert_eq!(back.counts(), [1, 2, 3, 0]);
        let again = back.reversed();
        assert!((0..4).all(|step| again.of(step).eq(edges.of(step))));
    }
}
