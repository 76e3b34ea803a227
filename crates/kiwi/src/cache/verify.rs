//! Checks that the entries of the cache are as they were written.

use std::path::PathBuf;

use anyhow::Result;

use super::indices::{are_intact, read_resolution};
use super::items::{Item, Kind};
use super::{Cache, Packages, Stages};
use crate::host::Host;

impl Cache {
    /// Reads an entry completely. Removes it if it is damaged, and returns the damaged file.
    pub fn verify(&self, item: &Item, host: &Host) -> Result<Option<PathBuf>> {
        let damaged = damaged(item, host)?;
        // Another process may have removed it during the check.
        let damaged = damaged.filter(|_| item.path.symlink_metadata().is_ok());
        if damaged.is_some() {
            self.remove(item, host)?;
        }
        Ok(damaged)
    }
}

/// Returns the first file of an entry that differs from what was written, or cannot be read.
fn damaged(item: &Item, host: &Host) -> Result<Option<PathBuf>> {
    let intact = match item.kind {
        Kind::Stage(_) => return Stages::damaged(&item.path, host),
        Kind::Fetched => Packages::is_fetched_intact(&item.path, host).unwrap_or(false),
        Kind::Repacked => Packages::is_repacked_intact(&item.path, host).unwrap_or(false),
        Kind::Indices => are_intact(&item.path, host)?,
        Kind::Resolution => read_resolution(&item.path).is_some(),
        Kind::Unfinished => true,
    };
    // What could not be read because of a signal is not damaged.
    host.check_interrupt()?;
    Ok((!intact).then(|| item.path.clone()))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test damages files")]
mod tests {
    use super::*;
    use crate::cache::Indices;
    use crate::host::Output;
    use crate::stage::Digest;

    #[test]
    fn finds_a_changed_byte_in_every_kind() {
        let directory = tempfile::tempdir().unwrap();
        let location = directory.path().join("cache");
        let host =
            Host::new(Output::Quiet).with_variables(vec![("KIWI_CACHE", location.display().to_string())]);
        let cache = Cache::open(&host).unwrap();
        let (package, lists) = (directory.path().join("package"), directory.path().join("lists"));
        let key = Digest::of("key");
        let fill = || {
            std::fs::write(&package, "package").unwrap();
            let digest = crate::cache::digest_of(&package, &host).unwrap();
            assert!(cache.packages().save(&digest, &package, &host).unwrap());
            cache.packages().adopt_repacked(&digest, &package, &host).unwrap();
            std::fs::create_dir_all(&lists).unwrap();
            std::fs::write(lists.join("Packages"), "Package: less\n").unwrap();
            cache.indices().save(&key, &lists, &host).unwrap();
            cache.indices().save_resolution(&key, &vec!["less"], &host).unwrap();
        };
        fill();
        assert_eq!(cache.items().len(), 4);
        for item in cache.items() {
            assert_eq!(cache.verify(&item, &host).unwrap(), None);
        }
        for item in cache.items() {
            let file = if item.path.is_dir() { item.path.join("Packages") } else { item.path.clone() };
            let mut bytes = std::fs::read(&file).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::write(&file, bytes).unwrap();
        }
        // A damaged file is not used either if it is read before a check.
        std::fs::write(&package, "package").unwrap();
        let digest = crate::cache::digest_of(&package, &host).unwrap();
        assert_eq!(Indices::resolution::<Vec<String>>(cache.indices(), &key, &host), None);
        let taken = directory.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        cache.indices().restore(&key, &taken, &host).unwrap();
        assert_eq!(taken.read_dir().unwrap().count(), 0);
        for item in cache.items() {
            assert_eq!(cache.verify(&item, &host).unwrap(), Some(item.path.clone()));
        }
        assert_eq!(cache.items().len(), 0);
        assert_eq!(cache.packages().find_intact(&digest, &host).unwrap(), None);
    }
}
