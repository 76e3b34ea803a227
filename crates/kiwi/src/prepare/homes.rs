//! The homes of the users of the description: the files of `/etc/skel`, and everything in a home belongs to its user.
//!
//! `useradd` does this only for a home that it creates; one that an overlay or an archive brought belongs to root.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use description::User;
use rustix::fs::{FileType, Timespec, Timestamps};
use std::os::unix::fs::MetadataExt;

use crate::host::{Host, Warning};
use crate::root_tree::{Attributes, RootTree, TreeWriter};

const SKELETON: &str = "etc/skel";
/// Top directories in which no user lives.
const OF_SYSTEM: [&str; 13] =
    ["bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run", "sbin", "sys", "usr"];
/// Top directories with the homes and data of several users.
const SHARED: [&str; 7] = ["home", "media", "mnt", "opt", "srv", "tmp", "var"];

/// An account of the tree.
struct Account {
    user: u32,
    group: u32,
    /// Its home, relative to the tree.
    home: PathBuf,
}

/// Completes the homes of `users`; `new` are the names of those that this build created.
pub(super) fn complete(users: &[User], new: &[&str], tree: &RootTree, host: &Host) -> Result<()> {
    let mut accounts = Vec::new();
    for user in users {
        let is_new = new.contains(&user.name.as_str());
        if !is_new && user.home.is_none() {
            continue;
        }
        let Some(account) = account(tree, user.name.as_str())? else { continue };
        if account.user == 0 || !tree.metadata(&account.home).is_ok_and(|metadata| metadata.is_dir()) {
            continue;
        }
        if !is_own(&account.home) {
            host.warn(
                Warning::Description,
                &format!(
                    "the home /{} of the user {} is a directory of the system and keeps its owner",
                    account.home.display(),
                    user.name
                ),
            );
            continue;
        }
        if is_new {
            copy_skeleton(Path::new(""), &account, &mut TreeWriter::of_packages(tree), tree)
                .with_context(|| format!("copying /{SKELETON} to the home of the user {}", user.name))?;
        }
        accounts.push(account);
    }
    // A home inside another one keeps its own user.
    accounts.sort_by_key(|account| account.home.components().count());
    accounts.iter().try_for_each(|account| tree.give(&account.home, account.user, account.group))
}

/// Returns the entry of a user in `/etc/passwd`.
fn account(tree: &RootTree, name: &str) -> Result<Option<Account>> {
    let text = tree.read_text("etc/passwd")?;
    Ok(text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [found, _, user, group, _, home, ..] = fields[..] else { return None };
        if found != name {
            return None;
        }
        let home = PathBuf::from(home.trim_start_matches('/'));
        Some(Account { user: user.parse().ok()?, group: group.parse().ok()?, home })
    }))
}

/// Returns whether a directory can belong to one user with everything in it.
fn is_own(home: &Path) -> bool {
    let mut components = home.components().map(|component| component.as_os_str().to_string_lossy());
    match (components.next(), components.next()) {
        (None, _) => false,
        (Some(top), None) => !OF_SYSTEM.contains(&&*top) && !SHARED.contains(&&*top),
        (Some(top), Some(_)) => {
            !OF_SYSTEM.contains(&&*top) && !home.components().any(|part| part.as_os_str() == "..")
        }
    }
}

/// Copies what the home lacks of a directory of the skeleton.
fn copy_skeleton(
    below: &Path,
    account: &Account,
    writer: &mut TreeWriter<'_>,
    tree: &RootTree,
) -> Result<()> {
    for name in tree.list(Path::new(SKELETON).join(below))? {
        let below = below.join(name);
        let (source, target) = (Path::new(SKELETON).join(&below), account.home.join(&below));
        let exists = writer.kind(&target)?.is_some();
        match writer.kind(&source)? {
            Some(FileType::Directory) => {
                if !exists {
                    writer.directory(&target, &attributes(&tree.metadata(&source)?, account))?;
                }
                copy_skeleton(&below, account, writer, tree)?;
            }
            Some(FileType::RegularFile) if !exists => {
                let mut file = tree.open_file(&source)?;
                let attributes = attributes(&file.metadata()?, account);
                writer.file(&target, &mut file, &attributes)?;
            }
            Some(FileType::Symlink) if !exists => {
                let link = tree.root().readlink(&source)?;
                writer.link(&target, &link, &attributes(&tree.metadata(SKELETON)?, account))?;
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

fn attributes(metadata: &std::fs::Metadata, account: &Account) -> Attributes {
    let time = Timespec { tv_sec: metadata.mtime(), tv_nsec: metadata.mtime_nsec() };
    Attributes {
        mode: metadata.mode() & 0o7777,
        user: account.user,
        group: account.group,
        times: Timestamps { last_access: time, last_modification: time },
        extended: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_directories_belong_to_no_user() {
        for home in ["", "usr", "usr/games", "var", "home", "srv", "etc/x", "home/../etc", "tmp"] {
            assert!(!is_own(Path::new(home)), "{home}");
        }
        for home in ["home/tux", "srv/www", "var/lib/x", "root", "data", "opt/app"] {
            assert!(is_own(Path::new(home)), "{home}");
        }
    }
}
