//! The installed packages of a tree.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::database;
use crate::host::Host;
use crate::package_manager::{Installed, InventoryItem, PackageForm};
use crate::root_tree::RootTree;

/// One line for each package, fields separated by tabs.
const FORMAT: &str = "%{NAME}\\t%{EVR}\\t%{ARCH}\\t%{LICENSE}\\n";
/// The name of a signing key in the database, which is not a package.
const KEY: &str = "gpg-pubkey";

/// The same with what else a bill of materials contains.
const LONG_FORMAT: &str =
    "%{NAME}\\t%{EVR}\\t%{ARCH}\\t%{LICENSE}\\t%{VENDOR}\\t%{PACKAGER}\\t%{URL}\\t%{SOURCERPM}\\n";
/// What rpm prints for a tag that a package does not have.
const NO_TAG: &str = "(none)";

/// Returns the installed packages, sorted by name.
pub(super) fn list(tree: &RootTree, default: &str, host: &Host) -> Result<Vec<Installed>> {
    let mut packages: Vec<Installed> =
        query(tree, default, FORMAT, host)?.lines().filter_map(installed).collect();
    packages.sort();
    Ok(packages)
}

/// Returns the installed packages with their origin.
pub(super) fn inventory(tree: &RootTree, host: &Host) -> Result<Vec<InventoryItem>> {
    Ok(query(tree, database::DEFAULT, LONG_FORMAT, host)?.lines().filter_map(item).collect())
}

/// One line for each file of each package.
const FILES_FORMAT: &str =
    "[%{FILENAMES}\\t%{FILEFLAGS:fflags}\\t%{FILEDIGESTS}\\t%{=NAME}\\t%{=EVR}\\t%{=ARCH}\\n]";

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::package_manager) struct PackageFile {
    /// Name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Whether the file is marked as configuration.
    pub is_configuration: bool,
    /// Its digest in lower-case hex; empty for other entries than regular files.
    pub digest: String,
}

/// Returns the entries of packages for a path that has these names.
pub(super) fn owners(tree: &RootTree, paths: &[String], host: &Host) -> Result<Vec<PackageFile>> {
    let text = query(tree, database::DEFAULT, FILES_FORMAT, host)?;
    let lines = text.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let path = fields.next()?.trim_start_matches('/');
        if !paths.iter().any(|name| name == path) {
            return None;
        }
        let mut field = || fields.next().map(str::to_owned);
        let (flags, digest) = (field()?, field()?);
        let (name, version, architecture) = (field()?, field()?, field()?);
        Some(PackageFile { name, version, architecture, is_configuration: flags.contains('c'), digest })
    });
    Ok(lines.collect())
}

/// Returns what rpm prints of every package in the format.
pub(super) fn query(tree: &RootTree, default: &str, format: &str, host: &Host) -> Result<String> {
    let path = database::path(tree).unwrap_or_else(|| default.to_owned());
    let file = format!("{path}/{}", database::SQLITE);
    let query = ["-qa", "--nosignature", "--nodigest", "--qf", format];
    if tree.exists(&file) {
        // rpm of the host reads a copy, so that nothing in the tree changes and no link of the tree leads it elsewhere.
        let work = host.temporary_work_directory()?;
        copy_database(tree, &path, work.path(), host)?;
        let command = host.command("rpm").writable(work.path()).env("HOME", work.path()).without_sync();
        let command = command.env("TZ", "UTC");
        let text = command.arg(format!("--dbpath={}", work.path().display())).args(query).output()?;
        work.close().context("removing the copy of rpm's database")?;
        Ok(text)
    } else if tree.is_executable("usr/bin/rpm") {
        // A database in another form than that of the host's rpm.
        Ok(tree.command(host, "/usr/bin/rpm").arg(format!("--dbpath=/{path}")).args(query).output()?)
    } else {
        Ok(String::new())
    }
}

/// Copies the database in a directory of a tree to a directory of the host.
pub(super) fn copy_database(tree: &RootTree, path: &str, to: &Path, host: &Host) -> Result<()> {
    for name in [database::SQLITE, "rpmdb.sqlite-wal"] {
        if let Ok(bytes) = tree.read(format!("{path}/{name}")) {
            let copy = to.join(name);
            host.write_file(&copy, bytes).with_context(|| format!("writing {}", copy.display()))?;
        }
    }
    Ok(())
}

fn item(line: &str) -> Option<InventoryItem> {
    let mut fields = line.split('\t');
    let mut required = || fields.next().map(str::to_owned);
    let (name, version, architecture) = (required()?, required()?, required()?);
    let mut tag = || fields.next().filter(|value| !value.is_empty() && *value != NO_TAG).map(str::to_owned);
    let (licence, vendor, packager, homepage, source) = (tag(), tag(), tag(), tag(), tag());
    (name != KEY).then_some(InventoryItem {
        form: PackageForm::Rpm,
        name,
        version,
        architecture,
        maintainer: vendor.or(packager),
        homepage,
        source,
        licence,
    })
}

fn installed(line: &str) -> Option<Installed> {
    let mut fields = line.split('\t').map(str::to_owned);
    let (name, version) = (fields.next()?, fields.next()?);
    let (architecture, licences) = (fields.next()?, fields.next()?);
    (name != KEY).then_some(Installed { name, version, architecture, licences })
}
