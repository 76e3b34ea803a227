//! Trees from the store, and into it.
//!
//! The first stage is stored whole, each of the others as what differs from the one before it, whose archive it names: it
//! belongs to no other. The tree is restored into memory
//! where trees are built anyway: that takes less than a second, needs no id of its own on the disk and no mount, so the
//! store stays a folder of plain files that belong to their user.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use super::{Decided, PreparePlan, install};
use crate::host::Host;
use crate::host::usage::FromStore;
use crate::package_manager::Foundation;
use crate::root_tree::RootTree;
use crate::stage::{Digest, Inputs, Key};
use crate::store::{Damaged, Entry, Making, Store};
use crate::tree_archive::{self, Extent, Moment, Snapshot};

const TREE: &str = "tree.tar.zst";
const GONE: &str = "gone";
/// What the package manager noted of the bootstrap packages.
const NOTE: &str = "note";
/// In an entry's notes: the digest of the archive it is the difference to.
const UPON: &str = "upon";

/// How far the store is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reuse {
    /// Stages are neither taken from it nor kept in it.
    pub off: bool,
    /// Results of scripts that used the network are used again, too.
    pub network: bool,
}

/// The stages of one tree.
pub(super) struct Stages<'a> {
    plan: &'a PreparePlan,
    decided: &'a Decided,
    tree: &'a RootTree,
    store: &'a Store,
    reuse: Reuse,
    host: &'a Host,
    began: Moment,
    /// When the stage that goes on began.
    clock: Instant,
    /// The tree as the last stage left it, if that is in the store and the next one is kept.
    before: Option<Layer>,
}

/// A stage of the tree that the next one is the difference to.
struct Layer {
    snapshot: Snapshot,
    archive: Digest,
}

impl<'a> Stages<'a> {
    pub(super) fn begin(
        plan: &'a PreparePlan,
        decided: &'a Decided,
        tree: &'a RootTree,
        store: &'a Store,
        reuse: Reuse,
        host: &'a Host,
    ) -> Result<Self> {
        let began = tree_archive::now(tree)?;
        Ok(Self { plan, decided, tree, store, reuse, host, began, clock: Instant::now(), before: None })
    }

    fn tree_is_kept(&self) -> bool {
        self.is_kept() && (self.reuse.network || !self.plan.uses_network())
    }

    fn is_kept(&self) -> bool {
        !self.reuse.off && self.store.lasts()
    }

    /// The stage of these inputs in the store, if it is the difference to the archive `upon`.
    fn find(&self, inputs: &Inputs, upon: Option<&Digest>) -> Result<Option<Entry>> {
        let key = inputs.key();
        let Some(entry) = self.store.stages().find(&key, self.host) else { return Ok(None) };
        if entry.contents().notes.get(UPON).map(String::as_str) == upon.map(Digest::as_str) {
            return Ok(Some(entry));
        }
        drop(entry);
        self.store.stages().remove(&key, self.host)?;
        Ok(None)
    }

    /// Puts the installed packages into the tree, when the store has them.
    pub(super) fn take_packages(&mut self) -> Result<bool> {
        if !self.is_kept() {
            return Ok(false);
        }
        let below = match &self.decided.bootstrap {
            Some(inputs) => match self.find(inputs, None)? {
                Some(entry) => Some((inputs, entry)),
                None => return Ok(false),
            },
            None => None,
        };
        let upon = below.as_ref().and_then(|(_, entry)| entry.contents().digest(TREE));
        let Some(entry) = self.find(&self.decided.packages, upon)? else { return Ok(false) };
        let stage = self.host.stage("Taking the packages from the store").of_store(FromStore::Taken);
        empty(self.tree, &[])?;
        let mut entries = Vec::from_iter(below);
        entries.push((&self.decided.packages, entry));
        let mut top = None;
        for (inputs, entry) in entries {
            let taken = gone(&entry).and_then(|gone| {
                tree_archive::remove(&gone, self.tree)?;
                unpack(&entry, self.tree, self.host)
            });
            top = entry.contents().digest(TREE).cloned();
            drop(entry);
            if let Err(error) = taken {
                if !error.is::<Damaged>() {
                    return Err(error);
                }
                stage.finish();
                self.discard(&inputs.key(), &error)?;
                // What the package manager wrote to the tree is needed again.
                empty(self.tree, &[])?;
                install::decide(&self.plan.packages, self.tree, self.store, self.host)?;
                return Ok(false);
            }
        }
        stage.finish();
        self.end_packages(top)?;
        Ok(true)
    }

    /// Keeps the tree with all packages.
    pub(super) fn keep_packages(&mut self) -> Result<()> {
        let mut archive = None;
        let is_based = self.decided.bootstrap.is_none() || self.before.is_some();
        if self.is_kept() && is_based {
            let stage = self.host.stage("Keeping the packages in the store").of_store(FromStore::Kept);
            archive = self.keep_stage(&self.decided.packages, &[], None)?;
            stage.finish();
        }
        self.end_packages(archive)
    }

    fn end_packages(&mut self, archive: Option<Digest>) -> Result<()> {
        self.goes_on(archive.filter(|_| self.tree_is_kept()), &[])?;
        self.clock = Instant::now();
        Ok(())
    }

    /// The next stage is the difference to this one, whose archive is in the store; none: it is not kept. What the
    /// folders `but` hold belongs to neither.
    fn goes_on(&mut self, archive: Option<Digest>, but: &[&str]) -> Result<()> {
        let layer =
            |archive| Ok::<_, anyhow::Error>(Layer { snapshot: Snapshot::take(self.tree, but)?, archive });
        self.before = archive.map(layer).transpose()?;
        Ok(())
    }

    /// Makes the tree of the packages the customised one, when the store has it.
    pub(super) fn take_tree(&mut self) -> Result<bool> {
        let Some(before) = &self.before else { return Ok(false) };
        let Some(entry) = self.find(&self.decided.tree, Some(&before.archive))? else { return Ok(false) };
        let stage = self.host.stage("Taking the customised tree from the store").of_store(FromStore::Taken);
        // Everything is read and checked before the tree is touched: what is wrong leaves the tree as it was.
        let checked = gone(&entry).and_then(|gone| Ok((gone, difference(&entry)?)));
        drop(entry);
        let taken = match checked {
            Ok((gone, difference)) => {
                tree_archive::remove(&gone, self.tree)?;
                tree_archive::unpack(difference.as_slice(), self.tree, self.host)?;
                true
            }
            Err(error) if error.is::<Damaged>() => {
                self.discard(&self.decided.tree.key(), &error)?;
                false
            }
            Err(error) => return Err(error),
        };
        stage.finish();
        Ok(taken)
    }

    /// Keeps what customising did to the tree.
    pub(super) fn keep_tree(&self) -> Result<()> {
        if self.before.is_none() {
            return Ok(());
        }
        let stage = self.host.stage("Keeping the customised tree in the store").of_store(FromStore::Kept);
        self.keep_stage(&self.decided.tree, &[], None)?;
        stage.finish();
        Ok(())
    }

    /// Keeps the tree, or what it differs in from the stage before, without what the folders `but` hold; the digest of
    /// the archive, if another build's is not there already.
    fn keep_stage(&self, inputs: &Inputs, but: &[&str], note: Option<&str>) -> Result<Option<Digest>> {
        let mut making = self.store.stages().make(inputs, &self.plan.image, self.host)?;
        making.took(self.clock.elapsed());
        let extent = match &self.before {
            Some(layer) => Extent::Since(&layer.snapshot),
            None => Extent::But(but),
        };
        pack(&mut making, self.tree, extent, self.began, self.host)?;
        if let Some(layer) = &self.before {
            making.note(UPON, layer.archive.as_str());
        }
        if let Some(note) = note {
            making.write(NOTE, self.host, |output| Ok(output.write_all(note.as_bytes())?))?;
        }
        let digest = making.contents().digest(TREE).cloned();
        let is_ours = self.store.stages().finish(making, self.host)?;
        Ok(digest.filter(|_| is_ours))
    }

    fn discard(&self, key: &Key, error: &anyhow::Error) -> Result<()> {
        self.host.warn(&format!("the store is not used here: {error:#}; this stage is made anew"));
        self.store.stages().remove(key, self.host)?;
        Ok(())
    }
}

impl Foundation for Stages<'_> {
    fn take(&mut self) -> Result<Option<String>> {
        let Some(inputs) = self.decided.bootstrap.as_ref().filter(|_| self.is_kept()) else {
            return Ok(None);
        };
        let Some(entry) = self.find(inputs, None)? else { return Ok(None) };
        let stage =
            self.host.stage("Taking the bootstrap packages from the store").of_store(FromStore::Taken);
        let folders = self.plan.packages.manager().working_folders();
        empty(self.tree, folders)?;
        let taken = note(&entry).and_then(|note| unpack(&entry, self.tree, self.host).map(|()| note));
        let archive = entry.contents().digest(TREE).cloned();
        drop(entry);
        stage.finish();
        match taken {
            Ok(note) => {
                self.goes_on(archive, folders)?;
                Ok(Some(note))
            }
            Err(error) if error.is::<Damaged>() => {
                self.discard(&inputs.key(), &error)?;
                empty(self.tree, folders)?;
                install::skeleton(self.tree)?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn keep(&mut self, note: &str) -> Result<()> {
        let Some(inputs) = self.decided.bootstrap.as_ref().filter(|_| self.is_kept()) else { return Ok(()) };
        let stage = self.host.stage("Keeping the bootstrap packages in the store").of_store(FromStore::Kept);
        let folders = self.plan.packages.manager().working_folders();
        let archive = self.keep_stage(inputs, folders, Some(note))?;
        stage.finish();
        self.goes_on(archive, folders)
    }
}

/// Takes everything out of the tree but the folders `kept`.
fn empty(tree: &RootTree, kept: &[&str]) -> Result<()> {
    fn clear(tree: &RootTree, folder: &Path, kept: &[&str]) -> Result<()> {
        for name in tree.list(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })? {
            let path = folder.join(name);
            if kept.iter().any(|kept| path == Path::new(kept)) {
                continue;
            }
            match kept.iter().any(|kept| Path::new(kept).starts_with(&path)) {
                true => clear(tree, &path, kept)?,
                false => tree.remove(&path)?,
            }
        }
        Ok(())
    }
    clear(tree, Path::new(""), kept)
}

fn pack(making: &mut Making, tree: &RootTree, extent: Extent<'_>, began: Moment, host: &Host) -> Result<()> {
    let gone = making.write(TREE, host, |output| tree_archive::pack(tree, extent, began, output, host))?;
    let names: Vec<u8> = gone
        .iter()
        .flat_map(|path| {
            use std::os::unix::ffi::OsStrExt;
            path.as_os_str().as_bytes().iter().copied().chain([0])
        })
        .collect();
    making.write(GONE, host, |output| Ok(output.write_all(&names)?))
}

fn unpack(entry: &Entry, tree: &RootTree, host: &Host) -> Result<()> {
    entry.read(TREE, |input| tree_archive::unpack(input, tree, host)).context("taking a tree from the store")
}

/// The packed difference; it is small.
fn difference(entry: &Entry) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.read(TREE, |input| Ok(input.read_to_end(&mut bytes)?))?;
    Ok(bytes)
}

fn note(entry: &Entry) -> Result<String> {
    let mut text = String::new();
    entry.read(NOTE, |input| Ok(input.read_to_string(&mut text)?))?;
    Ok(text)
}

fn gone(entry: &Entry) -> Result<Vec<PathBuf>> {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::new();
    entry.read(GONE, |input| Ok(input.read_to_end(&mut bytes)?))?;
    let names = bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| std::ffi::OsString::from_vec(name.to_vec()).into()).collect())
}
