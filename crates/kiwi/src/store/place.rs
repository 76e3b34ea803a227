//! Where the store is, and whether it can be used.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::packages::{FETCHED, REPACKED};
use crate::host::Host;

/// A place for the store.
pub(super) struct Place {
    pub(super) folder: PathBuf,
    /// The user named it: no other one will do.
    pub(super) asked_for: bool,
}

/// `KIWI_CACHE`, else `XDG_CACHE_HOME/kiwi`, else `~/.cache/kiwi` (`/var/cache/kiwi` for root).
pub(super) fn of(host: &Host) -> Place {
    let named = |name| host.variable(name).filter(|value| !value.is_empty());
    let (folder, asked_for) = match (named("KIWI_CACHE"), named("XDG_CACHE_HOME"), named("HOME")) {
        (Some(folder), ..) => (PathBuf::from(folder), true),
        (_, Some(folder), _) => (PathBuf::from(folder).join("kiwi"), false),
        (.., Some(home)) if home != "/root" && home != "/" => {
            (PathBuf::from(home).join(".cache/kiwi"), false)
        }
        _ => (PathBuf::from("/var/cache/kiwi"), false),
    };
    Place { folder, asked_for }
}

/// Makes the folders that every build needs; all that are there must take new entries.
pub(super) fn make(store: &Path, host: &Host) -> io::Result<()> {
    for name in [FETCHED, REPACKED] {
        host.create_folders(&store.join(name))?;
    }
    for name in ["", "packages", FETCHED, REPACKED, "stages", "indices", "resolutions"] {
        let folder = store.join(name);
        match access(&folder, Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test makes a place that is no folder")]
mod tests {
    use super::super::Store;
    use super::*;
    use crate::host::Output;

    fn host(variables: &[(&'static str, &Path)]) -> Host {
        let variables = variables.iter().map(|(name, path)| (*name, path.display().to_string())).collect();
        Host::new(Output::Quiet).with_variables(variables)
    }

    #[test]
    fn an_unusable_place_is_replaced_for_one_run_unless_it_was_named() {
        let folder = tempfile::tempdir().unwrap();
        // A file where a folder is needed stops root, too.
        let file = folder.path().join("home");
        std::fs::write(&file, "").unwrap();
        let nothing = Path::new("");
        let unnamed = host(&[("KIWI_CACHE", nothing), ("XDG_CACHE_HOME", nothing), ("HOME", &file)]);
        let store = Store::open(&unnamed).unwrap();
        let passing = store.folder().to_owned();
        assert!(!store.lasts() && passing.join(FETCHED).is_dir() && !passing.starts_with(&file));
        let copy = store.clone();
        drop(store);
        assert!(passing.is_dir(), "somebody knows it still");
        drop(copy);
        assert!(!passing.exists(), "it goes with the run");

        let error = Store::open(&host(&[("KIWI_CACHE", &file)])).unwrap_err();
        assert!(format!("{error:#}").contains("KIWI_CACHE names another one"), "{error:#}");

        let usable = host(&[("KIWI_CACHE", nothing), ("XDG_CACHE_HOME", folder.path())]);
        let store = Store::open(&usable).unwrap();
        assert!(store.lasts() && store.folder() == folder.path().join("kiwi"));
    }
}
