//! The end of `prepare`: what a build leaves behind and what must differ between machines is taken out.

use anyhow::Result;
use description::DescriptionKind;

use crate::root_tree::RootTree;

/// Caches, logs and backups that only say when and where the tree was built.
const REMOVED: [&str; 16] = [
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
    "var/lib/systemd/random-seed",
    "var/lib/dbus/machine-id",
    "var/lib/urandom/random-seed",
    "etc/.pwd.lock",
];

/// Backups of the account files, which tell of every step.
const BACKUPS: [&str; 6] =
    ["etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-", "etc/subuid-", "etc/subgid-"];

/// A unit that gives each machine its own ssh keys at its first boot.
const SSH_KEYS_UNIT: &str = "[Unit]\nDescription=Create the ssh host keys of this machine\n\
    ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key\nBefore=ssh.service sshd.service ssh.socket\n\n\
    [Service]\nType=oneshot\nExecStart=/usr/bin/ssh-keygen -A\n\n[Install]\nWantedBy=multi-user.target\n";

pub(super) fn clean(tree: &RootTree, kind: DescriptionKind) -> Result<()> {
    for path in REMOVED.iter().chain(&BACKUPS) {
        tree.remove(path)?;
    }
    for folder in ["tmp", "var/tmp", "run"] {
        for name in tree.list(folder)? {
            tree.remove(format!("{folder}/{name}"))?;
        }
    }
    if tree.exists("etc/machine-id") || tree.exists("lib/systemd/systemd") {
        // Empty means: made at the first boot, for this machine.
        tree.remove("etc/machine-id")?;
        tree.write("etc/machine-id", "", 0o444)?;
    }
    if kind == DescriptionKind::System {
        own_ssh_keys(tree)?;
    }
    Ok(())
}

/// Host keys made during the build would be the same on every machine.
fn own_ssh_keys(tree: &RootTree) -> Result<()> {
    for name in tree.list("etc/ssh")? {
        if name.starts_with("ssh_host_") {
            tree.remove(format!("etc/ssh/{name}"))?;
        }
    }
    if tree.exists("usr/sbin/sshd") && tree.exists("usr/bin/ssh-keygen") && tree.exists("lib/systemd/system")
    {
        let unit = "kiwi-ssh-host-keys.service";
        tree.write(format!("etc/systemd/system/{unit}"), SSH_KEYS_UNIT, 0o644)?;
        tree.symlink(
            format!("etc/systemd/system/multi-user.target.wants/{unit}"),
            format!("/etc/systemd/system/{unit}"),
        )?;
    }
    Ok(())
}
