//! Records which paths of a tree each step changes.
//!
//! A file belongs to the last step that changed it, which its change time shows: the clock of the file system advances between
//! two steps. What a step is known to write belongs to it even if a later step changes it again.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::origins::{Origins, StepKind, StepOrigin};
use crate::root_tree::RootTree;
use crate::stage::Stage;
use crate::tree_archive::{self, Moment};

/// The steps so far.
#[derive(Debug)]
pub struct StepRecorder<'t> {
    stage: Stage,
    tree: &'t RootTree,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    began: Moment,
    kind: StepKind,
    name: String,
    paths: BTreeSet<String>,
}

impl<'t> StepRecorder<'t> {
    /// Begins a record of steps of this stage, which all work on this tree.
    pub fn new(stage: Stage, tree: &'t RootTree) -> Self {
        Self { stage, tree, steps: Vec::new() }
    }

    /// Begins a step, which ends where the next one begins.
    pub fn begin(&mut self, kind: StepKind, name: &str) -> Result<()> {
        let before = tree_archive::now(self.tree)?;
        let mut began = tree_archive::now(self.tree)?;
        while began == before {
            began = tree_archive::now(self.tree)?;
        }
        self.steps.push(Step { began, kind, name: name.to_owned(), paths: BTreeSet::new() });
        Ok(())
    }

    /// Adds a path that the current step wrote.
    pub fn wrote(&mut self, path: &Path) {
        if let Some(step) = self.steps.last_mut() {
            step.paths.insert(path.to_string_lossy().trim_start_matches('/').to_owned());
        }
    }

    /// Ends the last step and returns the changes of all steps; those without changes are left out.
    pub fn finish(mut self) -> Result<Origins> {
        for entry in walkdir::WalkDir::new(self.tree.path()).min_depth(1) {
            let entry = entry.context("reading the tree")?;
            if entry.file_type().is_dir() {
                continue;
            }
            let metadata = entry.metadata().context("reading the tree")?;
            let changed = (metadata.ctime(), metadata.ctime_nsec());
            if let Some(step) = self.steps.iter_mut().rev().find(|step| step.began <= changed) {
                let path = entry.path().strip_prefix(self.tree.path())?;
                step.paths.insert(path.to_string_lossy().into_owned());
            }
        }
        let stage = self.stage;
        let steps = self.steps.into_iter().filter(|step| !step.paths.is_empty());
        let steps = steps.map(|Step { began: _, kind, name, paths }| StepOrigin {
            stage,
            kind,
            name,
            paths: paths.into_iter().collect(),
            omitted: 0,
        });
        Ok(Origins { bootstrap: Vec::new(), steps: steps.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_the_last_step_that_changed_it() {
        let directory = tempfile::tempdir().unwrap();
        let tree = RootTree::merged(directory.path()).unwrap();
        let write = |path: &str| tree.write(path, "x", 0o644).unwrap();
        ["etc/package", "etc/one", "etc/both"].into_iter().for_each(write);
        let mut recorder = StepRecorder::new(Stage::Tree, &tree);
        recorder.begin(StepKind::Overlay, "root").unwrap();
        ["etc/one", "etc/both", "etc/mode"].into_iter().for_each(write);
        recorder.wrote(Path::new("/etc/both"));
        recorder.begin(StepKind::Users, "").unwrap();
        recorder.begin(StepKind::Script, "config.sh").unwrap();
        ["etc/both", "etc/new"].into_iter().for_each(write);
        tree.set_mode("etc/mode", 0o600).unwrap();
        let origins = recorder.finish().unwrap();
        let found: Vec<(&str, String)> =
            origins.steps.iter().map(|step| (step.name.as_str(), step.paths.join(" "))).collect();
        let expected =
            [("root", "etc/both etc/one".to_owned()), ("config.sh", "etc/both etc/mode etc/new".to_owned())];
        assert_eq!(found, expected);
    }
}
