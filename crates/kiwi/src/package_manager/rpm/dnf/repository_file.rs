//! The `.repo` file of dnf for a repository.

use anyhow::Result;
use description::RepositoryType;

use super::command::local_directory;
use crate::package_manager::rpm::directory::made;
use crate::package_manager::rpm::mirrors;
use crate::package_manager::rpm::solver::VIEW;
use crate::package_manager::rpm::sources::{PRIORITY, checks_metadata};
use crate::package_manager::{ManagerFiles, PackagePlan};
use crate::repository::Resolved;

/// Returns the text of the file. Its section has the index of the repository as its name.
pub(super) fn text(
    index: usize,
    repository: &Resolved,
    plan: &PackagePlan,
    files: &ManagerFiles,
) -> Result<String> {
    let start = format!("{index}-");
    let keys = files.list("keys")?.into_iter().filter(|name| name.starts_with(&start));
    let keys: Vec<String> = keys.map(|name| format!("file://{VIEW}/keys/{name}")).collect();
    let urls = mirrors::urls(index, repository, files)?;
    Ok(section(index, repository, &urls, checks_metadata(repository, plan), &keys))
}

fn section(index: usize, repository: &Resolved, urls: &[String], checked: bool, keys: &[String]) -> String {
    let location = &repository.location;
    let url = if repository.kind == RepositoryType::RpmDir {
        format!("file://{VIEW}/{}", made(index))
    } else if location.starts_with('/') {
        format!("file://{VIEW}/{}", local_directory(index))
    } else {
        urls.join(" ")
    };
    let mut text = format!(
        "[{index}]\nname={index}\nenabled=1\nbaseurl={url}\npriority={}\ngpgcheck=0\nrepo_gpgcheck={}\n",
        repository.priority.unwrap_or(PRIORITY),
        u8::from(checked)
    );
    if !keys.is_empty() {
        text += &format!("gpgkey={}\n", keys.join(" "));
    }
    if let Some((user, password)) = &repository.credentials {
        text += &format!("username={user}\npassword={password}\n");
    }
    text
}
