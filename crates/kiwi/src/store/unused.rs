//! What was not used for long and is nobody's stage: packages in both forms, indices and resolutions.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use super::Store;
use crate::host::Host;

/// Seconds after which a build takes away what no build used since.
pub const UNUSED: u64 = 90 * 86_400;
/// Younger than this nothing is taken: a build that runs may be about to read it.
const IN_USE: u64 = 6 * 3_600;

impl Store {
    /// Takes away packages, indices and resolutions that were not used for `age` seconds; how many and their bytes.
    pub fn prune_unused(&self, age: u64, host: &Host) -> Result<(usize, u64)> {
        let limit = host.now().saturating_sub(age.max(IN_USE));
        let limit = SystemTime::UNIX_EPOCH + Duration::from_secs(limit);
        let (mut count, mut freed) = (0, 0);
        for (path, used, size) in self.found() {
            if used > limit {
                continue;
            }
            host.check_interrupt()?;
            let removing = || format!("removing {}", path.display());
            if path.is_dir() {
                let parent = path.parent().unwrap_or(self.folder());
                if !host.remove_folder_unless_held(&path, parent).with_context(removing)? {
                    continue;
                }
            } else {
                match host.remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(error).with_context(removing);
                    }
                    Ok(()) | Err(_) => {}
                }
            }
            count += 1;
            freed += size;
        }
        Ok((count, freed))
    }

    /// Everything of that kind, with the time of its last use and its bytes.
    fn found(&self) -> Vec<(PathBuf, SystemTime, u64)> {
        let folders = ["packages/sha256", "packages/zstd", "resolutions", "indices"];
        let entries = folders.iter().filter_map(|name| self.folder().join(name).read_dir().ok()).flatten();
        let entries = entries.filter_map(|entry| {
            let path = entry.ok()?.path();
            // Folders of builds at work have names of their own, and their own way to go.
            if path.is_dir() && path.file_name()?.as_encoded_bytes().starts_with(b".") {
                return None;
            }
            let metadata = path.symlink_metadata().ok()?;
            let size = match metadata.is_dir() {
                true => {
                    path.read_dir().ok()?.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).sum()
                }
                false => metadata.len(),
            };
            Some((path, metadata.modified().ok()?, size))
        });
        entries.collect()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test makes old files")]
mod tests {
    use super::*;
    use crate::host::Output;

    #[test]
    fn what_nobody_used_for_long_goes_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        let host = Host::new(Output::Quiet).with_variables(vec![("KIWI_CACHE", place)]);
        let store = Store::open(&host).unwrap();
        let days = |days: u64| SystemTime::now() - Duration::from_secs(days * 86_400);
        for (path, used) in [
            ("packages/sha256/old", 100),
            ("packages/sha256/new", 1),
            ("packages/zstd/old", 100),
            ("resolutions/old.json", 100),
            ("indices/old", 100),
            ("indices/new", 1),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if path.starts_with(folder.path().join("indices")) {
                std::fs::create_dir(&path).unwrap();
                std::fs::write(path.join("Packages"), "x").unwrap();
            } else {
                std::fs::write(&path, "x").unwrap();
            }
            std::fs::File::open(&path).unwrap().set_modified(days(used)).unwrap();
        }
        assert_eq!(store.prune_unused(UNUSED, &host).unwrap(), (4, 4));
        assert!(folder.path().join("packages/sha256/new").exists());
        assert!(folder.path().join("indices/new/Packages").exists());
        assert!(!folder.path().join("indices/old").exists());
        // What may be in use stays, however small the age is.
        std::fs::write(folder.path().join("packages/sha256/now"), "x").unwrap();
        assert_eq!(store.prune_unused(0, &host).unwrap().0, 2);
        assert!(folder.path().join("packages/sha256/now").exists());
    }
}
