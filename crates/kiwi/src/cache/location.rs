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

/// The cache of root.
const SYSTEM: &str = "/var/cache/kiwi";

/// Returns `KIWI_CACHE`, or `XDG_CACHE_HOME/kiwi`, or `~/.cache/kiwi` (`/var/cache/kiwi` for root). The directories of another
/// user, which `sudo -E` leaves in the environment, are not used.
pub(super) fn of(host: &Host) -> Location {
    let named = |name| host.variable(name).filter(|value| !value.is_empty());
    let own = |directory: PathBuf| match host.is_own_or_unmapped(&directory) {
        true => directory,
        false => PathBuf::from(SYSTEM),
    };
    let (directory, asked_for) = match (named("KIWI_CACHE"), named("XDG_CACHE_HOME"), named("HOME")) {
        (Some(directory), ..) => (PathBuf::from(directory), true),
        (_, Some(directory), _) => (own(PathBuf::from(directory).join("kiwi")), false),
        (.., Some(home)) if home != "/root" && home != "/" => {
            (own(PathBuf::from(home).join(".cache/kiwi")), false)
        }
        _ => (PathBuf::from(SYSTEM), false),
    };
    Location { directory, asked_for }
}

/// Creates the directories that every build needs; fails if one of them is not writable, or if the cache belongs to somebody
/// else.
pub(super) fn make(cache: &Path, host: &Host) -> io::Result<()> {
    host.create_private_directory(cache)?;
    host.close_own_directory(cache)?;
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
        assert!(format!("{error:#}").contains("KIWI_CACHE"), "{error:#}");

        let usable = host(&[("KIWI_CACHE", nothing), ("XDG_CACHE_HOME", directory.path())]);
        let cache = Cache::open(&usable).unwrap();
        assert!(cache.lasts() && cache.directory() == directory.path().join("kiwi"));
    }

    #[test]
    fn closes_an_existing_cache_to_others() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cache");
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        Cache::open(&host(&[("KIWI_CACHE", &path)])).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn rejects_the_cache_of_another_user() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kiwi");
        std::fs::create_dir(&path).unwrap();
        // Only root can give a directory away; root's are those of another user for everybody else.
        let (path, owner) = match std::os::unix::fs::chown(&path, Some(1234), None) {
            Ok(()) => (path, 1234),
            Err(_) => (PathBuf::from("/usr"), 0),
        };
        let error = Cache::open(&host(&[("KIWI_CACHE", &path)])).unwrap_err();
        assert!(format!("{error:#}").contains(&format!("belongs to user {owner}")), "{error:#}");
        assert!(!path.join("packages").exists(), "something was written into it");
        assert!(Cache::of_earlier_builds(&host(&[("KIWI_CACHE", &path)])).is_err());
        // As `sudo -E` leaves it in the environment.
        let nothing = Path::new("");
        let parent = path.parent().unwrap();
        let left = host(&[("KIWI_CACHE", nothing), ("XDG_CACHE_HOME", parent)]);
        let expected = if owner == 1234 { Path::new(SYSTEM) } else { Path::new("/kiwi") };
        assert!([expected, Path::new(SYSTEM)].contains(&of(&left).directory.as_path()));
    }
}
