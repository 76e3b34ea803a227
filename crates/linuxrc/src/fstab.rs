//! The fstab of the system that is about to start.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Replaces `/etc/fstab` below `system` with the result of `change`, in one step.
pub(crate) fn change(system: &Path, change: impl FnOnce(&str) -> String) -> io::Result<()> {
    let path = system.join("etc/fstab");
    for part in [system.join("etc"), path.clone()] {
        // A link of the system would be resolved in the initrd.
        if part.is_symlink() {
            return Err(io::Error::other(format!("{} is a link", part.display())));
        }
    }
    let before = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let after = change(&before);
    if after == before {
        return Ok(());
    }
    let aside = system.join("etc/fstab.kiwi");
    let mut file = File::create(&aside)?;
    file.write_all(after.as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, &path)
}
