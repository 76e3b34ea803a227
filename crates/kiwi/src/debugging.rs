//! What a user asked for to find out why a build fails: a shell at a point of the build, and what happens with the tree of a build
//! that failed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result};

use crate::failure::fail;
use crate::host::{Host, Interrupted};
use crate::root_tree::RootTree;
use crate::script::{self, ScriptFailed};

/// The file beside a kept tree that contains the error.
const REASON: &str = "error.txt";
/// The directory of a kept tree.
const KEPT: &str = "root";

/// What happens with the tree of a build that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// It is removed.
    #[default]
    Clean,
    /// The user gets a shell in it; then it is removed.
    Shell,
    /// It is kept beside the log.
    Keep,
    /// It becomes the root tree that was asked for, as KIWI NG leaves it.
    KeepInPlace,
}

/// A step of a build before and after which a shell can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// All packages, after the bootstrap packages.
    Packages,
    /// Overlay, users, settings, scripts.
    Tree,
    /// `config.sh` and the scripts of packages.
    ConfigScripts,
    /// Everything of one image.
    Image,
    /// `images.sh`
    ImagesScript,
}

impl Step {
    /// All of them, in the order of a build.
    pub const ALL: [Self; 5] =
        [Self::Packages, Self::Tree, Self::ConfigScripts, Self::Image, Self::ImagesScript];

    /// Returns its name on the command line.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Tree => "tree",
            Self::ConfigScripts => "config.sh",
            Self::Image => "image",
            Self::ImagesScript => "images.sh",
        }
    }
}

/// A point of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Before a step.
    Before(Step),
    /// After it.
    After(Step),
}

impl Point {
    /// Reads `before:STEP` or `after:STEP`.
    pub fn parse(text: &str) -> Option<Self> {
        let (when, keyword) = text.split_once(':')?;
        let step = Step::ALL.into_iter().find(|step| step.keyword() == keyword)?;
        match when {
            "before" => Some(Self::Before(step)),
            "after" => Some(Self::After(step)),
            _ => None,
        }
    }

    /// Returns whether the point is reached only if this step runs.
    fn needs(self, step: Step) -> bool {
        let inside = match self {
            Self::Before(step) => step,
            // A restored tree is the tree after the step.
            Self::After(inner) if inner == step => return false,
            Self::After(step) => step,
        };
        match step {
            Step::Packages => inside == Step::Packages,
            Step::Tree => matches!(inside, Step::Tree | Step::ConfigScripts),
            Step::Image => matches!(inside, Step::Image | Step::ImagesScript),
            Step::ConfigScripts | Step::ImagesScript => inside == step,
        }
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Before(step) => write!(to, "before {}", step.keyword()),
            Self::After(step) => write!(to, "after {}", step.keyword()),
        }
    }
}

/// The options of one run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--on-failure`
    pub on_failure: OnFailure,
    /// `--debug-shell`
    pub points: Vec<Point>,
    /// Whether shells have the network.
    pub network: bool,
}

/// The options with what the run determines.
#[derive(Debug, Default)]
pub struct Debugging {
    options: Options,
    /// Where a tree is kept.
    kept: OnceLock<PathBuf>,
    /// One shell at a time has the terminal.
    terminal: Mutex<()>,
    /// Whether the tree of a script that failed was removed.
    removed: AtomicBool,
}

impl Debugging {
    /// Returns the state for a run with these options.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// Returns an error if a shell is asked for and nobody could use it.
    pub fn check(&self, host: &Host) -> Result<()> {
        if (self.has_shells() || self.options.on_failure == OnFailure::Shell) && !host.has_input() {
            fail!(
                Usage,
                "a shell was asked for (--debug-shell, --on-failure shell), but standard input is closed or /dev/null; run kiwi \
                 on a terminal, or use --on-failure keep"
            );
        }
        Ok(())
    }

    /// Sets where a tree is kept: beside this log.
    pub fn keep_beside(&self, log: &Path) {
        self.kept.get_or_init(|| log.with_extension("failed"));
    }

    /// Returns whether a shell may change a tree, so that no stage of this run is saved in the cache.
    pub fn has_shells(&self) -> bool {
        !self.options.points.is_empty()
    }

    /// Returns whether the step must run although the cache has its result.
    pub fn forces(&self, step: Step) -> bool {
        self.options.points.iter().any(|point| point.needs(step))
    }

    /// Opens a shell if the user asked for one at this point.
    pub fn reach(&self, point: Point, tree: &RootTree, host: &Host) -> Result<()> {
        if !self.options.points.contains(&point) {
            return Ok(());
        }
        let shown = format!("A shell in the tree {point}; 'exit' continues the build.");
        self.shell(&shown, tree, host)
    }

    fn shell(&self, shown: &str, tree: &RootTree, host: &Host) -> Result<()> {
        let _one = self.terminal.lock().unwrap_or_else(PoisonError::into_inner);
        host.say(shown);
        script::shell(tree, &[], self.options.network, host)?;
        Ok(())
    }

    /// Does what the user asked for with the tree of a build that failed, and returns the error. `asked` is the root tree that
    /// the build would have made.
    pub fn failed(
        &self,
        error: anyhow::Error,
        tree: &RootTree,
        asked: Option<&Path>,
        host: &Host,
    ) -> anyhow::Error {
        if error.is::<Interrupted>() || host.check_interrupt().is_err() {
            return error;
        }
        let done = match (self.options.on_failure, asked) {
            (OnFailure::Clean, _) => {
                self.removed.fetch_or(error.is::<ScriptFailed>(), Ordering::Relaxed);
                Ok(())
            }
            (OnFailure::Shell, _) => {
                host.say(&format!("error: {error:#}"));
                self.shell("A shell in the tree as it is now; 'exit' ends the build.", tree, host)
            }
            (OnFailure::KeepInPlace, Some(asked)) => keep_at(asked, tree, host),
            (OnFailure::Keep | OnFailure::KeepInPlace, _) => self.keep(&error, tree, host),
        };
        if let Err(problem) = done {
            host.say(&format!("error: {problem:#}"));
        }
        error
    }

    /// Returns how to look at the tree of a script that failed, if it was removed.
    pub fn advice(&self) -> Option<&'static str> {
        self.removed.load(Ordering::Relaxed).then_some(
            "Look at the tree of a failed build with 'kiwi build --on-failure shell', or keep it with '--on-failure keep'.",
        )
    }

    /// Keeps the tree beside the log, in place of the one that an earlier build left there.
    fn keep(&self, error: &anyhow::Error, tree: &RootTree, host: &Host) -> Result<()> {
        let Some(directory) = self.kept.get() else { return Ok(()) };
        let creating = || format!("keeping the tree of the failed build in {}", directory.display());
        if directory.symlink_metadata().is_ok() {
            if !directory.join(REASON).is_file() {
                fail!(Exists, "cannot keep the tree: {} exists and is not a kept tree", directory.display());
            }
            host.remove_tree(directory).with_context(creating)?;
        }
        host.create_directories(directory).with_context(creating)?;
        host.write_file(&directory.join(REASON), format!("{error:#}\n")).with_context(creating)?;
        keep_at(&directory.join(KEPT), tree, host)?;
        host.say(&format!("Look at it with: kiwi shell {}", directory.display()));
        Ok(())
    }
}

/// Moves or copies a tree.
fn keep_at(target: &Path, tree: &RootTree, host: &Host) -> Result<()> {
    let keeping = || format!("keeping the tree of the failed build at {}", target.display());
    if host.rename_directory(tree.path(), target).is_err() {
        let parent = target.parent().unwrap_or(Path::new("/"));
        let copy = host.command("cp").args(["--archive", "--no-target-directory", "--"]);
        copy.arg(tree.path()).arg(target).writable(parent).run().with_context(keeping)?;
    }
    host.say(&format!("The tree of the failed build is kept: {}", target.display()));
    Ok(())
}

/// Returns the tree of a directory that a failed build left, if it is one.
pub fn kept_tree(directory: &Path) -> Option<PathBuf> {
    let tree = directory.join(KEPT);
    (directory.join(REASON).is_file() && tree.is_dir()).then_some(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_written_as_before_or_after_a_step() {
        assert_eq!(Point::parse("before:config.sh"), Some(Point::Before(Step::ConfigScripts)));
        assert_eq!(Point::parse("after:packages"), Some(Point::After(Step::Packages)));
        for wrong in ["packages", "at:packages", "before:", "before:config"] {
            assert_eq!(Point::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_step_runs_if_a_point_lies_inside() {
        let forced = |text: &str| {
            let points = vec![Point::parse(text).unwrap()];
            let debugging = Debugging::new(Options { points, ..Options::default() });
            Step::ALL.into_iter().filter(|step| debugging.forces(*step)).collect::<Vec<_>>()
        };
        assert_eq!(forced("after:packages"), []);
        assert_eq!(forced("before:packages"), [Step::Packages]);
        assert_eq!(forced("after:tree"), []);
        assert_eq!(forced("after:config.sh"), [Step::Tree]);
        assert_eq!(forced("before:images.sh"), [Step::Image, Step::ImagesScript]);
    }
}
