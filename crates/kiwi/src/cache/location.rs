//! The path of the cache.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::packages::{FETCHED, REPACKED};
use crate::host::Host;

/// A path for the cache.
pub(super) struct Location {
    pub(super) directory: PathBuf,
    /// The user specified it, so no other may be used.
    pub(super) asked_for: bool,
}

/// Returns `KIWI_CACHE`, or `XDG_CACHE_HOME/kiwi`, or `~/.cache/kiwi` (`/var/cache/kiwi` for root).
pub(super) fn of(host: &Host) -> Location {
    let named = |name| host.variable(name).filter(|value| !value.is_empty());
    let (directory, asked_for) = match (named("KIWI_CACHE"), named("XDG_CACHE_HOME"), named("HOME")) {
        (Some(directory), ..) => (PathBuf::from(directory), true),
        (_, Some(directory), _) => (PathBuf::from(directory).join("kiwi"), false),
        (.., Some(home)) if home != "/root" && home != "/" => {
            (PathBuf::from(home).join(".cache/kiwi"), false)
        }
        _ => (PathBuf::from("/var/cache/kiwi"), false),
    };
    Location { directory, asked_for }
}

/// Creates the directories that every build needs; fails if one of them is not writable.
pub(super) fn make(cache: &Path, host: &Host) -> io::Result<()> {
    for name in [FETCHED, REPACKED] {
        host.create_directories(&cache.join(name))?;
    }
    for name in ["", "packages", FETCHED, REPACKED, "stages", "indices", "resolutions"] {
        let directory = cache.join(name);
        match access(&directory, Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test makes a path that is not a directory")]
mod tests {
    use super::super::Cache;
    use super::*;
    use crate::host::Output;

    fn host(variables: &[(&'static str, &Path)]) -> Host {
        let variables = variables.iter().map(|(name, path)| (*name, path.display().to_string())).collect();
        Host::new(Output::Quiet).with_variables(variables)
    }

    #[test]
    fn replaces_an_unusable_path_for_one_run_unless_the_user_specified_it() {
        let directory = tempfile::tempdir().unwrap();
        // A file where a directory is required is an error for root, too.
        let file = directory.path().join("home");
        std::fs::write(&file, "").unwrap();
        let nothing = Path::new("");
        let unnamed = host(&[("KIWI_CACHE", nothing), ("XDG_CACHE_HOME", nothing), ("HOME", &file)]);
        let cache = Cache::open(&unnamed).unwrap();
        let passing = cache.directory().to_owned();
        assert!(!cache.lasts() && passing.join(FETCHED).is_dir() && !passing.starts_with(&file));
        let copy = cache.clone();
        drop(cache);
        assert!(passing.is_dir(), "the directory was removed while in use");
        drop(copy);
        assert!(!passing.exists(), "the directory was not removed");

        let error = Cache::open(&host(&[("KIWI_CACHE", &file)])).unwrap_err();
        assert!(format!("{error:#}").contains("set KIWI_CACHE to another directory"), "{error:#}");

        let usable = host(&[("KIWI_CACHE", nothing), ("XDG_CACHE_HOME", directory.path())]);
        let cache = Cache::open(&usable).unwrap();
        assert!(cache.lasts() && cache.directory() == directory.path().join("kiwi"));
    }
}
