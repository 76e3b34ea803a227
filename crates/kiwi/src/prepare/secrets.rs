//! Secrets and identities that package scripts create during the build. They are removed, and each machine creates its
//! own at its first boot; otherwise all machines of an image would share them.
//!
//! ```text
//! known kinds -> removed, a unit for those that nothing in the image creates -> unknown private keys: a warning
//! ```
//!
//! What the description provides itself, in `root/` or the directory of a profile, stays; so does what an upgrade
//! finds.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use crate::distribution::{Renew, SecretKind, Unit};
use crate::record::{Renewal, Secret};
use crate::root_tree::RootTree;

/// Directories that are searched for unknown private keys.
const SEARCHED: [&str; 6] = ["etc", "home", "root", "srv", "usr/local", "var/lib"];
/// Maximum size in bytes of a file that is searched for a private key.
const LARGEST_KEY: u64 = 64 << 10;

/// Returns whether a file of the tree was not created by the build.
pub(super) type Kept<'a> = dyn Fn(&str) -> bool + 'a;

/// Removes every secret of these kinds and makes each machine create its own. Returns the secrets found, including
/// unknown private keys.
pub(super) fn renew(kinds: &[SecretKind], tree: &RootTree, kept: &Kept<'_>) -> Result<Vec<Secret>> {
    let mut found = Vec::new();
    for kind in kinds {
        let paths = match kind.renew {
            Renew::Author(_) => not_kept(kind, tree, kept)?,
            Renew::System | Renew::Unit(_) => removed(kind, tree, kept)?,
        };
        let renewed = match &kind.renew {
            Renew::System => Renewal::System,
            Renew::Author(remedy) => Renewal::Author((*remedy).to_owned()),
            Renew::Unit(unit) if can_run(unit, tree) => {
                // Required even if no secret was removed here: a script of the description may have removed it.
                if paths_of(kind, tree)?.is_empty() {
                    install(unit, kind.what, tree)?;
                }
                Renewal::Unit(unit.name.to_owned())
            }
            Renew::Unit(_) => Renewal::Nobody,
        };
        if !paths.is_empty() {
            found.push(Secret { what: kind.what.to_owned(), paths, renewed });
        }
    }
    if let Some(id) = machine_id(tree, kept)? {
        found.push(id);
    }
    let unknown: Vec<String> = unknown_keys(tree, kept)?.into_iter().collect();
    if !unknown.is_empty() {
        found.push(Secret { what: "private key".to_owned(), paths: unknown, renewed: Renewal::Kept });
    }
    Ok(found)
}

/// Returns the paths of the secrets in the tree.
pub(super) fn present(kinds: &[SecretKind], tree: &RootTree) -> Result<BTreeSet<String>> {
    let mut present = unknown_keys(tree, &|_| false)?;
    for kind in kinds {
        present.extend(paths_of(kind, tree)?);
    }
    if tree.read("etc/machine-id").is_ok_and(|id| !id.is_empty()) {
        present.insert("etc/machine-id".to_owned());
    }
    Ok(present)
}

fn can_run(unit: &Unit, tree: &RootTree) -> bool {
    tree.exists("lib/systemd/system") && unit.programs.iter().all(|program| tree.exists(program))
}

fn paths_of(kind: &SecretKind, tree: &RootTree) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for file in kind.files {
        let mut found = vec![String::new()];
        for pattern in file.split('/') {
            let mut deeper = Vec::new();
            for directory in &found {
                let inside = |name: &str| match directory.as_str() {
                    "" => name.to_owned(),
                    directory => format!("{directory}/{name}"),
                };
                match pattern.split_once('*') {
                    None => deeper.push(inside(pattern)),
                    Some((start, end)) => {
                        let names = tree.list(directory)?;
                        let ours = names.iter().filter(|name| name.starts_with(start) && name.ends_with(end));
                        deeper.extend(ours.map(|name| inside(name)));
                    }
                }
            }
            found = deeper;
        }
        found.retain(|path| is_there(path, tree));
        paths.extend(found);
    }
    Ok(paths)
}

/// Returns whether the path exists, even as a dangling link.
fn is_there(path: &str, tree: &RootTree) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
    tree.list(directory).is_ok_and(|names| names.iter().any(|there| there == name))
}

fn not_kept(kind: &SecretKind, tree: &RootTree, kept: &Kept<'_>) -> Result<Vec<String>> {
    let mut paths = paths_of(kind, tree)?;
    paths.retain(|path| !kept(path));
    Ok(paths)
}

fn removed(kind: &SecretKind, tree: &RootTree, kept: &Kept<'_>) -> Result<Vec<String>> {
    let paths = not_kept(kind, tree, kept)?;
    for path in &paths {
        remove_links_to(path, tree)?;
        tree.remove(path)?;
    }
    Ok(paths)
}

/// Removes the links next to a certificate whose names are its hash.
fn remove_links_to(path: &str, tree: &RootTree) -> Result<()> {
    let Some((directory, name)) =
        path.rsplit_once('/').filter(|(directory, _)| *directory == "etc/ssl/certs")
    else {
        return Ok(());
    };
    for link in tree.list(directory)? {
        let target = std::fs::read_link(tree.path().join(directory).join(&link));
        if target.is_ok_and(|target| target == Path::new(name)) {
            tree.remove(format!("{directory}/{link}"))?;
        }
    }
    Ok(())
}

/// Empties the machine id, which the first boot fills; one that the description provides is kept.
fn machine_id(tree: &RootTree, kept: &Kept<'_>) -> Result<Option<Secret>> {
    let path = "etc/machine-id";
    if kept(path) || !(tree.exists(path) || tree.exists("lib/systemd/systemd")) {
        return Ok(None);
    }
    let filled = tree.read(path).is_ok_and(|id| !id.is_empty());
    tree.remove(path)?;
    tree.write(path, "", 0o444)?;
    let paths = vec![path.to_owned()];
    Ok(filled.then(|| Secret { what: "machine id".to_owned(), paths, renewed: Renewal::System }))
}

fn install(unit: &Unit, what: &str, tree: &RootTree) -> Result<()> {
    let Unit { name, missing, before, commands, .. } = unit;
    let (order, target) = match before.is_empty() {
        true => (
            "DefaultDependencies=no\nAfter=local-fs.target systemd-random-seed.service\n\
             Before=basic.target shutdown.target\nConflicts=shutdown.target\n"
                .to_owned(),
            "basic.target",
        ),
        false => (format!("Before={before}\n"), "multi-user.target"),
    };
    let commands: String = commands.iter().map(|command| format!("ExecStart={command}\n")).collect();
    let text = format!(
        "[Unit]\nDescription=Create the {what} of this machine\nConditionPathExists=!/{missing}\n{order}\n\
         [Service]\nType=oneshot\n{commands}\n[Install]\nWantedBy={target}\n"
    );
    tree.write(format!("etc/systemd/system/{name}"), text, 0o644)?;
    tree.symlink(format!("etc/systemd/system/{target}.wants/{name}"), format!("/etc/systemd/system/{name}"))
}

/// Returns the private keys in PEM that belong to no known kind and do not come from the description.
fn unknown_keys(tree: &RootTree, kept: &Kept<'_>) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for directory in SEARCHED {
        for entry in walkdir::WalkDir::new(tree.path().join(directory)) {
            let Ok(entry) = entry else { continue };
            if !entry.file_type().is_file() || entry.metadata()?.len() > LARGEST_KEY {
                continue;
            }
            let inside = entry.path().strip_prefix(tree.path())?.display().to_string();
            if is_private_key(entry.path()).with_context(|| format!("reading /{inside}"))? && !kept(&inside) {
                found.insert(inside);
            }
        }
    }
    Ok(found)
}

fn is_private_key(path: &Path) -> Result<bool> {
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(64).read_to_end(&mut start)?;
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----"))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test creates its own tree")]
mod tests {
    use super::*;
    use crate::distribution::Distribution;

    #[test]
    fn removes_and_renews_known_secrets_and_lists_unknown_ones() {
        let directory = tempfile::tempdir().unwrap();
        let (root, overlay) = (directory.path().join("tree"), directory.path().join("overlay"));
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir_all(overlay.join("etc/bind")).unwrap();
        std::fs::write(overlay.join("etc/bind/rndc.key"), "ours").unwrap();
        let tree = RootTree::merged(&root).unwrap();
        for path in ["usr/sbin/sshd", "usr/bin/ssh-keygen", "usr/sbin/rndc-confgen", "lib/systemd/system/x"] {
            tree.write(path, "", 0o755).unwrap();
        }
        for path in ["etc/ssh/ssh_host_rsa_key", "etc/ssh/ssh_host_rsa_key.pub", "etc/ssh/sshd_config"] {
            tree.write(path, "x", 0o600).unwrap();
        }
        tree.write("etc/ssl/certs/ssl-cert-snakeoil.pem", "x", 0o644).unwrap();
        tree.symlink("etc/ssl/certs/0123abcd.0", "ssl-cert-snakeoil.pem").unwrap();
        tree.write("etc/machine-id", "0123\n", 0o444).unwrap();
        tree.write("etc/bind/rndc.key", "ours", 0o640).unwrap();
        for path in ["etc/popularity-contest.conf", "etc/cron.d/popularity-contest"] {
            tree.write(path, "x", 0o644).unwrap();
        }
        let kinds = Distribution::Debian.facts().secrets;
        let contest = kinds.iter().find(|kind| kind.what.contains("popularity")).map(|kind| &kind.renew);
        let Some(Renew::Unit(unit)) = contest else { panic!("it is not renewed by a unit") };
        for path in unit.programs {
            tree.write(path, "", 0o755).unwrap();
        }
        let cluster = "var/lib/postgresql/15/main/global/pg_control";
        tree.write(cluster, "x", 0o600).unwrap();
        tree.write("var/lib/app/key.pem", "-----BEGIN RSA PRIVATE KEY-----\nAA\n", 0o600).unwrap();
        let found = renew(kinds, &tree, &|path| overlay.join(path).exists()).unwrap();
        let names: Vec<(&str, &Renewal)> =
            found.iter().map(|secret| (secret.what.as_str(), &secret.renewed)).collect();
        let ssh = Renewal::Unit("kiwi-ssh-host-keys.service".to_owned());
        let contest = Renewal::Unit("kiwi-popularity-contest.service".to_owned());
        assert_eq!(
            names,
            [
                ("ssh host keys", &ssh),
                ("snakeoil certificate", &Renewal::Nobody),
                ("identity and time of the popularity contest", &contest),
                ("system identifier of a PostgreSQL cluster", &found[3].renewed),
                ("machine id", &Renewal::System),
                ("private key", &Renewal::Kept)
            ]
        );
        assert_eq!(found[5].paths, ["var/lib/app/key.pem"]);
        let said = found[3].to_string();
        assert!(
            said.contains("(/var/lib/postgresql/15/main/global/pg_control); remove the cluster"),
            "{said}"
        );
        assert!(tree.exists(cluster), "a cluster that may contain data of the description was removed");
        assert!(!tree.exists("etc/popularity-contest.conf") && !tree.exists("etc/cron.d/popularity-contest"));
        assert_eq!(tree.list("etc/ssh").unwrap(), ["sshd_config"]);
        assert!(
            tree.list("etc/ssl/certs").unwrap().is_empty(),
            "the certificate or its link was not removed"
        );
        assert_eq!(tree.read("etc/machine-id").unwrap(), b"");
        assert!(tree.exists("etc/bind/rndc.key"), "a key that the description provides was removed");
        assert!(!tree.exists("etc/systemd/system/kiwi-rndc-key.service"));
        assert!(tree.exists("etc/systemd/system/kiwi-ssh-host-keys.service"));
    }
}
