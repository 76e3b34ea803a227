//! Saves trees in the cache and restores them.
//!
//! The first stage is stored as a whole; each other stage is stored as the difference from its parent, whose archive
//! its entry names, so that it fits no other parent. The package manager decides which layers of packages exist; the
//! finished packages are found without it, together with all their parents. The tree is restored into the tmpfs in
//! which trees are built: that takes less than a second and requires no subordinate ids on the disk and no mount, so
//! the cache remains a directory of plain files that belong to their user.

use std::time::Instant;

use anyhow::{Context as _, Result};

use super::stage_files::{NOTE, TREE, note, pack, packed_size, put};
use super::{Decided, PreparePlan, install, post_bootstrap};
use crate::cache::{Cache, Damaged, Entry, Parent};
use crate::context::Context;
use crate::debugging::{Point, Step};
use crate::host::usage::FromCache;
use crate::host::{RunningStage, StageTask, Warning};
use crate::package_manager::{Layer, Layers};
use crate::root_tree::RootTree;
use crate::stage::{Digest, Inputs, Key, Stage};
use crate::tree_archive::{self, Extent, Moment, Snapshot};

/// How much of the cache is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reuse {
    /// No tree stage is restored or saved.
    pub off: bool,
    /// Also reuses results of scripts that used the network.
    pub network: bool,
}

/// The stages of one tree.
pub(super) struct TreeStages<'a> {
    plan: &'a PreparePlan,
    decided: &'a Decided,
    tree: &'a RootTree,
    cache: &'a Cache,
    reuse: Reuse,
    context: &'a Context,
    began: Moment,
    /// Start of the current stage.
    clock: Instant,
    below: Base,
    /// Inputs of the layer of packages in the tree.
    layer: Option<Inputs>,
    /// Whether `post_bootstrap.sh` still has to run, or its effects to be restored with a layer.
    script_is_due: bool,
    /// Whether the point before all other packages is still ahead.
    is_before_packages: bool,
}

/// The parent of the next stage.
enum Base {
    /// None: the next stage is the first.
    Nothing,
    /// A stage in the cache, and its snapshot of the tree once that is needed.
    Kept(Parent, Option<Snapshot>),
    /// A stage that is not in the cache, so the next one cannot be saved.
    Unsaved,
}

impl<'a> TreeStages<'a> {
    pub(super) fn begin(
        plan: &'a PreparePlan,
        decided: &'a Decided,
        tree: &'a RootTree,
        reuse: Reuse,
        context: &'a Context,
    ) -> Result<Self> {
        let began = tree_archive::now(tree)?;
        Ok(Self {
            plan,
            decided,
            tree,
            cache: context.cache()?,
            reuse,
            context,
            began,
            clock: Instant::now(),
            below: Base::Nothing,
            layer: None,
            script_is_due: plan.post_bootstrap.is_some(),
            is_before_packages: true,
        })
    }

    fn tree_is_kept(&self) -> bool {
        self.is_kept() && (self.reuse.network || !self.plan.uses_network())
    }

    /// Returns whether all packages are restored and saved: not if a script that used the network belongs to them.
    fn packages_are_kept(&self) -> bool {
        let script = self.plan.post_bootstrap.as_ref();
        self.is_kept()
            && !self.is_forced(Step::Packages)
            && (self.reuse.network || !script.is_some_and(post_bootstrap::Plan::uses_network))
    }

    /// Returns whether a shell is opened inside this step, which must therefore run.
    fn is_forced(&self, step: Step) -> bool {
        self.plan.debugged && self.context.debugging.forces(step)
    }

    /// Returns whether shells may change the tree, so that no stage is saved.
    fn has_shells(&self) -> bool {
        self.plan.debugged && self.context.debugging.has_shells()
    }

    /// Runs `post_bootstrap.sh` once, and a shell before it, after the snapshot of the tree below it.
    fn run_script(&mut self) -> Result<()> {
        if std::mem::take(&mut self.is_before_packages) && self.plan.debugged {
            let point = Point::Before(Step::Packages);
            self.context.debugging.reach(point, self.tree, &self.context.host)?;
        }
        if std::mem::take(&mut self.script_is_due)
            && let Some(script) = &self.plan.post_bootstrap
        {
            script.run(self.tree, &self.context.host)?;
        }
        Ok(())
    }

    fn is_kept(&self) -> bool {
        !self.reuse.off && self.cache.lasts()
    }

    /// Returns the cached stage with these inputs if its parent is in the tree; removes one with another parent.
    fn find(&self, inputs: &Inputs) -> Result<Option<Entry>> {
        let parent = match &self.below {
            Base::Nothing => None,
            Base::Kept(parent, _) => Some(parent),
            Base::Unsaved => return Ok(None),
        };
        let key = inputs.key();
        let Some(entry) = self.cache.stages().find(&key, &self.context.host) else { return Ok(None) };
        if entry.contents().parent.as_ref() == parent {
            return Ok(Some(entry));
        }
        drop(entry);
        self.cache.stages().remove(&key, &self.context.host)?;
        Ok(None)
    }

    /// Restores the stage with these inputs if the cache contains it. The first stage replaces everything, and is checked while
    /// it is read; a later one before, so that a damaged entry leaves the tree unchanged.
    fn restore_sound(&self, inputs: &Inputs, title: String) -> Result<Option<Entry>> {
        let Some(entry) = self.find(inputs)? else { return Ok(None) };
        let keyword = inputs.stage().keyword();
        let host = &self.context.host;
        let stage = host.stage(StageTask::Restore, title).of_cache(FromCache::Taken, keyword);
        let is_first = matches!(self.below, Base::Nothing);
        if is_first {
            self.tree.clear_dir(".")?;
        }
        let meter = stage.meter(packed_size(&entry));
        match if is_first { put(&entry, self.tree, &meter, host) } else { entry.check_all(host) } {
            Ok(()) => {}
            Err(error) if error.is::<Damaged>() => {
                drop(entry);
                stage.finish_unrestored();
                self.discard(&inputs.key(), &error)?;
                if is_first {
                    self.empty()?;
                }
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        if !is_first {
            put(&entry, self.tree, &meter, host)?;
        }
        stage.finish();
        Ok(Some(entry))
    }

    /// Removes everything from the tree except what a tree starts with.
    fn empty(&self) -> Result<()> {
        self.tree.clear_dir(".")?;
        install::start(&self.plan.packages, self.tree)
    }

    /// Prepares a run of the next stage: takes a snapshot of the tree.
    fn make_next(&mut self) -> Result<()> {
        if let Base::Kept(_, snapshot @ None) = &mut self.below {
            *snapshot = Some(Snapshot::take(self.tree)?);
        }
        Ok(())
    }

    /// Restores the installed packages if the cache contains them.
    pub(super) fn restore_packages(&mut self) -> Result<bool> {
        if !self.packages_are_kept() {
            return Ok(false);
        }
        let key = self.decided.packages.key();
        let Some(entries) = self.cache.stages().find_whole(&key, &self.context.host) else {
            // A parent of this stage no longer exists.
            self.cache.stages().remove(&key, &self.context.host)?;
            return Ok(false);
        };
        let host = &self.context.host;
        let stage = host
            .stage(StageTask::Restore, "Restoring the packages from the cache")
            .of_cache(FromCache::Taken, Stage::Packages.keyword());
        self.tree.clear_dir(".")?;
        let meter = stage.meter(entries.iter().map(packed_size).sum());
        let mut top = None;
        for entry in entries {
            let key = entry.contents().inputs.key();
            let taken = put(&entry, self.tree, &meter, host);
            top = entry.contents().digest(TREE).cloned();
            drop(entry);
            if let Err(error) = taken {
                if !error.is::<Damaged>() {
                    return Err(error);
                }
                stage.finish_unrestored();
                self.discard(&key, &error)?;
                self.empty()?;
                return Ok(false);
            }
        }
        stage.finish();
        self.end_packages(top);
        Ok(true)
    }

    /// Saves the tree with all packages.
    pub(super) fn save_packages(&mut self) -> Result<()> {
        let mut archive = None;
        if self.packages_are_kept() && !self.has_shells() && !matches!(self.below, Base::Unsaved) {
            let stage = self
                .context
                .host
                .stage(StageTask::Save, "Saving the packages in the cache")
                .of_cache(FromCache::Kept, Stage::Packages.keyword());
            archive = self.save_stage(&self.decided.packages, None, &stage)?;
            stage.finish();
        }
        self.end_packages(archive);
        Ok(())
    }

    fn end_packages(&mut self, archive: Option<Digest>) {
        self.goes_on(self.decided.packages.key(), archive.filter(|_| self.tree_is_kept()));
        self.clock = Instant::now();
    }

    /// Makes this stage the parent of the next one; without an archive in the cache the next one cannot be saved.
    fn goes_on(&mut self, key: Key, archive: Option<Digest>) {
        self.below = archive.map_or(Base::Unsaved, |file| Base::Kept(Parent { key, file }, None));
    }

    /// Restores the customised tree, on top of the packages, if the cache contains it.
    pub(super) fn restore_tree(&mut self) -> Result<bool> {
        let title = "Restoring the customised tree from the cache".to_owned();
        let taken = !self.is_forced(Step::Tree) && self.restore_sound(&self.decided.tree, title)?.is_some();
        if !taken {
            self.make_next()?;
        }
        Ok(taken)
    }

    /// Saves the changes of the stage `Tree`.
    pub(super) fn save_tree(&self) -> Result<()> {
        if !matches!(self.below, Base::Kept(..)) || self.has_shells() {
            return Ok(());
        }
        let stage = self
            .context
            .host
            .stage(StageTask::Save, "Saving the customised tree in the cache")
            .of_cache(FromCache::Kept, Stage::Tree.keyword());
        self.save_stage(&self.decided.tree, None, &stage)?;
        stage.finish();
        Ok(())
    }

    /// Saves the tree, or its difference from the parent stage. Returns the digest of the archive unless another build
    /// saved this stage first.
    fn save_stage(
        &self,
        inputs: &Inputs,
        note: Option<&str>,
        stage: &RunningStage<'_>,
    ) -> Result<Option<Digest>> {
        let mut making = self.cache.stages().make(inputs, &self.plan.image, &self.context.host)?;
        making.took(self.clock.elapsed());
        let extent = match &self.below {
            Base::Kept(parent, snapshot) => {
                making.set_parent(parent.clone());
                let snapshot = snapshot.as_ref().context("no snapshot was taken of the parent stage")?;
                Extent::Since(snapshot)
            }
            Base::Nothing | Base::Unsaved => Extent::All,
        };
        pack(&mut making, self.tree, extent, self.began, stage, &self.context.host)?;
        if let Some(note) = note {
            making.write(NOTE, &self.context.host, |output| Ok(output.write_all(note.as_bytes())?))?;
        }
        let digest = making.contents().digest(TREE).cloned();
        let is_ours = self.cache.stages().finish(making, &self.context.host)?;
        Ok(digest.filter(|_| is_ours))
    }

    fn discard(&self, key: &Key, error: &anyhow::Error) -> Result<()> {
        let text = format!("cannot restore from the cache: {error:#}; rebuilding this stage");
        self.context.host.warn(Warning::Cache, &text);
        self.cache.stages().remove(key, &self.context.host)?;
        Ok(())
    }
}

impl Layers for TreeStages<'_> {
    fn restore(&mut self, layer: &Layer) -> Result<Option<String>> {
        let is_first = layer.stage == Stage::Bootstrap;
        if !is_first && !self.packages_are_kept() {
            self.below = Base::Unsaved;
        }
        if !self.is_kept() || matches!(self.below, Base::Unsaved) {
            if !is_first {
                self.run_script()?;
            }
            return Ok(None);
        }
        let script = self.plan.post_bootstrap.as_ref();
        let inputs = install::layer_inputs(&self.plan.packages, layer, self.layer.as_ref(), script)?;
        let title = format!("Restoring the {} from the cache", of(layer));
        let Some(entry) = self.restore_sound(&inputs, title)? else {
            self.make_next()?;
            if !is_first {
                self.run_script()?;
            }
            self.layer = Some(inputs);
            return Ok(None);
        };
        self.script_is_due &= is_first;
        let note = note(&entry)?;
        self.goes_on(inputs.key(), entry.contents().digest(TREE).cloned());
        self.layer = Some(inputs);
        Ok(Some(note))
    }

    fn save(&mut self, layer: &Layer, note: &str) -> Result<()> {
        let is_saved = !self.has_shells() && !matches!(self.below, Base::Unsaved);
        let Some(inputs) = self.layer.as_ref().filter(|_| is_saved) else {
            self.below = Base::Unsaved;
            return Ok(());
        };
        let title = format!("Saving the {} in the cache", of(layer));
        let keyword = inputs.stage().keyword();
        let stage = self.context.host.stage(StageTask::Save, title).of_cache(FromCache::Kept, keyword);
        let archive = self.save_stage(inputs, Some(note), &stage)?;
        stage.finish();
        self.goes_on(inputs.key(), archive);
        Ok(())
    }

    fn start_again(&mut self) -> Result<()> {
        self.empty()?;
        Self::begin(self.plan, self.decided, self.tree, self.reuse, self.context).map(|new| *self = new)
    }

    fn end(&mut self) -> Result<()> {
        self.make_next()?;
        self.run_script()
    }
}

/// Returns the title of the contents of a layer.
fn of(layer: &Layer) -> String {
    match layer.stage {
        Stage::Bootstrap => "bootstrap packages".to_owned(),
        stage => stage.title().to_lowercase(),
    }
}
