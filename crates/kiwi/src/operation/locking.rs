//! `--lock` and `--locked`: how a build uses the `kiwi.lock` beside its description.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, Result};
use description::{ProfileName, Selection, SourceFile};

use crate::context::Context;
use crate::failure::fail;
use crate::host::{Host, printable};
use crate::lock::{self, Lock, LockedPackage};
use crate::prepare::{Decided, PreparePlan};
use crate::root_tree::RootTree;
use crate::source::{Source, real};

/// The mode of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockMode {
    /// No lock: whatever the repositories provide now.
    #[default]
    Free,
    /// The same, and the packages are written to the lock.
    Write,
    /// Exactly the packages in the lock.
    Use,
}

/// The lock of one image: the system, or a boot image that is built with it.
#[derive(Clone)]
pub(super) struct Locking {
    /// As in [`LockedPackage`].
    image: String,
    mode: Rc<Mode>,
}

impl Default for Locking {
    fn default() -> Self {
        Self { image: lock::SYSTEM.to_owned(), mode: Rc::default() }
    }
}

#[derive(Default)]
enum Mode {
    #[default]
    Free,
    Write(RefCell<Lock>),
    Use(Lock),
}

impl Locking {
    /// Reads the lock of the description if it is used.
    pub(super) fn open(mode: LockMode, source: &Source) -> Result<Self> {
        let mode = match mode {
            LockMode::Free => Mode::Free,
            LockMode::Write => Mode::Write(RefCell::new(Lock::new(0, Vec::new()))),
            LockMode::Use => {
                let Some(lock) = read(source)? else {
                    let path = source.directory().join(lock::FILE);
                    fail!(File, "{} does not exist; 'kiwi build --lock' writes it", path.display());
                };
                Mode::Use(lock)
            }
        };
        Ok(Self { mode: Rc::new(mode), ..Self::default() })
    }

    /// Returns the part of the lock for a boot image.
    pub(super) fn of_boot_image(&self, name: &str) -> Self {
        Self { image: name.to_owned(), mode: Rc::clone(&self.mode) }
    }

    /// Returns the part of the lock for the system with the profiles of this selection.
    pub(super) fn of_system(&self, selection: &Selection) -> Self {
        let image = lock::system(selection.profiles.iter().map(ProfileName::as_str));
        Self { image, mode: Rc::clone(&self.mode) }
    }

    /// Limits the plan to the locked packages.
    pub(super) fn limit(&self, plan: &mut PreparePlan, tree: &RootTree, context: &Context) -> Result<()> {
        let Mode::Use(lock) = self.mode.as_ref() else { return Ok(()) };
        let packages: Vec<LockedPackage> = lock.of(&self.image).into_iter().cloned().collect();
        if packages.is_empty() {
            fail!(
                Packages,
                "kiwi.lock has no packages for {}; it was written for another type or profile: run 'kiwi build --lock' again",
                self.image
            );
        }
        // Beside the tree, in a work directory of this build that may contain other trees.
        let name = tree.path().file_name().unwrap_or_default().display();
        let directory = tree.path().with_file_name(format!("{name}-locked"));
        plan.lock_to(&packages, lock.epoch, &directory, context)
    }

    /// Notes the packages that were resolved; if they are limited to a lock, checks that they are those of the lock.
    pub(super) fn note(&self, plan: &PreparePlan, decided: &Decided) -> Result<()> {
        match self.mode.as_ref() {
            Mode::Free | Mode::Use(_) => Ok(()),
            Mode::Write(lock) => {
                let mut lock = lock.borrow_mut();
                let mut packages = std::mem::take(&mut lock.packages);
                packages.extend(plan.locked(decided, &self.image));
                *lock = Lock::new(lock.epoch.max(decided.epoch()), packages);
                Ok(())
            }
        }
    }

    /// Returns the packages of the tree with their repositories, sorted: those of the lock if they are limited to one.
    pub(super) fn packages(&self, plan: &PreparePlan, decided: &Decided) -> Vec<LockedPackage> {
        let mut packages: Vec<LockedPackage> = match self.mode.as_ref() {
            Mode::Free | Mode::Write(_) => plan.locked(decided, &self.image),
            Mode::Use(lock) => lock.of(&self.image).into_iter().cloned().collect(),
        };
        for package in &mut packages {
            package.order = 0;
        }
        packages.sort();
        packages
    }

    /// Writes the lock beside the description, if requested.
    pub(super) fn write(&self, directory: &Path, host: &Host) -> Result<()> {
        let Mode::Write(lock) = self.mode.as_ref() else { return Ok(()) };
        let path = directory.join(lock::FILE);
        let lock = lock.borrow();
        write(&lock, &path, host)?;
        let packages = printable::count(lock.packages.len(), "package");
        host.say(&format!("Lock: {packages} in {}", path.display()));
        Ok(())
    }

    /// Returns the packages that were resolved so far for a lock.
    pub(super) fn noted(&self) -> Lock {
        match self.mode.as_ref() {
            Mode::Free => Lock::new(0, Vec::new()),
            Mode::Write(lock) => lock.borrow().clone(),
            Mode::Use(lock) => lock.clone(),
        }
    }
}

/// Reads the lock beside a description, if there is one.
pub(super) fn read(source: &Source) -> Result<Option<Lock>> {
    let Some(path) = source.find_file(lock::FILE)? else { return Ok(None) };
    if real::metadata(&path)?.len() > lock::MAX_SIZE {
        fail!(File, "{} is larger than {} MiB, the maximum", path.display(), lock::MAX_SIZE >> 20);
    }
    let text =
        String::from_utf8(real::read(&path)?).with_context(|| format!("reading {}", path.display()))?;
    Ok(Some(Lock::parse(SourceFile { name: path.display().to_string(), text })?))
}

/// Writes a lock in one step.
pub(super) fn write(lock: &Lock, path: &Path, host: &Host) -> Result<()> {
    let what = || format!("writing {}", path.display());
    let unfinished = host.unfinished_file(path.parent().unwrap_or(Path::new("."))).with_context(what)?;
    host.write_file(&unfinished, lock.text()?).with_context(what)?;
    host.rename(&unfinished, path).with_context(what)
}
