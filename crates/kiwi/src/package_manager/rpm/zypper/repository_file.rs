//! The `.repo` file of zypper for a repository.

use anyhow::Result;
use description::RepositoryType;

use crate::host::Host;
use crate::package_manager::rpm::directory::made;
use crate::package_manager::rpm::keys::root_of;
use crate::package_manager::rpm::solver::{ROOT, VIEW};
use crate::package_manager::rpm::sources::{PRIORITY, checks_metadata, escaped};
use crate::package_manager::{ManagerFiles, PackagePlan};
use crate::repository::Resolved;

/// The directory of passwords in [`ManagerFiles`].
pub(super) const CREDENTIALS: &str = "credentials";

/// Returns the text of the file for the repository at `url`, which may be a mirror. Its section and its metadata have the index of the repository as their name.
pub(super) fn text(index: usize, url: &str, repository: &Resolved, plan: &PackagePlan) -> String {
    let kind = match repository.kind {
        RepositoryType::Yast2 => "yast2",
        RepositoryType::RpmMd
        | RepositoryType::RpmDir
        | RepositoryType::AptDeb
        | RepositoryType::DebDir
        | RepositoryType::Smart => "rpm-md",
    };
    let mut url = if repository.kind == RepositoryType::RpmDir {
        format!("dir:{VIEW}/{}", made(index))
    } else if url.starts_with('/') {
        format!("dir:{}", escaped(url))
    } else {
        url.to_owned()
    };
    if repository.credentials.is_some() {
        url += if url.contains('?') { "&" } else { "?" };
        url += &format!("credentials={index}");
    }
    let checked = u8::from(checks_metadata(repository, plan));
    let priority = repository.priority.unwrap_or(PRIORITY);
    format!(
        "[{index}]\nname={index}\nenabled=1\nautorefresh=0\nbaseurl={url}\ntype={kind}\npriority={priority}\n\
         gpgcheck={checked}\nrepo_gpgcheck={checked}\npkg_gpgcheck=0\n"
    )
}

/// Writes user name and password where zypper finds them.
pub(super) fn write_credentials(
    index: usize,
    repository: &Resolved,
    files: &ManagerFiles,
    host: &Host,
) -> Result<()> {
    let Some((user, password)) = &repository.credentials else { return Ok(()) };
    // Some commands look for it below the root directory, others do not.
    let roots = [root_of(index), ROOT.to_owned()].map(|root| format!("{root}{VIEW}/{CREDENTIALS}"));
    for directory in roots.iter().map(String::as_str).chain([CREDENTIALS]) {
        files.create_directory(directory, host)?;
        let text = format!("username={user}\npassword={password}\n");
        files.write(&format!("{directory}/{index}"), text, host)?;
    }
    Ok(())
}
