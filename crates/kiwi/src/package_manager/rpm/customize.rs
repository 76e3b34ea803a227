//! Scripts of the description that edit the file of the package manager for a repository (`customize=`).

use anyhow::{Context as _, Result};

use super::solver::VIEW;
use crate::host::Host;
use crate::host::Warning;
use crate::package_manager::ManagerFiles;
use crate::repository::Resolved;

/// The directory of the file that a script edits, in [`ManagerFiles`].
const DIRECTORY: &str = "customize";

/// Returns the text of a repository's file after its script: the script gets the path of the file, and can write nothing else.
pub(super) fn customized(
    text: String,
    index: usize,
    repository: &Resolved,
    files: &ManagerFiles,
    host: &Host,
) -> Result<String> {
    let Some(script) = &repository.customize else { return Ok(text) };
    let directory = files.create_directory(DIRECTORY, host)?;
    let name = format!("{index}.repo");
    let path = format!("{DIRECTORY}/{name}");
    files.write(&path, &text, host)?;
    // The script may be hidden below another mount of its sandbox.
    let copy = format!("{DIRECTORY}/script");
    let bytes = std::fs::read(script).with_context(|| format!("reading {}", script.display()))?;
    files.write(&copy, bytes, host)?;
    let run = host
        .command("bash")
        .writable(&directory)
        .bind(&directory, VIEW, false)
        .arg(format!("{VIEW}/script"))
        .arg(format!("{VIEW}/{name}"))
        .run();
    run.with_context(|| {
        format!("the script {} that customizes the repository {}", script.display(), repository.described)
    })?;
    let changed = files.read_text(&path)?;
    let section = format!("[{index}]");
    if !changed.lines().any(|line| line.trim() == section) {
        let message = format!(
            "the script {} changed the name of the repository in its file; kiwi uses the name {section}: {}",
            script.display(),
            repository.described
        );
        host.warn(Warning::Repository, &message);
        return Ok(text);
    }
    Ok(changed)
}
