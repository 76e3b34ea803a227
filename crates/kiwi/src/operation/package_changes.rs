//! The packages that differ between a lock, or an installed system, and what the repositories provide now.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::lock::LockedPackage;

/// A part of the names of repositories with security updates.
const SECURITY: &str = "security";

/// One package that has another version, is new, or is no longer needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageChange {
    /// As in [`LockedPackage`].
    pub image: String,
    /// Its name.
    pub name: String,
    /// Its architecture.
    pub architecture: String,
    /// The version so far; `None`: it is new.
    pub from: Option<String>,
    /// The version that the repositories provide; `None`: it is no longer needed.
    pub to: Option<String>,
    /// Whether the version comes from a repository with security updates.
    pub security: bool,
}

/// What identifies a package in a lock.
type Key<'a> = (&'a str, &'a str, &'a str);

fn key(package: &LockedPackage) -> Key<'_> {
    (&package.image, &package.name, &package.architecture)
}

/// Returns whether a package comes from a repository with security updates.
pub(super) fn is_security(package: &LockedPackage) -> bool {
    package.repository.contains(SECURITY)
}

/// Returns what changes from `before` to `now`, sorted.
pub(super) fn changes(before: &[LockedPackage], now: &[LockedPackage]) -> Vec<PackageChange> {
    let index = |packages| -> BTreeMap<Key<'_>, &LockedPackage> {
        let packages: &[LockedPackage] = packages;
        packages.iter().map(|package| (key(package), package)).collect()
    };
    let (old, new) = (index(before), index(now));
    let keys: BTreeSet<Key<'_>> = old.keys().chain(new.keys()).copied().collect();
    let change = |key: Key<'_>| {
        let (from, to) = (old.get(&key), new.get(&key));
        // The same version with other bytes is another package, too.
        let digest = |package: Option<&&LockedPackage>| package.map(|package| package.sha256.clone());
        (digest(from) != digest(to)).then(|| PackageChange {
            image: key.0.to_owned(),
            name: key.1.to_owned(),
            architecture: key.2.to_owned(),
            from: from.map(|package| package.version.clone()),
            to: to.map(|package| package.version.clone()),
            security: to.is_some_and(|package| is_security(package)),
        })
    };
    keys.into_iter().filter_map(change).collect()
}

/// Returns the packages of a lock with the versions, and the new packages, of repositories with security updates only.
pub(super) fn with_security_updates(before: &[LockedPackage], now: &[LockedPackage]) -> Vec<LockedPackage> {
    let updates: BTreeMap<Key<'_>, &LockedPackage> =
        now.iter().filter(|package| is_security(package)).map(|package| (key(package), package)).collect();
    let known: BTreeSet<Key<'_>> = before.iter().map(key).collect();
    let chosen = before.iter().map(|package| match updates.get(&key(package)) {
        Some(update) => LockedPackage { order: package.order, ..(*update).clone() },
        None => package.clone(),
    });
    let added =
        updates.iter().filter(|(key, _)| !known.contains(*key)).map(|(_, package)| (*package).clone());
    chosen.chain(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, repository: &str) -> LockedPackage {
        LockedPackage {
            image: "system".to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: "amd64".to_owned(),
            order: 7,
            sha256: format!("{name}{version}"),
            repository: repository.to_owned(),
            file: format!("pool/{name}"),
        }
    }

    const MAIN: &str = "debian://bookworm";
    const UPDATES: &str = "debian://bookworm-security";

    fn shown(changes: &[PackageChange]) -> Vec<String> {
        let text = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
        let line = |change: &PackageChange| {
            format!("{} {} {} {}", change.name, text(&change.from), text(&change.to), change.security)
        };
        changes.iter().map(line).collect()
    }

    #[test]
    fn shows_other_versions_new_and_former_packages() {
        let before = [package("a", "1", MAIN), package("b", "1", MAIN), package("c", "1", MAIN)];
        let now = [package("a", "1", MAIN), package("b", "2", UPDATES), package("d", "1", MAIN)];
        assert_eq!(shown(&changes(&before, &now)), ["b 1 2 true", "c 1 - false", "d - 1 false"]);
        assert_eq!(changes(&now, &now), []);
    }

    #[test]
    fn security_updates_change_nothing_else() {
        let before = [package("a", "1", MAIN), package("b", "1", MAIN), package("c", "1", MAIN)];
        let now = [
            package("a", "2", MAIN),
            package("b", "2", UPDATES),
            package("e", "1", UPDATES),
            package("d", "1", MAIN),
        ];
        let chosen = with_security_updates(&before, &now);
        assert_eq!(shown(&changes(&before, &chosen)), ["b 1 2 true", "e - 1 true"]);
        assert_eq!(chosen[0], before[0]);
        assert_eq!(chosen[2], before[2]);
    }
}
