//! Repositories that are lists of mirrors: kiwi fetches the list, and the package managers see the mirrors.

use anyhow::{Context as _, Result};
use description::SourceType;

use super::customize::changed_urls;
use super::metadata::{metalink, mirror_list};
use super::transfer;
use crate::failure::{Failure, Kind};
use crate::host::Host;
use crate::package_manager::ManagerFiles;
use crate::repository::Resolved;

/// Fetches the list of a repository, once, if its location is one.
pub(super) fn fetch_list(
    index: usize,
    repository: &Resolved,
    files: &ManagerFiles,
    host: &Host,
) -> Result<()> {
    match repository.source_type {
        SourceType::BaseUrl => return Ok(()),
        SourceType::Metalink | SourceType::MirrorList => {}
    }
    let (url, to) = (&repository.location, format!("mirrors/{index}"));
    if files.path().join(&to).exists() {
        return Ok(());
    }
    files.create_directory("mirrors", host)?;
    transfer::download(url, &to, repository.credentials.as_ref(), files, host).map_err(|error| {
        let message = format!("cannot fetch the list of mirrors of the repository {}", repository.described);
        error.context(Failure::new(Kind::RepositoryUnreachable, message).remedy("Check its URL."))
    })
}

/// Returns the URLs of a repository, the preferred one first; after [`fetch_list`]. A script of the description may have replaced
/// them.
pub(super) fn urls(index: usize, repository: &Resolved, files: &ManagerFiles) -> Result<Vec<String>> {
    if let Some(changed) = changed_urls(index, files) {
        return Ok(changed);
    }
    if repository.source_type == SourceType::BaseUrl {
        return Ok(vec![repository.location.trim_end_matches('/').to_owned()]);
    }
    let list = files.read(&format!("mirrors/{index}"))?;
    // Servers send either format for both keywords.
    let found = match String::from_utf8_lossy(&list).trim_start().starts_with('<') {
        true => metalink(&list)
            .with_context(|| format!("reading the list of mirrors of {}", repository.described))?,
        false => mirror_list(&String::from_utf8_lossy(&list)),
    };
    if found.is_empty() {
        let message = format!("the list of mirrors of the repository {} names none", repository.described);
        return Err(Failure::new(Kind::RepositoryUnreachable, message).remedy("Check its URL.").into());
    }
    Ok(found)
}
