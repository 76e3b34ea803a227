//! Resolves what modules name to the modules that define it, and finds circles among them.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Crate, Module, ModulePath};

/// The longest chain of re-exports that is followed.
const MAX_HOPS: usize = 16;

/// A module of a crate: the crate's name and the path inside it.
pub(super) type Location = (String, ModulePath);

/// One use: who names what, and the modules on the way to the definition, which is the last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) from: Location,
    pub(super) through: Vec<Location>,
}

impl Use {
    /// Returns the module that is named; the root of a crate only if it defines the item itself.
    pub(super) fn named(&self) -> &Location {
        self.through.iter().find(|location| !location.1.is_empty()).unwrap_or(&self.through[0])
    }
}

/// Every crate by name.
pub(super) struct Workspace(BTreeMap<String, Crate>);

impl Workspace {
    pub(super) fn new(crates: Vec<Crate>) -> Self {
        Self(crates.into_iter().map(|read| (read.name.clone(), read)).collect())
    }

    pub(super) fn crates(&self) -> impl Iterator<Item = &Crate> {
        self.0.values()
    }

    /// Everything that modules use of others.
    pub(super) fn uses(&self) -> BTreeSet<Use> {
        let mut found = BTreeSet::new();
        for (name, read) in &self.0 {
            for (path, module) in &read.modules {
                let from = (name.clone(), path.clone());
                for named in &module.paths {
                    let mut through = Vec::new();
                    self.resolve(&from, named, &mut through, 0);
                    through.retain(|location| *location != from);
                    if !through.is_empty() {
                        found.insert(Use { from: from.clone(), through });
                    }
                }
            }
        }
        found
    }

    fn module(&self, location: &Location) -> Option<&Module> {
        self.0.get(&location.0)?.modules.get(&location.1)
    }

    /// Follows a path that is written in a module. Names that are not of the workspace lead nowhere.
    fn resolve(&self, at: &Location, path: &[String], through: &mut Vec<Location>, hops: usize) {
        let Some((first, mut rest)) = path.split_first() else { return };
        if hops > MAX_HOPS {
            return;
        }
        let mut here = match first.as_str() {
            "crate" => self.root(at),
            "self" => at.clone(),
            "super" => parent(at),
            name => {
                let module = self.module(at).unwrap();
                let import = module.imports.get(name).filter(|import| import.first() != Some(first));
                if self.child(at, name).is_some() {
                    rest = path;
                    at.clone()
                } else if let Some(import) = import {
                    return self.resolve(at, &[import.as_slice(), rest].concat(), through, hops + 1);
                } else if self.0.contains_key(name) {
                    (name.to_owned(), Vec::new())
                } else {
                    return;
                }
            }
        };
        while rest.first().is_some_and(|name| name == "super") {
            here = parent(&here);
            rest = &rest[1..];
        }
        self.descend(here, rest, through, hops);
    }

    /// Follows the rest of a path from a module downward, through what that module re-exports.
    fn descend(&self, mut here: Location, mut rest: &[String], through: &mut Vec<Location>, hops: usize) {
        while let Some((name, after)) = rest.split_first() {
            let Some(below) = self.child(&here, name) else { break };
            (here, rest) = (below, after);
        }
        if rest.is_empty() && here.1.is_empty() {
            return;
        }
        through.push(here.clone());
        let (Some(name), Some(module)) = (rest.first(), self.module(&here)) else { return };
        if module.items.contains(name) {
            return;
        }
        if let Some(import) = module.imports.get(name) {
            let path = [import.as_slice(), &rest[1..]].concat();
            return self.resolve(&here, &path, through, hops + 1);
        }
        for glob in &module.globs {
            let mut on_the_way = Vec::new();
            let path = [glob.as_slice(), std::slice::from_ref(name)].concat();
            self.resolve(&here, &path, &mut on_the_way, hops + 1);
            let defines =
                |location: &Location| self.module(location).is_some_and(|module| module.items.contains(name));
            if on_the_way.last().is_some_and(defines) {
                return through.extend(on_the_way);
            }
        }
    }

    /// The root of the library or the program that a module is part of.
    fn root(&self, at: &Location) -> Location {
        let is_program = at.1.first().is_some_and(|name| name == "main");
        (at.0.clone(), if is_program { vec!["main".to_owned()] } else { Vec::new() })
    }

    fn child(&self, at: &Location, name: &str) -> Option<Location> {
        let mut path = at.1.clone();
        path.push(name.to_owned());
        let child = (at.0.clone(), path);
        self.module(&child).is_some().then_some(child)
    }
}

fn parent(at: &Location) -> Location {
    let mut path = at.1.clone();
    path.pop();
    (at.0.clone(), path)
}

/// Every circle among the submodules of one module, at every depth. A module and its own submodules may use each other:
/// the parent is the face of what they do together.
pub(super) fn circles(uses: &BTreeSet<Use>) -> Vec<String> {
    let mut graphs: BTreeMap<Location, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for found in uses {
        let (from, to) = (&found.from, found.through.last().unwrap());
        if from.0 != to.0 {
            continue;
        }
        let common = from.1.iter().zip(&to.1).take_while(|(a, b)| a == b).count();
        let (Some(from_child), Some(to_child)) = (from.1.get(common), to.1.get(common)) else { continue };
        let graph = graphs.entry((from.0.clone(), from.1[..common].to_vec())).or_default();
        graph.entry(from_child.clone()).or_default().insert(to_child.clone());
    }
    let mut found = Vec::new();
    for ((name, parent), graph) in &graphs {
        for circle in components(graph) {
            let parent = [std::slice::from_ref(name), parent.as_slice()].concat().join("::");
            found.push(format!("{parent}: {}", circle.into_iter().collect::<Vec<_>>().join(", ")));
        }
    }
    found
}

/// The sets of nodes of a graph that reach one another.
pub(super) fn components(graph: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> =
        graph.keys().map(|start| (start, reachable(graph, start))).collect();
    let in_circle = reach.iter().filter(|(start, reached)| reached.contains(*start));
    in_circle
        .map(|(start, reached)| {
            let returns = |node: &&&String| reach.get(**node).is_some_and(|back| back.contains(*start));
            reached.iter().filter(returns).map(|node| (*node).clone()).collect()
        })
        .collect()
}

fn reachable<'a>(graph: &'a BTreeMap<String, BTreeSet<String>>, start: &String) -> BTreeSet<&'a String> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![start]);
    while let Some(node) = open.pop() {
        for next in graph.get(node).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}
