//! The owners of paths. Packages are unpacked in parallel; a path that two of them contain is decided afterwards, so
//! that the result never depends on their speed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::rules::OwnerAndMode;
use crate::failure::fail;
use crate::package_manager::deb::{Control, alternatives};

/// Directories of the root that are links to those below `usr`.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// The index of a package in the order of installation.
pub(in super::super) type Index = usize;

/// The claim of a package to a file, link or node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) package: Index,
    /// The path in the package.
    pub(super) shipped: PathBuf,
}

/// A directory created in this batch; the first package in the order of installation determines its attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Directory {
    pub(super) package: Index,
    pub(super) attributes: OwnerAndMode,
    pub(super) time: i64,
    /// An entry was written into it, so its time is that of the build.
    pub(super) filled: bool,
}

/// All paths that were unpacked into a tree.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Claims {
    files: HashMap<PathBuf, Claim>,
    /// Existing directories; `None` for those of earlier batches or of scripts.
    pub(super) directories: HashMap<PathBuf, Option<Directory>>,
    contested: Vec<Claim>,
}

/// The result of two claims to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) winner: Claim,
    pub(super) loser: Claim,
    /// Whether the path is removed from the list of the loser.
    pub(super) disowned: bool,
}

impl Claims {
    /// Claims `path` for a package; returns false if another package owns it, and remembers the conflict.
    pub(super) fn claim(&mut self, path: &Path, claim: Claim) -> bool {
        match self.files.get(&merged(path)) {
            Some(known) if known.package != claim.package => {
                self.contested.push(claim);
                false
            }
            _ => {
                self.files.insert(merged(path), claim);
                self.fill(path);
                true
            }
        }
    }

    /// Notes that an entry was written into the directory of `path`.
    pub(super) fn fill(&mut self, path: &Path) {
        let Some(parent) = path.parent() else { return };
        if let Some(Some(directory)) = self.directories.get_mut(&merged(parent)) {
            directory.filled = true;
        }
    }

    /// Decides all conflicts. `destination` returns the path to which a claim is written.
    pub(super) fn finish<'a>(
        &mut self,
        control: impl Fn(Index) -> &'a Control,
        destination: impl Fn(&Claim) -> PathBuf,
    ) -> Result<Vec<Verdict>> {
        let mut contested = std::mem::take(&mut self.contested);
        contested.sort_by_key(|claim| claim.package);
        let mut verdicts = Vec::new();
        for claim in contested {
            let key = merged(&destination(&claim));
            let Some(owner) = self.files.get(&key).cloned() else { continue };
            let moved = merged(&destination(&owner));
            let verdict = if moved == key {
                decide(owner, claim, &control)?
            } else {
                // The file was written before a script of this batch diverted it.
                self.files.insert(moved, owner.clone());
                Verdict { winner: claim, loser: owner, disowned: false }
            };
            self.files.insert(key, verdict.winner.clone());
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// Ends a batch: the next one does not change its directories.
    pub(super) fn close_batch(&mut self) {
        self.directories.values_mut().for_each(|directory| *directory = None);
    }
}

/// Returns the winner: the package that replaces the other, in either order.
fn decide<'a>(owner: Claim, claim: Claim, control: impl Fn(Index) -> &'a Control) -> Result<Verdict> {
    let (old, new) = (control(owner.package), control(claim.package));
    if replaces(new, old) {
        return Ok(Verdict { winner: claim, loser: owner, disowned: true });
    }
    if replaces(old, new) {
        return Ok(Verdict { winner: owner, loser: claim, disowned: true });
    }
    if owner.shipped != claim.shipped {
        // dpkg does not detect that /bin/x and /usr/bin/x are one file: the later package wins.
        let (winner, loser) = if owner.package < claim.package { (claim, owner) } else { (owner, claim) };
        return Ok(Verdict { winner, loser, disowned: false });
    }
    fail!(
        Packages,
        "the packages {} and {} both contain /{}, and neither declares that it replaces the other; remove one of them",
        old.name(),
        new.name(),
        claim.shipped.display()
    )
}

/// Returns whether `new` declares that it replaces files of `old`; names that `old` only provides are ignored.
fn replaces(new: &Control, old: &Control) -> bool {
    let mut relations = alternatives(new.field("Replaces").unwrap_or_default()).flatten();
    relations.any(|relation| relation.name == old.name() && relation.admits(old.version()))
}

/// Returns one path for a file, regardless of links in the path of the package.
pub(super) fn merged(path: &Path) -> PathBuf {
    let merged = path.components().count() > 1 && MERGED.iter().any(|name| path.starts_with(name));
    if merged { Path::new("usr").join(path) } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::super::deb::control;
    use super::*;

    fn claim(package: Index, path: &str) -> Claim {
        Claim { package, shipped: path.into() }
    }

    /// Returns the verdicts about a path that packages 0 and 1 contain, claimed in both orders.
    fn verdicts(first: &str, second: &str, replaces: [&str; 2]) -> Vec<Result<Vec<Verdict>>> {
        let controls = replaces.map(|replaces| control(&format!("Replaces: {replaces}\n")));
        [[0, 1], [1, 0]]
            .map(|order| {
                let mut claims = Claims::default();
                let paths = [first, second];
                for package in order {
                    claims.claim(Path::new(paths[package]), claim(package, paths[package]));
                }
                claims.finish(|index| &controls[index], |claim| claim.shipped.clone())
            })
            .into()
    }

    #[test]
    fn the_package_that_replaces_the_other_wins_in_either_order() {
        for result in verdicts("usr/x", "usr/x", ["", "test (<< 2)"]) {
            let verdict = &result.unwrap()[0];
            assert_eq!((verdict.winner.package, verdict.loser.package, verdict.disowned), (1, 0, true));
        }
        for result in verdicts("usr/x", "usr/x", ["test (<< 1)", "other"]) {
            let text = result.unwrap_err().to_string();
            assert!(text.contains("both contain /usr/x"), "{text}");
        }
    }

    #[test]
    fn a_diversion_of_a_later_batch_moves_the_file_of_an_earlier_one() {
        let mut claims = Claims::default();
        assert!(claims.claim(Path::new("usr/x"), claim(0, "usr/x")));
        assert!(!claims.claim(Path::new("usr/x"), claim(1, "usr/x")));
        let diverted =
            |claim: &Claim| if claim.package == 0 { "usr/x.old".into() } else { claim.shipped.clone() };
        let controls = [control(""), control("")];
        let verdicts = claims.finish(|index| &controls[index], diverted).unwrap();
        assert_eq!((verdicts[0].winner.package, verdicts[0].disowned), (1, false));
        assert!(
            !claims.claim(Path::new("usr/x.old"), claim(2, "usr/x.old")),
            "another package could take the diverted path"
        );
    }

    #[test]
    fn one_file_with_two_paths_belongs_to_the_later_package() {
        for result in verdicts("bin/x", "usr/bin/x", ["", ""]) {
            let verdict = &result.unwrap()[0];
            assert_eq!((verdict.winner.package, verdict.disowned), (1, false));
        }
        assert_eq!(merged(Path::new("lib")), Path::new("lib"));
        assert_eq!(merged(Path::new("libx/y")), Path::new("libx/y"));
    }
}
