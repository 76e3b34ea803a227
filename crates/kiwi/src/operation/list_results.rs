//! `kiwi result list`: what was built in a directory, from its `kiwi.result.json`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::context::Context;
use crate::result_record::{FILE, ResultRecord};

/// Of which directory.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where the images are.
    pub target_dir: PathBuf,
    /// Whether the answer is the record itself.
    pub json: bool,
}

/// Prints each build and its files.
pub fn run(request: &Request, context: &Context) -> Result<()> {
    let host = &context.host;
    let record = read(&request.target_dir)?;
    if request.json {
        host.print_document(&serde_json::to_string_pretty(&record)?);
        return Ok(());
    }
    for image in &record.images {
        host.print(&format!(
            "{} {}, {}, {}",
            image.name, image.version, image.image_type, image.architecture
        ));
        for file in &image.files {
            let path = request.target_dir.join(&file.file);
            let state = if path.exists() { "" } else { "  (no longer there)" };
            host.print(&format!(
                "  {:16} {:>12}  {}{state}",
                file.role.to_string(),
                file.size,
                path.display()
            ));
        }
    }
    Ok(())
}

/// The record of a directory in which something was built.
pub(super) fn read(directory: &Path) -> Result<ResultRecord> {
    match ResultRecord::read(directory)? {
        Some(record) => Ok(record),
        None => bail!("there is no {FILE} in {}: nothing was built there by this kiwi", directory.display()),
    }
}
