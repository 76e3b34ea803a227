//! Checks the dependencies against `deny.toml`, as `cargo deny` does, but offline and within a second. Advisories need the
//! tool itself: their database is on the network.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use kiwi_tests::program::checkout;
use serde_json::Value;

/// The crates that the workspace and its tests need on the one target, as `cargo metadata` describes them.
struct Packages {
    packages: Vec<Value>,
    /// Identifier of a package -> the identifiers of those it needs.
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Packages {
    fn read(manifest: &str) -> Self {
        let options =
            "--format-version 1 --locked --offline --filter-platform x86_64-unknown-linux-gnu --all-features";
        let mut cargo = Command::new(env!("CARGO"));
        cargo.arg("metadata").args(options.split(' ')).arg("--manifest-path").arg(checkout().join(manifest));
        let output = cargo.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{manifest}: cargo metadata failed; if Cargo.lock beside it is out of date, run: \
             cargo metadata --format-version 1 --manifest-path {manifest} > /dev/null, and commit the file\n{error}"
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ids = |node: &Value| {
            array(&node["dependencies"]).iter().map(|id| id.as_str().unwrap().to_owned()).collect()
        };
        let nodes = array(&metadata["resolve"]["nodes"]).iter();
        let needs: BTreeMap<String, BTreeSet<String>> =
            nodes.map(|node| (text(node, "id").to_owned(), ids(node))).collect();
        let packages = array(&metadata["packages"]).iter();
        let packages = packages.filter(|package| needs.contains_key(text(package, "id"))).cloned().collect();
        Self { packages, needs }
    }

    /// Returns the names of the crates that need a crate.
    fn dependants(&self, name: &str) -> BTreeSet<&str> {
        let named = self.packages.iter().filter(|package| text(package, "name") == name);
        let ids: Vec<&str> = named.map(|package| text(package, "id")).collect();
        let needs = |package: &&Value| ids.iter().any(|id| self.needs[text(package, "id")].contains(*id));
        self.packages.iter().filter(needs).map(|package| text(package, "name")).collect()
    }

    fn versions(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in &self.packages {
            versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
        }
        versions
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Returns `deny.toml` as JSON, which has the same shape.
fn policy() -> Value {
    let file = std::fs::read_to_string(checkout().join("deny.toml")).unwrap();
    toml::from_str(&file).unwrap()
}

fn list<'a>(policy: &'a Value, table: &str, key: &str) -> Vec<&'a Value> {
    policy[table][key]
        .as_array()
        .unwrap_or_else(|| panic!("deny.toml has no list {table}.{key}"))
        .iter()
        .collect()
}

/// Whether a licence expression can be satisfied with the allowed licences.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.trim();
    let any = split(expression, " OR ");
    if any.len() > 1 {
        return any.iter().any(|part| is_allowed(part, allowed));
    }
    let all = split(expression, " AND ");
    if all.len() > 1 {
        return all.iter().all(|part| is_allowed(part, allowed));
    }
    match expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) => is_allowed(inside, allowed),
        None => allowed.contains(expression),
    }
}

/// Splits an expression where an operator stands outside of parentheses.
fn split<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (position, _) in expression.match_indices(operator) {
        let before = &expression[..position];
        if before.matches('(').count() == before.matches(')').count() {
            parts.push(&expression[start..position]);
            start = position + operator.len();
        }
    }
    parts.push(&expression[start..]);
    parts
}

#[test]
fn every_licence_is_allowed() {
    let policy = policy();
    let allowed: BTreeSet<&str> =
        list(&policy, "licenses", "allow").iter().map(|name| name.as_str().unwrap()).collect();
    let packages = Packages::read("Cargo.toml");
    assert!(packages.packages.len() > 50, "cargo metadata names only {} packages", packages.packages.len());
    let expression = |package: &Value| text(package, "license").replace(" / ", " OR ").replace('/', " OR ");
    let refused = packages.packages.iter().filter(|package| !is_allowed(&expression(package), &allowed));
    let refused: Vec<String> =
        refused.map(|package| format!("{}: {}", text(package, "name"), text(package, "license"))).collect();
    assert_eq!(refused, Vec::<String>::new(), "deny.toml does not allow these licences");
}

#[test]
fn licence_expressions_are_evaluated() {
    let allowed = BTreeSet::from(["MIT", "Zlib"]);
    for expression in ["MIT", "GPL-2.0 OR MIT", "(GPL-2.0 OR MIT) AND Zlib", "GPL-2.0 OR (MIT AND Zlib)"] {
        assert!(is_allowed(expression, &allowed), "{expression}");
    }
    for expression in ["", "GPL-2.0", "MIT AND GPL-2.0", "(GPL-2.0 OR MIT) AND LGPL-3.0"] {
        assert!(!is_allowed(expression, &allowed), "{expression}");
    }
}

#[test]
fn no_banned_crate_is_used() {
    let policy = policy();
    let packages = Packages::read("Cargo.toml");
    let versions = packages.versions();
    for ban in list(&policy, "bans", "deny") {
        let name = text(ban, "crate");
        let wrappers: BTreeSet<&str> =
            array(&ban["wrappers"]).iter().map(|name| name.as_str().unwrap()).collect();
        let users = packages.dependants(name);
        let refused: Vec<&&str> = users.difference(&wrappers).collect();
        assert!(
            !versions.contains_key(name) || refused.is_empty(),
            "{refused:?} use {name}: {}",
            text(ban, "reason")
        );
        assert!(wrappers.is_subset(&users), "deny.toml lets {wrappers:?} use {name}, but only {users:?} do");
    }
}

#[test]
fn every_duplicate_version_is_listed() {
    let policy = policy();
    let packages = Packages::read("Cargo.toml");
    let duplicates = packages.versions().into_iter().filter(|(_, versions)| versions.len() > 1);
    let duplicates: BTreeMap<&str, BTreeSet<&str>> = duplicates.collect();
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    for skip in list(&policy, "bans", "skip") {
        let (name, version) = text(skip, "crate").split_once('@').expect("NAME@VERSION in bans.skip");
        let matches = |other: &&&str| **other == version || other.starts_with(&format!("{version}."));
        let found =
            duplicates.get(name).is_some_and(|versions| versions.iter().any(|version| matches(&version)));
        assert!(found, "deny.toml lists {name} {version}, which is no duplicate: {duplicates:?}");
        *listed.entry(name).or_default() += 1;
    }
    for (name, versions) in &duplicates {
        let expected = versions.len() - 1;
        assert_eq!(
            listed.get(name),
            Some(&expected),
            "{name} has versions {versions:?}: list all but one in bans.skip"
        );
    }
}

#[test]
fn the_lock_file_of_the_fuzz_targets_is_current() {
    Packages::read("fuzz/Cargo.toml");
}
