//! Where the cache is, and whether it can be used.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::packages::{FETCHED, REPACKED};
use crate::host::Host;

/// A location for the cache.
pub(super) struct Location {
    pub(super) directory: PathBuf,
    /// The user named it: no other one will do.
    pub(super) asked_for: bool,
}

/// `KIWI_CACHE`, else `XDG_CACHE_HOME/kiwi`, else `~/.cache/kiwi` (`/var/cache/kiwi` for root).
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

/// Makes the directories that every build needs; all that are there must take new entries.
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
#[allow(clippy::disallowed_methods, reason = "the test makes a location that is no directory")]
mod tests {
    use super::super::Cache;
    use super::*;
    use crate::host::Output;

    fn host(variables: &[(&'static str, &Path)]) -> Host {
        let variables = variables.iter().map(|(name, path)| (*name, path.display().to_string())).collect();
        Host::new(Output::Quiet).with_variables(variables)
    }

    #[test]
    fn an_unusable_place_is_replaced_for_one_run_unless_it_was_named() {
        let directory = tempfile::tempdir().unwrap();
        // A file where a directory is needed stops root, too.
        let file = directory.path().join("home");
        std::fs::write(&file, "").unwrap();
        let nothing = Path::new("");
        let unnamed = host(&[("KIWI_CACHE", nothing), ("XDG_CACHE_HOME", nothing), ("HOME", &file)]);
        let cache = Cache::open(&unnamed).unwrap();
        let passing = cache.directory().to_owned();
        assert!(!cache.lasts() && passing.join(FETCHED).is_dir() && !passing.starts_with(&file));
        let copy = cache.clone();
        drop(cache);
        assert!(passing.is_dir(), "somebody knows it still");
        drop(copy);
        assert!(!passing.exists(), "it goes with the run");

        let error = Cache::open(&host(&[("KIWI_CACHE", &file)])).unwrap_err();
        assert!(format!("{error:#}").contains("KIWI_CACHE names another one"), "{error:#}");

        let usable = host(&[("KIWI_CACHE", nothing), ("XDG_CACHE_HOME", directory.path())]);
        let cache = Cache::open(&usable).unwrap();
        assert!(cache.lasts() && cache.directory() == directory.path().join("kiwi"));
    }
}
