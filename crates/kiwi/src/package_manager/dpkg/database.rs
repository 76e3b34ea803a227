//! dpkg's database of a tree, in the state after unpacking.
//!
//! ```text
//! var/lib/dpkg/status           a paragraph for each package, "install ok unpacked", with its conffiles
//! var/lib/dpkg/info/NAME.*      its control files and the list of its paths
//! var/lib/dpkg/triggers/        File: interests in paths; NAME: interests in a named trigger; Unincorp: activated triggers
//! ```

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::file_conflicts::Index;
use super::reserved::DIRECTORY;
use super::rules::OwnerAndMode;
use super::trigger::{Interest, interests};
use super::unpack::Unpacker;
use crate::package_manager::deb::Deb;
use crate::root_tree::{RootTree, TreeWriter};

pub(super) const INFO: &str = "var/lib/dpkg/info";

/// The database of one tree.
pub(in super::super) struct Database<'a> {
    tree: &'a RootTree,
    /// Interests of the unpacked packages.
    interests: BTreeMap<Index, (String, Vec<Interest>)>,
}

impl<'a> Database<'a> {
    /// Returns the database of a new tree, which is empty.
    pub(in super::super) fn new(tree: &'a RootTree) -> Self {
        Self { tree, interests: BTreeMap::new() }
    }

    /// Creates the database in a tree in which only the package dpkg was unpacked.
    pub(in super::super) fn create(&self) -> Result<()> {
        for directory in ["info", "triggers", "updates"] {
            self.tree.create_dir(format!("{DIRECTORY}/{directory}"), 0o755)?;
        }
        self.tree.write(format!("{INFO}/format"), "1\n", 0o644)?;
        self.tree.write(format!("{DIRECTORY}/status"), "", 0o644)
    }

    /// Records unpacked packages: their paths, their state and the triggers that their files activate.
    pub(in super::super) fn record(&mut self, unpacker: &mut Unpacker<'_>, batch: &[Index]) -> Result<()> {
        let mut status = self.tree.read_text(format!("{DIRECTORY}/status"))?;
        if !status.is_empty() && !status.ends_with("\n\n") {
            status.push('\n');
        }
        status.extend(unpacker.chosen(batch).map(paragraph));
        self.tree.write(format!("{DIRECTORY}/status"), status, 0o644)?;
        let trimmed = unpacker.trimmed();
        for index in batch.iter().chain(trimmed.iter().filter(|index| !batch.contains(index))) {
            self.write_list(&unpacker.packages()[*index], unpacker.list(*index))?;
        }
        for (index, package) in batch.iter().zip(unpacker.chosen(batch)) {
            let prefix = format!("{INFO}/{}.", package.control.known_as());
            write_members(package, &prefix, self.tree)?;
            if let Some(sums) = unpacker.sums(*index) {
                self.tree.write(format!("{prefix}md5sums"), sums, 0o644)?;
            }
        }
        self.set_off(batch.iter().flat_map(|index| unpacker.list(*index)))?;
        self.register(batch, unpacker)
    }

    /// Writes the paths of one package.
    fn write_list(&self, package: &Deb, list: &[PathBuf]) -> Result<()> {
        let mut text = Vec::new();
        for path in list {
            text.push(b'/');
            text.extend(if path.as_os_str().is_empty() { b"." } else { path.as_os_str().as_bytes() });
            text.push(b'\n');
        }
        self.tree.write(format!("{INFO}/{}.list", package.control.known_as()), text, 0o644)
    }

    /// Writes the interests of packages, in the order of their installation.
    fn register(&mut self, batch: &[Index], unpacker: &Unpacker<'_>) -> Result<()> {
        self.learn(batch, unpacker);
        let mut files: BTreeMap<&str, String> = BTreeMap::new();
        for (package, interests) in self.interests.values() {
            for interest in interests {
                let (file, line) = match interest.is_path() {
                    true => ("File", format!("{} {}\n", interest.trigger, interest.by(package))),
                    false => (interest.trigger.as_str(), format!("{}\n", interest.by(package))),
                };
                *files.entry(file).or_default() += &line;
            }
        }
        for (name, text) in files {
            self.tree.write(format!("{DIRECTORY}/triggers/{name}"), text, 0o644)?;
        }
        Ok(())
    }

    /// Adds the interests of packages that are already recorded.
    pub(in super::super) fn learn(&mut self, batch: &[Index], unpacker: &Unpacker<'_>) {
        for (index, package) in batch.iter().zip(unpacker.chosen(batch)) {
            if let Some(member) = package.member("triggers") {
                let interests = interests(&String::from_utf8_lossy(&member.bytes));
                self.interests.insert(*index, (package.control.known_as(), interests));
            }
        }
    }

    /// Activates triggers of installed packages on the parents of these paths; dpkg reads them when it starts.
    fn set_off<'p>(&self, paths: impl Iterator<Item = &'p PathBuf>) -> Result<()> {
        let interests = self.interests.values().flat_map(|(_, interests)| interests);
        let watched: HashSet<&str> = interests
            .filter(|interest| interest.is_path())
            .map(|interest| interest.trigger.as_str())
            .collect();
        let mut set_off = BTreeSet::new();
        for path in paths {
            let ancestors = path.ancestors().filter(|path| !path.as_os_str().is_empty());
            set_off.extend(ancestors.map(absolute).filter(|path| watched.contains(path.as_str())));
        }
        if set_off.is_empty() {
            return Ok(());
        }
        let path = format!("{DIRECTORY}/triggers/Unincorp");
        let mut text = if self.tree.exists(&path) { self.tree.read_text(&path)? } else { String::new() };
        for trigger in set_off {
            writeln!(text, "{trigger} -")?;
        }
        self.tree.write(path, text, 0o644)
    }
}

/// Writes the control files of a package except `control`; `prefix` is prepended to their names.
pub(super) fn write_members(package: &Deb, prefix: &str, tree: &RootTree) -> Result<()> {
    let mut writer = TreeWriter::of_packages(tree);
    for member in &package.members {
        let path = PathBuf::from(format!("{prefix}{}", member.name));
        let attributes = OwnerAndMode { user: 0, group: 0, mode: member.mode }.at(member.time);
        writer
            .file(&path, &mut member.bytes.as_slice(), &attributes)
            .with_context(|| format!("writing {} in the tree", path.display()))?;
    }
    Ok(())
}

fn absolute(path: &Path) -> String {
    format!("/{}", path.display())
}

/// Returns the status paragraph of a package that has just been unpacked.
fn paragraph(package: &Deb) -> String {
    let conffiles = package.conffile_lines();
    let mut text = format!("{}\nStatus: install ok unpacked\n", package.control.text());
    if !conffiles.is_empty() {
        text += "Conffiles:\n";
    }
    for (path, flag) in conffiles {
        text += &format!(" {path} newconffile{}{flag}\n", if flag.is_empty() { "" } else { " " });
    }
    text + "\n"
}
