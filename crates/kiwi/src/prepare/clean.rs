//! The end of `prepare`: what a build leaves behind is taken out.

use anyhow::Result;

use crate::root_tree::RootTree;

/// Caches, logs and backups that only say when and where the tree was built.
const REMOVED: [&str; 13] = [
    "var/cache/ldconfig/aux-cache",
    "var/cache/debconf/config.dat-old",
    "var/cache/debconf/templates.dat-old",
    "var/log/alternatives.log",
    "var/log/apt",
    "var/log/bootstrap.log",
    "var/log/dpkg.log",
    "var/log/fontconfig.log",
    "var/lib/dpkg/available-old",
    "var/lib/dpkg/diversions-old",
    "var/lib/dpkg/statoverride-old",
    "var/lib/dpkg/status-old",
    "etc/.pwd.lock",
];

/// Backups of the account files, which tell of every step.
const BACKUPS: [&str; 6] =
    ["etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-", "etc/subuid-", "etc/subgid-"];

pub(super) fn clean(tree: &RootTree) -> Result<()> {
    for path in REMOVED.iter().chain(&BACKUPS) {
        tree.remove(path)?;
    }
    for directory in ["tmp", "var/tmp", "run"] {
        for name in tree.list(directory)? {
            tree.remove(format!("{directory}/{name}"))?;
        }
    }
    tree.remove_sockets()
}
