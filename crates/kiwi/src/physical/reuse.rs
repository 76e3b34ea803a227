//! Trees from the store, and into it.
//!
//! The stage `packages` is stored whole, the stage `tree` as what differs from it. The tree is restored into memory
//! where trees are built anyway: that takes less than a second, needs no id of its own on the disk and no mount, so the
//! store stays a folder of plain files that belong to their user.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};

use super::{Decided, PreparePlan, install};
use crate::host::Host;
use crate::host::usage::FromStore;
use crate::root_tree::RootTree;
use crate::store::{Damaged, Entry, Making, Store};
use crate::tree_archive::{self, Extent, Moment, Snapshot};

const TREE: &str = "tree.tar.zst";
const GONE: &str = "gone";

/// How far the store is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reuse {
    /// Stages are neither taken from it nor kept in it.
    pub off: bool,
    /// Results of scripts that used the network are used again, too.
    pub network: bool,
}

/// The two stages of one tree.
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
    /// The tree as the stage `packages` left it.
    before: Option<Snapshot>,
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

    /// Puts the installed packages into the tree, when the store has them.
    pub(super) fn take_packages(&mut self) -> Result<bool> {
        if !self.is_kept() {
            return Ok(false);
        }
        let key = self.decided.packages.key();
        let Some(entry) = self.store.stages().find(&key, self.host) else { return Ok(false) };
        let stage = self.host.stage("Taking the packages from the store").of_store(FromStore::Taken);
        empty(self.tree)?;
        let taken = unpack(&entry, self.tree, self.host);
        drop(entry);
        if let Err(error) = taken {
            if !error.is::<Damaged>() {
                return Err(error);
            }
            stage.finish();
            self.discard(&key, &error)?;
            // What the package manager wrote to the tree is needed again.
            empty(self.tree)?;
            install::decide(&self.plan.packages, self.tree, self.store, self.host)?;
            return Ok(false);
        }
        stage.finish();
        self.end_packages()?;
        Ok(true)
    }

    /// Keeps the tree with all packages.
    pub(super) fn keep_packages(&mut self) -> Result<()> {
        if self.is_kept() {
            let stage = self.host.stage("Keeping the packages in the store").of_store(FromStore::Kept);
            let mut making = self.store.stages().make(&self.decided.packages, &self.plan.image, self.host)?;
            making.took(self.clock.elapsed());
            pack(&mut making, self.tree, Extent::Whole, self.began, self.host)?;
            self.store.stages().finish(making, self.host)?;
            stage.finish();
        }
        self.end_packages()
    }

    fn end_packages(&mut self) -> Result<()> {
        if self.tree_is_kept() {
            self.before = Some(Snapshot::take(self.tree)?);
        }
        self.clock = Instant::now();
        Ok(())
    }

    /// Makes the tree of the packages the customised one, when the store has it.
    pub(super) fn take_tree(&mut self) -> Result<bool> {
        if !self.tree_is_kept() {
            return Ok(false);
        }
        let key = self.decided.tree.key();
        let Some(entry) = self.store.stages().find(&key, self.host) else { return Ok(false) };
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
                self.discard(&key, &error)?;
                false
            }
            Err(error) => return Err(error),
        };
        stage.finish();
        Ok(taken)
    }

    /// Keeps what customising did to the tree.
    pub(super) fn keep_tree(&self) -> Result<()> {
        let Some(before) = &self.before else { return Ok(()) };
        let stage = self.host.stage("Keeping the customised tree in the store").of_store(FromStore::Kept);
        let mut making = self.store.stages().make(&self.decided.tree, &self.plan.image, self.host)?;
        making.took(self.clock.elapsed());
        pack(&mut making, self.tree, Extent::Since(before), self.began, self.host)?;
        self.store.stages().finish(making, self.host)?;
        stage.finish();
        Ok(())
    }

    fn discard(&self, key: &crate::stage::Key, error: &anyhow::Error) -> Result<()> {
        self.host.warn(&format!("the store is not used here: {error:#}; this stage is made anew"));
        self.store.stages().remove(key, self.host)?;
        Ok(())
    }
}

/// Takes everything out of the tree.
fn empty(tree: &RootTree) -> Result<()> {
    tree.list(".")?.iter().try_for_each(|name| tree.remove(name))
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

fn gone(entry: &Entry) -> Result<Vec<PathBuf>> {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::new();
    entry.read(GONE, |input| Ok(input.read_to_end(&mut bytes)?))?;
    let names = bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| std::ffi::OsString::from_vec(name.to_vec()).into()).collect())
}
