//! Checks which modules use which: the rows of `rules`, no circles, short files. The checks themselves are tested on the
//! crates of `fixture/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kiwi_tests::program::checkout;

use super::graph::{self, Use, Workspace};
use super::rules::{self, Rules};
use super::source;

/// Finds every crate below a directory and returns what the rules do not allow.
fn violations(directory: &Path, rules: &Rules) -> BTreeSet<String> {
    let workspace = Workspace::new(source::crates(directory, rules.max_lines));
    let uses = workspace.uses();
    let mut found = missing_rows(&workspace, rules);
    for used in &uses {
        found.extend(arrow(used, rules));
    }
    found.extend(graph::circles(&uses).into_iter().map(|circle| format!("circle in {circle}")));
    for read in workspace.crates() {
        found.extend(read.long_files.iter().map(|file| format!("{file}, and its head gives no reason")));
        found.extend(read.unused_files.iter().map(|file| format!("{file} is part of no module")));
    }
    found
}

/// Returns the crates and top-level modules without a row, and the rows without a module.
fn missing_rows(workspace: &Workspace, rules: &Rules) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut unused: BTreeSet<(&str, &str)> = rules.rows().map(|(name, module, _)| (name, module)).collect();
    for read in workspace.crates() {
        if !rules.crates.iter().any(|(name, _)| *name == read.name) {
            found.insert(format!("crate {} has no row", read.name));
        }
        for module in read.modules.keys().filter_map(|path| path.first()) {
            unused.remove(&(read.name.as_str(), module.as_str()));
            if rules.row(&read.name, module).is_none() {
                found.insert(format!("{}::{module} has no row", read.name));
            }
        }
    }
    found.extend(unused.iter().map(|(name, module)| format!("the row of {name}::{module} has no module")));
    found
}

/// Returns an arrow between crates or top-level modules that no row allows. What counts is the module that is named; a module
/// may re-export what its own row allows. The root of a crate may use all of its modules, and only re-exports them.
fn arrow(used: &Use, rules: &Rules) -> Option<String> {
    let (from, to) = (&used.from, used.named());
    let allows = |row: &str, name: &str| row.split_whitespace().any(|allowed| allowed == name);
    if from.0 != to.0 {
        let row = rules.crates.iter().find(|(name, _)| *name == from.0).map_or("", |(_, row)| row);
        return (!allows(row, &to.0)).then(|| format!("crate {} -> crate {}", from.0, to.0));
    }
    let module = from.1.first()?;
    let target = to.1.first().map_or("lib", String::as_str);
    let allowed = allows(rules.row(&from.0, module).unwrap_or_default(), target);
    (target != module && !allowed).then(|| format!("{}::{} -> {target}", from.0, from.1.join("::")))
}

fn assert_none(found: &BTreeSet<String>) {
    let lines: Vec<&str> = found.iter().map(String::as_str).collect();
    assert!(found.is_empty(), "tests/quick/guards/rules.rs does not allow this:\n{}", lines.join("\n"));
}

#[test]
fn modules_use_only_what_their_rows_allow() {
    let crates = checkout().join("crates");
    let uses = Workspace::new(source::crates(&crates, rules::RULES.max_lines)).uses();
    assert!(uses.len() > 1000, "only {} uses were found: the reader is broken", uses.len());
    assert_none(&violations(&crates, &rules::RULES));
}

#[test]
fn rows_contain_no_circle() {
    for (name, rows) in rules::RULES.modules {
        let words = |row: &str| row.split_whitespace().map(str::to_owned).collect();
        let graph: BTreeMap<String, BTreeSet<String>> =
            rows.iter().map(|(module, row)| ((*module).to_owned(), words(row))).collect();
        assert_eq!(graph::components(&graph), BTreeSet::new(), "circles among the rows of {name}");
    }
}

fn fixture(name: &str) -> PathBuf {
    checkout().join("tests/quick/guards/fixture").join(name)
}

#[test]
fn accepts_the_fixture_of_what_is_allowed() {
    let rules = Rules {
        max_lines: 30,
        crates: &[("base", ""), ("shapes", "base")],
        modules: &[
            ("base", &[("point", "")]),
            ("shapes", &[("area", "figure"), ("figure", ""), ("long", ""), ("main", "area figure")]),
        ],
    };
    assert_none(&violations(&fixture("accepted"), &rules));
}

#[test]
fn refuses_every_violation_of_the_fixture() {
    let rules = Rules {
        max_lines: 30,
        crates: &[("base", ""), ("shapes", "")],
        modules: &[
            ("base", &[]),
            (
                "shapes",
                &[
                    ("after_tests", ""),
                    ("attribute", ""),
                    ("body", ""),
                    ("gone", ""),
                    ("group", ""),
                    ("import", ""),
                    ("inline", ""),
                    ("long", ""),
                    ("macro_body", ""),
                    ("nested", ""),
                    ("other_crate", ""),
                    ("parent", ""),
                    ("path", ""),
                    ("reexport", ""),
                    ("ring", ""),
                    ("root_item", ""),
                    ("target", ""),
                    ("twin_a", "twin_b"),
                    ("twin_b", "twin_a"),
                    ("whole", ""),
                ],
            ),
        ],
    };
    let expected = [
        "circle in shapes::ring: a, b",
        "circle in shapes::ring::deep: x, y, z",
        "circle in shapes: twin_a, twin_b",
        "crate extra has no row",
        "crate shapes -> crate base",
        "shapes/src/long.rs has 31 lines, and its head gives no reason",
        "shapes/src/orphan.rs is part of no module",
        "shapes::after_tests -> target",
        "shapes::attribute -> target",
        "shapes::body -> target",
        "shapes::group -> target",
        "shapes::import -> target",
        "shapes::inline::inner -> target",
        "shapes::macro_body -> target",
        "shapes::nested::child -> target",
        "shapes::parent -> target",
        "shapes::path -> target",
        "shapes::reexport -> target",
        "shapes::root_item -> lib",
        "shapes::unlisted has no row",
        "shapes::whole -> target",
        "the row of shapes::gone has no module",
    ];
    let found = violations(&fixture("refused"), &rules);
    assert_eq!(found, expected.map(str::to_owned).into());
}
