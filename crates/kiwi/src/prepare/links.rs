//! The links of a description that a build would follow, and the keys it needs, checked without reading them.

use anyhow::Result;
use description::{Repository, Selection, SourcePath};

use super::overlay;
use crate::repository;
use crate::source::{KNOWN_NAMES, Source};

/// Returns the signing keys whose files do not exist on this machine, each with its repository.
pub fn missing_keys<'s>(selection: &'s Selection, source: &Source) -> Vec<(&'s Repository, &'s str)> {
    let of = |repository: &'s Repository| {
        let keys = repository::missing_keys(repository, source.files());
        keys.into_iter().map(move |key| (repository, key))
    };
    selection.repositories.iter().flat_map(of).collect()
}

/// Returns the error about the first link that leads out of the description.
pub fn check_links(selection: &Selection, source: &Source) -> Result<()> {
    // The overlay `root` is checked as a whole below.
    for name in
        KNOWN_NAMES.iter().filter(|known| known.is_read && known.name != "root").map(|known| known.name)
    {
        let Some(found) = source.find(name)? else { continue };
        for entry in found.read_dir().into_iter().flatten().flatten() {
            // A build ignores hidden files there.
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                source.files().follow(&entry.path())?;
            }
        }
    }
    for name in selection.bootstrap.archives.iter().chain(&selection.image.archives) {
        source.find(&name.name)?;
    }
    for file in selection.bootstrap.files.iter().chain(&selection.image.files) {
        source.find(&file.name)?;
    }
    for repository in &selection.repositories {
        if let SourcePath::This(path) = &repository.source
            && let Some(directory) = source.find(path)?
        {
            repository::check_links(&directory, source.files())?;
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
