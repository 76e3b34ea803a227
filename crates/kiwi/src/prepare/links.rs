//! The links of a description that a build would follow, checked without reading what they lead to.

use anyhow::Result;
use description::{Selection, SourcePath};

use super::overlay;
use crate::source::Source;

/// Files and directories that a build looks for in every description.
const KNOWN: [&str; 6] =
    ["config.sh", "images.sh", "config-yast.xml", "config-cdroot.tgz", "config", "cdboot"];

/// Returns the error about the first link that leads out of the description.
pub fn check_links(selection: &Selection, source: &Source) -> Result<()> {
    for name in KNOWN {
        let Some(found) = source.find(name)? else { continue };
        for entry in found.read_dir().into_iter().flatten().flatten() {
            // A build ignores hidden files there.
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                source.files().follow(&entry.path())?;
            }
        }
    }
    for name in selection.bootstrap.archives.iter().chain(&selection.image.archives) {
        source.find(name)?;
    }
    for repository in &selection.repositories {
        if let SourcePath::This(path) = &repository.source {
            source.find(path)?;
        }
        for key in &repository.signing_keys {
            if let Some(path) = key.strip_prefix("this://").or_else(|| key.strip_prefix("this:")) {
                source.find(path.trim_start_matches('/'))?;
            }
        }
    }
    let profiles = selection.profiles.iter().map(description::ProfileName::as_str);
    for name in std::iter::once("root").chain(profiles) {
        if let Some(directory) = source.find(name)? {
            overlay::check_links(&directory, source.files())?;
        }
    }
    Ok(())
}
