//! Selects the packages that are unpacked together. Pure: from control files to lists of packages.
//!
//! All packages could be unpacked at once, with two exceptions: the essential packages provide the system in which
//! scripts run, and a package with a `preinst` script may rely on its configured pre-dependencies.

use std::collections::{BTreeSet, HashMap};

use super::file_conflicts::Index;
use crate::package_manager::deb::{Deb, alternatives};

/// Packages that are unpacked together, and those of earlier batches that must be configured first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct UnpackBatch {
    pub(in super::super) configured_before: Vec<Index>,
    pub(in super::super) packages: Vec<Index>,
}

/// The dependencies among the selected packages.
pub(super) struct Graph<'a> {
    packages: Vec<Node<'a>>,
    providers: HashMap<&'a str, Vec<Index>>,
}

/// The properties of a package that the plan needs.
struct Node<'a> {
    depends: &'a str,
    pre_depends: &'a str,
    has_preinst: bool,
    /// Configuring it does more than change its state in the database.
    needs_configuring: bool,
}

impl<'a> Graph<'a> {
    pub(super) fn new(packages: &[&'a Deb]) -> Self {
        let mut providers: HashMap<&str, Vec<Index>> = HashMap::new();
        for (index, package) in packages.iter().enumerate() {
            providers.entry(package.name()).or_default().insert(0, index);
            for provided in alternatives(package.control.field("Provides").unwrap_or_default()).flatten() {
                providers.entry(provided.name).or_default().push(index);
            }
        }
        let field = |package: &'a Deb, name| package.control.field(name).unwrap_or_default();
        let node = |package: &'a Deb| Node {
            depends: field(package, "Depends"),
            pre_depends: field(package, "Pre-Depends"),
            has_preinst: package.member("preinst").is_some(),
            needs_configuring: ["postinst", "conffiles"].iter().any(|name| package.member(name).is_some()),
        };
        Self { packages: packages.iter().copied().map(node).collect(), providers }
    }

    /// Returns the selected packages that a relation field requires.
    fn needed<'s>(&'s self, field: &'s str) -> impl Iterator<Item = Index> + 's {
        alternatives(field).filter_map(|group| {
            group.iter().find_map(|relation| self.providers.get(relation.name)?.first().copied())
        })
    }

    /// Returns `start` with all dependencies.
    pub(super) fn closure(&self, start: impl IntoIterator<Item = Index>) -> BTreeSet<Index> {
        let (mut seen, mut open) = (BTreeSet::new(), start.into_iter().collect::<Vec<_>>());
        while let Some(index) = open.pop() {
            if seen.insert(index) {
                let node = &self.packages[index];
                open.extend(self.needed(node.depends).chain(self.needed(node.pre_depends)));
            }
        }
        seen
    }
}

/// Returns the batches of all other packages; those in `configured` are ready.
pub(in super::super) fn batches(packages: &[Deb], configured: &[Index]) -> Vec<UnpackBatch> {
    let graph = Graph::new(&packages.iter().collect::<Vec<_>>());
    let configured: BTreeSet<Index> = configured.iter().copied().collect();
    let mut number: HashMap<Index, usize> = HashMap::new();
    let rest: Vec<Index> = (0..packages.len()).filter(|index| !configured.contains(index)).collect();
    // Each round moves a package one batch behind those it waits for. A cycle of pre-dependencies, which a distribution
    // cannot have, ends with the rounds.
    for _ in 0..rest.len() {
        let mut changed = false;
        for index in &rest {
            let awaited = awaited(&graph, *index, &configured);
            let batch =
                awaited.iter().map(|index| number.get(index).copied().unwrap_or(0) + 1).max().unwrap_or(0);
            changed |= number.insert(*index, batch) != Some(batch);
        }
        if !changed {
            break;
        }
    }
    let count = number.values().max().map_or(0, |last| last + 1);
    (0..count)
        .map(|batch| {
            let packages: Vec<Index> = rest.iter().copied().filter(|index| number[index] == batch).collect();
            let before = packages.iter().flat_map(|index| awaited(&graph, *index, &configured));
            let configured_before: BTreeSet<Index> =
                before.filter(|index| graph.packages[*index].needs_configuring).collect();
            UnpackBatch { configured_before: configured_before.into_iter().collect(), packages }
        })
        .filter(|batch| !batch.packages.is_empty())
        .collect()
}

/// Returns the packages that must be configured before the `preinst` of a package runs.
fn awaited(graph: &Graph<'_>, index: Index, configured: &BTreeSet<Index>) -> BTreeSet<Index> {
    let node = &graph.packages[index];
    if !node.has_preinst {
        return BTreeSet::new();
    }
    let mut closure =
        graph.closure(graph.needed(node.pre_depends).filter(|needed| !configured.contains(needed)));
    closure.retain(|needed| *needed != index && !configured.contains(needed));
    closure
}

#[cfg(test)]
mod tests {
    use super::super::super::deb::package;
    use super::*;

    #[test]
    fn only_a_preinst_waits_for_pre_dependencies() {
        let packages = [
            package("base", "", &[]),
            package("a", "Pre-Depends: b", &[]),
            package("b", "Depends: c", &[]),
            package("c", "Pre-Depends: base", &["preinst", "postinst"]),
            package("d", "Pre-Depends: b", &["preinst", "conffiles"]),
            package("e", "Pre-Depends: d", &["preinst"]),
        ];
        let batches = batches(&packages, &[0]);
        let packages: Vec<_> = batches.iter().map(|batch| batch.packages.clone()).collect();
        assert_eq!(packages, [vec![1, 2, 3], vec![4], vec![5]]);
        assert_eq!(batches[1].configured_before, [3]);
        assert_eq!(batches[2].configured_before, [3, 4]);
    }

    #[test]
    fn a_cycle_of_pre_dependencies_ends() {
        let packages =
            [package("a", "Pre-Depends: b", &["preinst"]), package("b", "Pre-Depends: a", &["preinst"])];
        assert_eq!(batches(&packages, &[]).iter().map(|batch| batch.packages.len()).sum::<usize>(), 2);
    }
}
