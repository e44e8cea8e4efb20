//! Finds circles of files.
//!
//! A parent and its child may import from each other, so two graphs are searched: one without the
//! imports from a file to its ancestors, one without those to its descendants. A circle that is left
//! in either goes through siblings.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::imports::Edge;
use super::modules::{Crate, FileId};

/// Imports that lead back to where they began, in order.
pub(super) type Circle = Vec<Edge>;

/// One circle, the shortest, for each group of files that all lead to each other.
pub(super) fn circles(krate: &Crate, edges: &[Edge]) -> Vec<Circle> {
    let paths = module_paths(krate);
    let is_ancestor = |above: FileId, below: FileId| {
        paths[below].len() > paths[above].len() && paths[below].starts_with(paths[above])
    };
    let downward: Vec<Edge> =
        edges.iter().filter(|edge| !is_ancestor(edge.to, edge.from)).copied().collect();
    let upward: Vec<Edge> =
        edges.iter().filter(|edge| !is_ancestor(edge.from, edge.to)).copied().collect();
    let mut found = of_graph(&downward);
    for circle in of_graph(&upward) {
        let files = |circle: &Circle| circle.iter().map(|edge| edge.from).collect::<BTreeSet<_>>();
        if !found.iter().any(|other| !files(other).is_disjoint(&files(&circle))) {
            found.push(circle);
        }
    }
    found
}

/// The path of the module that each file holds.
fn module_paths(krate: &Crate) -> Vec<&[String]> {
    let mut paths: Vec<Option<&[String]>> = vec![None; krate.files.len()];
    for module in &krate.modules {
        let included = module.items.iter().map(|(file, _)| *file);
        for file in [module.file].into_iter().chain(included) {
            paths[file].get_or_insert(&module.path);
        }
    }
    paths.into_iter().map(Option::unwrap_or_default).collect()
}

fn of_graph(edges: &[Edge]) -> Vec<Circle> {
    let mut next: BTreeMap<FileId, Vec<Edge>> = BTreeMap::new();
    for edge in edges {
        next.entry(edge.from).or_default().push(*edge);
    }
    let mut circles: Vec<Circle> = Vec::new();
    let mut covered: BTreeSet<FileId> = BTreeSet::new();
    for &start in next.keys() {
        if covered.contains(&start) {
            continue;
        }
        let Some(circle) = shortest(start, &next) else { continue };
        // All files that lead to it and back belong to the same group.
        let group = reachable(start, &next);
        covered.extend(group.into_iter().filter(|file| reachable(*file, &next).contains(&start)));
        circles.push(circle);
    }
    circles
}

/// The files that `start` leads to.
fn reachable(start: FileId, next: &BTreeMap<FileId, Vec<Edge>>) -> BTreeSet<FileId> {
    let mut seen = BTreeSet::new();
    let mut queue = vec![start];
    while let Some(file) = queue.pop() {
        for edge in next.get(&file).into_iter().flatten() {
            if seen.insert(edge.to) {
                queue.push(edge.to);
            }
        }
    }
    seen
}

/// The shortest way from `start` back to it.
fn shortest(start: FileId, next: &BTreeMap<FileId, Vec<Edge>>) -> Option<Circle> {
    let mut arrived: BTreeMap<FileId, Edge> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for edge in next.get(&file).into_iter().flatten() {
            if arrived.contains_key(&edge.to) {
                continue;
            }
            arrived.insert(edge.to, *edge);
            if edge.to == start {
                let mut circle = vec![*edge];
                let mut file = edge.from;
                while file != start {
                    let edge = arrived.get(&file)?;
                    circle.push(*edge);
                    file = edge.from;
                }
                circle.reverse();
                return Some(circle);
            }
            queue.push_back(edge.to);
        }
    }
    None
}
