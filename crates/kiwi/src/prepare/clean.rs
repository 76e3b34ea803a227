//! The end of `prepare`: removes files that a build leaves behind.

use anyhow::Result;

use crate::distribution::Leftovers;
use crate::root_tree::RootTree;

/// Caches, logs and backups of all distributions, which only record when and where the tree was built.
const REMOVED: [&str; 9] = [
    "var/cache/ldconfig/aux-cache",
    "var/log/fontconfig.log",
    "etc/.pwd.lock",
    // The backups of the account files show every step of the build.
    "etc/passwd-",
    "etc/shadow-",
    "etc/group-",
    "etc/gshadow-",
    "etc/subuid-",
    "etc/subgid-",
];

/// Directories that the running system fills.
const EMPTIED: [&str; 3] = ["tmp", "var/tmp", "run"];

/// Removes the files that every build leaves and those that the programs of the distribution leave.
pub(super) fn clean(leftovers: &Leftovers, tree: &RootTree) -> Result<()> {
    leftovers.clear_caches(tree)?;
    REMOVED.iter().chain(leftovers.removed).try_for_each(|path| tree.remove(path))?;
    EMPTIED.iter().try_for_each(|directory| tree.clear_dir(directory))?;
    tree.remove_sockets()
}
