//! The keys of the image's repositories in the database of its rpm: the system installs further packages of these repositories
//! without a question about a key.

use anyhow::{Context as _, Result};

use super::database::{self, SQLITE};
use super::installed::copy_database;
use super::keys::armoured;
use crate::distribution::ImageKey;
use crate::host::Host;
use crate::root_tree::RootTree;

/// Raise it when keys are imported in another way.
pub(super) const FORMAT: u32 = 1;

/// Imports keys into the database of a tree.
pub(super) fn import(keys: &[&ImageKey], tree: &RootTree, host: &Host) -> Result<()> {
    let Some(path) = database::path(tree) else { return Ok(()) };
    if keys.is_empty() || !tree.exists(format!("{path}/{SQLITE}")) {
        return Ok(());
    }
    // rpm of the host changes a copy, so that no link of the tree leads it elsewhere.
    let work = host.temporary_work_directory()?;
    copy_database(tree, &path, work.path(), host)?;
    let database = format!("--dbpath={}", work.path().display());
    let times = host.command("rpm").writable(work.path()).env("HOME", work.path()).without_sync();
    let times =
        times.arg(&database).args(["-qa", "--nosignature", "--nodigest", "--qf", "%{INSTALLTIME}\\n"]);
    let newest = times.output()?.lines().filter_map(|line| line.parse::<u64>().ok()).max();
    for key in keys {
        let file = work.path().join(&key.name);
        let extension = key.name.rsplit('.').next().unwrap_or_default();
        host.write_file(&file, armoured(&key.bytes, extension))
            .with_context(|| format!("writing {}", file.display()))?;
        // The time of the import depends on the packages alone.
        let rpmkeys = host.command("rpmkeys").writable(work.path()).env("HOME", work.path()).without_sync();
        rpmkeys
            .env("SOURCE_DATE_EPOCH", newest.unwrap_or(0).to_string())
            .args([&database, "--import"])
            .arg(&file)
            .run()
            .with_context(|| format!("importing the key {} into the database of rpm", key.name))?;
    }
    let copy = work.path().join(SQLITE);
    let bytes = std::fs::read(&copy).with_context(|| format!("reading {}", copy.display()))?;
    tree.write(format!("{path}/{SQLITE}"), bytes, 0o644)?;
    tree.remove(format!("{path}/{SQLITE}-wal"))?;
    work.close().context("removing the copy of rpm's database")
}
