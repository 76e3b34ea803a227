//! Selects the packages that are installed before those without scripts. Pure: from control files to a set of packages.
//!
//! A script may rely on the dependencies of its package, and on no other package in the tree, with one exception: a
//! package with a trigger on paths processes the files of other packages there. If those have no scripts, it is
//! installed with them, so that its scripts see all files, once.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::file_conflicts::Index;
use super::trigger::{Interest, interests};
use super::unpack_batches::Graph;
use crate::package_manager::deb::Deb;

/// Scripts that run when a package is installed.
const SCRIPTS: [&str; 3] = ["preinst", "config", "postinst"];

/// Returns those of `packages` that have scripts, and their dependencies; `ready` are already installed.
pub(in super::super) fn with_scripts(ready: &[Deb], packages: &[Deb]) -> BTreeSet<Index> {
    let all: Vec<&Deb> = ready.iter().chain(packages).collect();
    let graph = Graph::new(&all);
    let scripted: Vec<Index> = (ready.len()..all.len())
        .filter(|index| SCRIPTS.iter().any(|name| all[*index].member(name).is_some()))
        .collect();
    let mut late: BTreeSet<Index> = BTreeSet::new();
    loop {
        let mut layer = graph.closure(scripted.iter().copied().filter(|index| !late.contains(index)));
        layer.retain(|index| *index >= ready.len());
        let others = (ready.len()..all.len()).filter(|index| !layer.contains(index));
        let woken = woken(layer.iter().copied(), others, &all);
        if woken.is_empty() {
            return layer.into_iter().map(|index| index - ready.len()).collect();
        }
        let waits = |index: &Index| !graph.closure([*index]).is_disjoint(&woken);
        late.extend(scripted.iter().copied().filter(waits));
    }
}

/// Returns the packages of a layer with a trigger on paths below which the other packages have files.
fn woken(
    layer: impl Iterator<Item = Index>,
    others: impl Iterator<Item = Index>,
    all: &[&Deb],
) -> BTreeSet<Index> {
    let text = |index: Index, name: &str| {
        let member = all[index].member(name).map(|member| String::from_utf8_lossy(&member.bytes));
        member.unwrap_or_default().into_owned()
    };
    let watching = layer.flat_map(|index| {
        let paths = interests(&text(index, "triggers")).into_iter().filter(Interest::is_path);
        paths.map(move |interest| (index, interest.trigger))
    });
    let watching: Vec<(Index, String)> = watching.collect();
    let watched: HashSet<&Path> =
        watching.iter().map(|(_, path)| Path::new(path.trim_start_matches('/'))).collect();
    let mut touched = HashSet::new();
    for index in others {
        for line in text(index, "md5sums").lines() {
            let path = line.split_once("  ").map_or("", |(_, path)| path);
            touched.extend(Path::new(path).ancestors().filter_map(|path| watched.get(path).copied()));
        }
    }
    let is_touched = |path: &str| touched.contains(Path::new(path.trim_start_matches('/')));
    watching.iter().filter(|(_, path)| is_touched(path)).map(|(index, _)| *index).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::deb::{ControlMember, package};
    use super::*;

    /// Returns a package for tests with these control files.
    fn with(name: &str, fields: &str, members: &[(&str, &str)]) -> Deb {
        let mut package = package(name, fields, &[]);
        package.members = members
            .iter()
            .map(|(name, text)| ControlMember {
                name: (*name).to_owned(),
                mode: 0o644,
                time: 0,
                bytes: text.as_bytes().to_vec(),
            })
            .collect();
        package
    }

    #[test]
    fn selects_packages_with_scripts_and_their_dependencies_in_order() {
        let ready = [package("base", "", &["postinst"])];
        let packages = [
            package("lib", "Depends: base", &["triggers"]),
            package("files", "Depends: script", &["conffiles", "postrm"]),
            package("script", "Depends: nothing | lib", &["postinst"]),
            package("first", "", &["preinst"]),
        ];
        let chosen: Vec<Index> = with_scripts(&ready, &packages).into_iter().collect();
        assert_eq!(chosen, [0, 2, 3], "a package without scripts was selected");
        assert!(with_scripts(&ready, &packages[..2]).is_empty());
    }

    #[test]
    fn a_trigger_on_files_of_others_delays_the_package_and_its_dependants() {
        let watching =
            |path: &str| [("postinst", ""), ("triggers", path)].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let packages = |watched: &str| {
            let members = watching(&format!("interest-noawait {watched}\n"));
            let members: Vec<(&str, &str)> =
                members.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            [
                with("index", "", &members),
                with("reader", "Depends: index", &[("postinst", ""), ("md5sums", "0  usr/share/x/y\n")]),
                with("script", "", &[("postinst", ""), ("md5sums", "0  usr/share/man/man1/a.gz\n")]),
                with("files", "", &[("md5sums", "0  usr/share/doc/x\n0  usr/share/man/man1/x y.gz\n")]),
            ]
        };
        let chosen = |watched: &str| with_scripts(&[], &packages(watched)).into_iter().collect::<Vec<_>>();
        assert_eq!(chosen("/usr/share/man"), [2]);
        assert_eq!(chosen("/usr/share/man/man1/x"), [0, 1, 2]);
        assert_eq!(chosen("/usr/share/x"), [0, 1, 2], "files of the layer itself delayed a package");
    }
}
