//! Files beside a description that other builds or programs use, and that a build of this selection does not.

use anyhow::Result;
use description::{BootScript, Boots, Selection};

use super::overlay::ARCHIVE as OVERLAY_ARCHIVE;
use crate::source::Source;

/// Scripts for the file system of a disk.
pub(super) const OF_DISKS: [&str; 2] = ["disk.sh", "pre_disk_sync.sh"];

/// Returns a warning for each file that this build does not use.
pub fn unused_files(selection: &Selection, source: &Source) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut add = |name: &str, reason: String| -> Result<()> {
        if source.find(name)?.is_some() {
            found.push(format!("{name} of the description is not used: {reason}"));
        }
        Ok(())
    };
    if source.find("root")?.is_some() {
        add(OVERLAY_ARCHIVE, "the overlay is the directory root/; remove one of them".to_owned())?;
    }
    for name in ["config-overlay.sh", "config-host-overlay.sh"] {
        add(
            name,
            "it runs only for containers with delta_root, which this version does not build".to_owned(),
        )?;
    }
    let named = selection.image_type.boot_scripts();
    for (name, attribute) in
        [(BootScript::EDIT_CONFIG, "editbootconfig"), (BootScript::EDIT_INSTALL, "editbootinstall")]
    {
        if named.iter().any(|script| script.script == name) {
            continue;
        }
        add(
            name,
            format!("a script runs there only if the attribute {attribute} of the image type names it"),
        )?;
    }
    add(
        "exclude_files_efifatimage.yaml",
        "the EFI partition of kiwi's media contains only the boot loader, of which nothing can be left out"
            .to_owned(),
    )?;
    if !matches!(selection.image_type.boots(), Some(Boots::Disk(_))) {
        for name in OF_DISKS {
            add(
                name,
                format!("it runs for disks, and the image type is {}", selection.image_type.keyword()),
            )?;
        }
    }
    Ok(found)
}
