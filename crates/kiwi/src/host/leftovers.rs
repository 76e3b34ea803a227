//! What a run leaves if it is abandoned, and the work that must not be cut in the middle.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

/// The directories and files to be removed, and the work that must not be cut in the middle.
#[derive(Debug, Default)]
struct Shared {
    paths: Mutex<BTreeSet<PathBuf>>,
    /// Held shared by such work, and exclusively from the moment the run is abandoned.
    whole: RwLock<()>,
}

/// What a run leaves if it is abandoned.
#[derive(Debug, Clone, Default)]
pub(super) struct Leftovers(Arc<Shared>);

impl Leftovers {
    /// Notes a path that only this run uses.
    pub(super) fn note(&self, path: &Path) {
        self.0.paths.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
    }

    /// Forgets a path that was removed or got its final name.
    pub(super) fn forget(&self, path: &Path) {
        self.0.paths.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    /// Keeps the run from being abandoned until the guard is dropped. Must not be called again before that.
    pub(super) fn whole(&self) -> RwLockReadGuard<'_, ()> {
        self.0.whole.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for such work, then keeps everything from being published or created, and returns the paths to be removed.
    pub(super) fn take(&self) -> BTreeSet<PathBuf> {
        // Never released.
        std::mem::forget(self.0.whole.write().unwrap_or_else(PoisonError::into_inner));
        self.0.paths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
