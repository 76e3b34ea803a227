//! `kiwi result list`: what was built in a directory, from its `kiwi.result.json`.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::outcome::{BuiltFiles, Outcome};
use crate::context::Context;
use crate::failure::fail;
use crate::origins::Origins;
use crate::result_record::{FILE, ResultRecord};

/// The directory of the results.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory of the images.
    pub target_dir: PathBuf,
}

/// Returns each build and its files.
pub fn run(request: &Request, _context: &Context) -> Result<Outcome> {
    let mut record = read(&request.target_dir)?;
    // 'kiwi explain' shows them.
    record.images.iter_mut().for_each(|image| image.origins = Origins::default());
    let files = record.images.iter().flat_map(|image| image.files.iter().map(|file| image.path_of(file)));
    let missing = files.filter(|file| !request.target_dir.join(file).exists());
    let missing = missing.map(|file| file.display().to_string()).collect();
    Ok(Outcome::Results(BuiltFiles { directory: request.target_dir.clone(), record, missing }))
}

/// Reads the record of a directory in which something was built.
pub(super) fn read(directory: &Path) -> Result<ResultRecord> {
    match ResultRecord::read(directory)? {
        Some(record) => Ok(record),
        None => fail!(File, "{} has no {FILE}: this kiwi built nothing there", directory.display()),
    }
}
