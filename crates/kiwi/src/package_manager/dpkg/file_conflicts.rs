//! Who owns which path. Packages are unpacked side by side; what two of them hold is put off and decided afterwards,
//! so that the result never depends on which was faster.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::rules::OwnerAndMode;
use crate::package_manager::deb::{Control, alternatives};

/// Directories of the root that are links to those below `usr`.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// A package, by its location in the order of installation.
pub(in super::super) type Index = usize;

/// A file, link or node of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) package: Index,
    /// The path as the package has it.
    pub(super) shipped: PathBuf,
}

/// A directory made in this batch; the first package in the order of installation decides how it looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Directory {
    pub(super) package: Index,
    pub(super) attributes: OwnerAndMode,
    pub(super) time: i64,
    /// Something was put into it, so its time is that of the build.
    pub(super) filled: bool,
}

/// Everything that was unpacked into a tree.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Claims {
    files: HashMap<PathBuf, Claim>,
    /// Directories that are there; `None` for those of earlier batches or of scripts.
    pub(super) directories: HashMap<PathBuf, Option<Directory>>,
    contested: Vec<Claim>,
}

/// What became of two claims on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) winner: Claim,
    pub(super) loser: Claim,
    /// Whether the loser's package does not list the path any more.
    pub(super) disowned: bool,
}

impl Claims {
    /// Claims `location` for a package; false when another one has it, which is remembered.
    pub(super) fn claim(&mut self, location: &Path, claim: Claim) -> bool {
        match self.files.get(&merged(location)) {
            Some(known) if known.package != claim.package => {
                self.contested.push(claim);
                false
            }
            _ => {
                self.files.insert(merged(location), claim);
                self.fill(location);
                true
            }
        }
    }

    /// The directory of `location` got something.
    pub(super) fn fill(&mut self, location: &Path) {
        let Some(parent) = location.parent() else { return };
        if let Some(Some(directory)) = self.directories.get_mut(&merged(parent)) {
            directory.filled = true;
        }
    }

    /// Decides about everything that more than one package claims. `location` is where a claim leads.
    pub(super) fn finish<'a>(
        &mut self,
        control: impl Fn(Index) -> &'a Control,
        location: impl Fn(&Claim) -> PathBuf,
    ) -> Result<Vec<Verdict>> {
        let mut contested = std::mem::take(&mut self.contested);
        contested.sort_by_key(|claim| claim.package);
        let mut verdicts = Vec::new();
        for claim in contested {
            let key = merged(&location(&claim));
            let Some(owner) = self.files.get(&key).cloned() else { continue };
            let moved = merged(&location(&owner));
            let verdict = if moved == key {
                decide(owner, claim, &control)?
            } else {
                // Its file was there before a script of this batch diverted it.
                self.files.insert(moved, owner.clone());
                Verdict { winner: claim, loser: owner, disowned: false }
            };
            self.files.insert(key, verdict.winner.clone());
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// The next batch does not touch the directories of this one.
    pub(super) fn close_wave(&mut self) {
        self.directories.values_mut().for_each(|directory| *directory = None);
    }
}

/// The package that replaces the other has the file, whichever comes first.
fn decide<'a>(owner: Claim, claim: Claim, control: impl Fn(Index) -> &'a Control) -> Result<Verdict> {
    let (old, new) = (control(owner.package), control(claim.package));
    if replaces(new, old) {
        return Ok(Verdict { winner: claim, loser: owner, disowned: true });
    }
    if replaces(old, new) {
        return Ok(Verdict { winner: owner, loser: claim, disowned: true });
    }
    if owner.shipped != claim.shipped {
        // dpkg does not see that /bin/x and /usr/bin/x are one file: the later package has it.
        let (winner, loser) = if owner.package < claim.package { (claim, owner) } else { (owner, claim) };
        return Ok(Verdict { winner, loser, disowned: false });
    }
    bail!(
        "the packages {} and {} both hold /{}, and neither says that it replaces the other; leave one of them out",
        old.name(),
        new.name(),
        claim.shipped.display()
    )
}

/// Whether `new` says that it takes over files of `old`; a name that `old` only provides does not count.
fn replaces(new: &Control, old: &Control) -> bool {
    let mut relations = alternatives(new.field("Replaces").unwrap_or_default()).flatten();
    relations.any(|relation| relation.name == old.name() && relation.admits(old.version()))
}

/// One name for a file whichever way its path was written.
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

    /// The verdicts about a path that packages 0 and 1 hold, claimed in both orders.
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
    fn who_replaces_has_the_file_in_either_order() {
        for result in verdicts("usr/x", "usr/x", ["", "test (<< 2)"]) {
            let verdict = &result.unwrap()[0];
            assert_eq!((verdict.winner.package, verdict.loser.package, verdict.disowned), (1, 0, true));
        }
        for result in verdicts("usr/x", "usr/x", ["test (<< 1)", "other"]) {
            let text = result.unwrap_err().to_string();
            assert!(text.contains("both hold /usr/x"), "{text}");
        }
    }

    #[test]
    fn a_diversion_of_a_later_wave_moves_the_file_of_an_earlier_one() {
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
            "the location it moved to is taken"
        );
    }

    #[test]
    fn one_file_by_two_paths_is_the_later_packages() {
        for result in verdicts("bin/x", "usr/bin/x", ["", ""]) {
            let verdict = &result.unwrap()[0];
            assert_eq!((verdict.winner.package, verdict.disowned), (1, false));
        }
        assert_eq!(merged(Path::new("lib")), Path::new("lib"));
        assert_eq!(merged(Path::new("libx/y")), Path::new("libx/y"));
    }
}
