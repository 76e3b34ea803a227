//! Unpacks the files of many packages in parallel, directly to their final paths.
//!
//! ```text
//! threads take packages, the largest first -> each entry: rules -> claim -> path
//! then, sequentially: paths with two claims, times of empty directories
//! ```
//!
//! Conffiles are written as `NAME.dpkg-new`; dpkg renames them when it configures the package.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use super::file_conflicts::{Claim, Claims, Directory, Index, merged};
use super::reserved;
use super::rules::Rules;
use super::sums::Sums;
use crate::host::Host;
use crate::package_manager::deb::{Deb, Entry, Kind, entries};
use crate::parallel;
use crate::root_tree::{Made, RootTree, TreeWriter};

/// Unpacks the packages of one installation, batch by batch.
pub(in super::super) struct Unpacker<'a> {
    tree: &'a RootTree,
    /// In the order of installation.
    packages: Vec<Deb>,
    claims: Mutex<Claims>,
    /// The paths of each package, as it contains them and in its order.
    lists: Vec<Vec<PathBuf>>,
    /// `md5sums` of the packages that do not contain it.
    sums: BTreeMap<Index, Vec<u8>>,
    /// Directories of the first batch have the time of the build: dpkg would find them as existing directories.
    first_batch: bool,
    /// Packages that lost a path to another one after their lists were written.
    trimmed: BTreeSet<Index>,
}

impl<'a> Unpacker<'a> {
    /// Returns an unpacker for a new tree.
    pub(in super::super) fn new(tree: &'a RootTree) -> Self {
        Self {
            tree,
            packages: Vec::new(),
            claims: Mutex::default(),
            lists: Vec::new(),
            sums: BTreeMap::new(),
            first_batch: true,
            trimmed: BTreeSet::new(),
        }
    }

    /// Continues after packages that were restored from the cache: `noted` is the result of `note` at that time.
    pub(in super::super) fn resume(&mut self, noted: &str) -> Result<()> {
        let (claims, lists): (Claims, Vec<_>) =
            serde_json::from_str(noted).context("reading what was noted of unpacked packages")?;
        (self.claims, self.lists, self.first_batch) = (Mutex::new(claims), lists, false);
        Ok(())
    }

    /// Returns everything that the next batches need to know about the unpacked packages. Fails for paths that are not
    /// UTF-8.
    pub(in super::super) fn note(&self) -> Result<String> {
        serde_json::to_string(&(&*self.claims(), &self.lists))
            .context("saving the paths of the unpacked packages")
    }

    /// Adds packages that are installed after the existing ones.
    pub(in super::super) fn add(&mut self, packages: Vec<Deb>) -> Vec<Index> {
        let first = self.packages.len();
        self.packages.extend(packages);
        self.lists.resize(self.packages.len(), Vec::new());
        (first..self.packages.len()).collect()
    }

    /// Returns all packages.
    pub(in super::super) fn packages(&self) -> &[Deb] {
        &self.packages
    }

    /// Returns some of the packages.
    pub(in super::super) fn chosen(&self, batch: &[Index]) -> impl Iterator<Item = &Deb> {
        batch.iter().map(|index| &self.packages[*index])
    }

    /// Returns the paths of a package for dpkg's database, without those that another package took over.
    pub(super) fn list(&self, index: Index) -> &[PathBuf] {
        &self.lists[index]
    }

    /// Returns the sums of a package's files if it was unpacked here and has no `md5sums`.
    pub(super) fn sums(&self, index: Index) -> Option<&[u8]> {
        self.sums.get(&index).map(Vec::as_slice)
    }

    /// Returns the packages whose lists must be written again.
    pub(super) fn trimmed(&mut self) -> BTreeSet<Index> {
        std::mem::take(&mut self.trimmed)
    }

    /// Unpacks some of the packages. `open` returns the data archive of one.
    pub(in super::super) fn unpack(
        &mut self,
        batch: &[Index],
        rules: &Rules,
        open: impl Fn(&Deb) -> Result<Box<dyn Read>> + Sync,
        host: &Host,
    ) -> Result<()> {
        let mut queue = batch.to_vec();
        queue.sort_by_key(|index| (std::cmp::Reverse(self.packages[*index].data_size()), *index));
        let this = &*self;
        let threads = host.processors().min(batch.len());
        let writers = (0..threads).map(|_| TreeWriter::of_packages(this.tree)).collect();
        let mut results = Vec::with_capacity(batch.len());
        parallel::for_each(
            &queue,
            writers,
            |writer, index| {
                host.check_interrupt()?;
                this.package(*index, rules, &open, None, writer)
            },
            |index, unpacked| {
                results.push((*index, unpacked));
                Ok(())
            },
        )?;
        for (index, unpacked) in results {
            self.lists[index] = unpacked.list;
            self.sums.extend(unpacked.sums.map(|sums| (index, sums)));
        }
        self.finish(rules, &open)?;
        if !std::mem::take(&mut self.first_batch) {
            self.date_empty_directories()?;
        }
        self.claims().close_batch();
        Ok(())
    }

    /// Unpacks the files of one package, or only those in `chosen`.
    fn package(
        &self,
        index: Index,
        rules: &Rules,
        open: &impl Fn(&Deb) -> Result<Box<dyn Read>>,
        chosen: Option<&HashSet<PathBuf>>,
        writer: &mut TreeWriter<'_>,
    ) -> Result<Unpacked> {
        let package = &self.packages[index];
        let unpacking = || format!("unpacking the package {}", package.name());
        let conffiles = package.conffiles();
        let mut list = Vec::new();
        let mut sums = package.member("md5sums").is_none().then(Sums::default);
        let reader = open(package).with_context(unpacking)?;
        let unpacked = entries(reader, |entry, content| {
            reserved::check(&entry)?;
            list.push(entry.path.clone());
            if entry.path.as_os_str().is_empty() || chosen.is_some_and(|chosen| !chosen.contains(&entry.path))
            {
                return Ok(());
            }
            let task = Task { index, package, rules, conffiles: &conffiles, again: chosen.is_some() };
            let mut write = |content: &mut dyn Read| self.entry(&task, &entry, content, writer);
            let placed = match &mut sums {
                Some(sums) => sums.take(&entry, content, write),
                None => write(content),
            };
            placed.with_context(|| format!("writing {} in the tree", entry.path.display()))
        });
        unpacked.with_context(unpacking)?;
        Ok(Unpacked { list, sums: sums.map(Sums::into_text) })
    }

    fn entry(
        &self,
        task: &Task<'_>,
        entry: &Entry,
        content: &mut dyn Read,
        writer: &mut TreeWriter<'_>,
    ) -> Result<()> {
        let destination = task.rules.destination(&entry.path, task.package.name());
        let attributes = task.rules.attributes(entry).at(entry.time);
        if entry.kind == Kind::Directory {
            return self.directory(task, entry, destination, writer);
        }
        let claim = Claim { package: task.index, shipped: entry.path.clone() };
        if !task.again && !self.claims().claim(destination, claim) {
            return Ok(());
        }
        match &entry.kind {
            Kind::File => writer.file(&task.staged(&entry.path), content, &attributes),
            Kind::Link(target) => writer.link(destination, target, &attributes).map(drop),
            Kind::HardLink(target) => writer.hard_link(&task.staged(&entry.path), &task.staged(target)),
            Kind::Fifo => writer.fifo(destination, &attributes),
            Kind::Device(device) => writer.device(destination, *device, &attributes),
            Kind::Directory => Ok(()),
        }
    }

    /// The first package in the order of installation determines owner and mode, as in a sequential installation. The
    /// time is the latest in any package, regardless of the order.
    fn directory(
        &self,
        task: &Task<'_>,
        entry: &Entry,
        destination: &Path,
        writer: &mut TreeWriter<'_>,
    ) -> Result<()> {
        let attributes = task.rules.attributes(entry);
        let directory = Directory { package: task.index, attributes, time: entry.time, filled: false };
        let key = merged(destination);
        let mut claims = self.claims();
        match claims.directories.get_mut(&key) {
            None => {
                let made = writer.directory(destination, &attributes.at(entry.time))?;
                claims.directories.insert(key, (made == Made::New).then_some(directory));
                claims.fill(destination);
            }
            Some(Some(known)) => {
                let time = known.time.max(entry.time);
                if known.package > task.index {
                    if known.attributes != attributes {
                        writer.describe_directory(destination, &attributes.at(entry.time))?;
                    }
                    *known = Directory { filled: known.filled, ..directory };
                }
                known.time = time;
            }
            Some(None) => {}
        }
        Ok(())
    }

    /// Decides about paths with two claims, and unpacks the files of the winners.
    fn finish(&mut self, rules: &Rules, open: &impl Fn(&Deb) -> Result<Box<dyn Read>>) -> Result<()> {
        let packages = &self.packages;
        let destination =
            |claim: &Claim| rules.destination(&claim.shipped, packages[claim.package].name()).to_owned();
        let verdicts = self
            .claims
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .finish(|index| &packages[index].control, destination)?;
        let mut again: BTreeMap<Index, HashSet<PathBuf>> = BTreeMap::new();
        let mut writer = TreeWriter::of_packages(self.tree);
        for verdict in verdicts {
            if verdict.disowned {
                self.lists[verdict.loser.package].retain(|path| *path != verdict.loser.shipped);
                self.trimmed.insert(verdict.loser.package);
            }
            again.entry(verdict.winner.package).or_default().insert(verdict.winner.shipped);
        }
        for (index, chosen) in again {
            self.package(index, rules, open, Some(&chosen), &mut writer)?;
        }
        Ok(())
    }

    fn date_empty_directories(&self) -> Result<()> {
        let mut writer = TreeWriter::of_packages(self.tree);
        for (path, directory) in &self.claims().directories {
            if let Some(directory) = directory.as_ref().filter(|directory| !directory.filled) {
                writer
                    .date_directory(path, directory.time)
                    .with_context(|| format!("writing {} in the tree", path.display()))?;
            }
        }
        Ok(())
    }

    fn claims(&self) -> std::sync::MutexGuard<'_, Claims> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of reading a package.
struct Unpacked {
    /// Its paths.
    list: Vec<PathBuf>,
    /// `md5sums`, if it contains none.
    sums: Option<Vec<u8>>,
}

/// One package that is being unpacked.
struct Task<'a> {
    index: Index,
    package: &'a Deb,
    rules: &'a Rules,
    conffiles: &'a HashSet<PathBuf>,
    /// Its claims have already been decided.
    again: bool,
}

impl Task<'_> {
    /// Returns the path of a file until the package is configured.
    fn staged(&self, path: &Path) -> PathBuf {
        let mut destination = self.rules.destination(path, self.package.name()).as_os_str().to_owned();
        if self.conffiles.contains(path) {
            destination.push(".dpkg-new");
        }
        destination.into()
    }
}

#[cfg(test)]
mod tests;
