//! The physical extend: a selection becomes a root tree, in the chapter's order.
//!
//! ```text
//! skeleton -> repositories -> packages -> overlay -> users -> config-yast.xml -> settings -> .profile, .kconfig
//!   -> config.sh -> package scripts -> deletions -> description copied to image/ -> clean, times clamped
//! ```

mod clean;
mod overlay;
mod profile_file;
mod secrets;
mod settings;
mod users;

pub use profile_file::{text as profile_text, variables as profile_variables};

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use description::{DescriptionKind, Selection};
use sha2::{Digest, Sha256};

use crate::host::Host;
use crate::package_manager::{Installed, PackagePlan};
use crate::record::Record;
use crate::repository;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::script::Script;
use crate::source::Source;
use crate::store::Store;

/// Files of a description that a tree carries for `create`.
const CARRIED: [&str; 3] = ["images.sh", "config-cdroot.tgz", "cdboot"];

/// Everything `prepare` does, decided.
#[derive(Debug, Clone)]
pub struct PreparePlan {
    name: String,
    version: String,
    kind: DescriptionKind,
    profiles: Vec<String>,
    packages: PackagePlan,
    /// `root/`, then one folder per active profile.
    overlays: Vec<PathBuf>,
    archives: Vec<PathBuf>,
    users: Vec<description::User>,
    settings: description::Settings,
    profile_file: String,
    source: PathBuf,
    /// The text of `image/config.xml`.
    description: String,
    /// Whether scripts may use the network.
    network: bool,
}

/// What `prepare` gave besides the tree.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What was written to the tree for `create`.
    pub record: Record,
    /// What is installed.
    pub packages: Vec<Installed>,
}

/// Decides everything; what the description names and what is not there is found now.
pub fn plan(selection: &Selection, source: &Source, network: bool, host: &Host) -> Result<PreparePlan> {
    let repositories =
        repository::resolve(&selection.repositories, source.folder(), &selection.architecture, host)?;
    let packages = PackagePlan::new(selection, repositories)?;
    if packages.bootstrap.is_empty() && packages.image.is_empty() {
        bail!("the description names no packages; it needs a <packages type=\"image\"> section");
    }
    let mut overlays: Vec<PathBuf> = source.find("root").into_iter().collect();
    overlays.extend(selection.profiles.iter().filter_map(|profile| source.find(profile.as_str())));
    for overlay in &overlays {
        overlay::check(overlay, source.folder())?;
    }
    let mut archives = Vec::new();
    for name in selection.bootstrap.archives.iter().chain(&selection.image.archives) {
        match source.find(name) {
            Some(path) => archives.push(path),
            None => {
                bail!("the archive {name} is not in the description directory {}", source.folder().display())
            }
        }
    }
    Ok(PreparePlan {
        name: selection.name.to_string(),
        version: selection.version.to_string(),
        kind: selection.kind,
        profiles: selection.profiles.iter().map(ToString::to_string).collect(),
        packages,
        overlays,
        archives,
        users: selection.users.clone(),
        settings: selection.settings.clone(),
        profile_file: profile_text(&profile_variables(selection)),
        source: source.folder().to_owned(),
        description: source.whole()?,
        network,
    })
}

/// Makes the tree.
pub fn prepare(plan: &PreparePlan, tree: &RootTree, store: &Store, host: &Host) -> Result<Prepared> {
    let manager = plan.packages.manager();
    skeleton(tree)?;
    let stage = host.stage("Reading the repositories");
    let newest = manager.refresh(tree, host)?;
    stage.finish();
    let resolution = manager.resolve(tree, host)?;
    manager.install(&resolution, tree, store, host)?;
    let stage = host.stage("Configuring the tree");
    for folder in &plan.overlays {
        overlay::copy(folder, &plan.source, tree, host)
            .with_context(|| format!("copying the overlay {}", folder.display()))?;
    }
    for archive in &plan.archives {
        overlay::unpack(archive, tree, host).with_context(|| format!("unpacking {}", archive.display()))?;
    }
    users::create(&plan.users, &plan.name, tree, host)?;
    autoyast(plan, tree)?;
    settings::apply(&plan.settings, tree, host)?;
    profile_file::write(&plan.profile_file, tree)?;
    tree.write("etc/ImageVersion", format!("{}-{}", plan.name, plan.version), 0o644)?;
    stage.finish();
    run_scripts(plan, tree, &manager.installed(tree, host)?, host)?;
    manager.delete(tree, host)?;
    let packages = manager.installed(tree, host)?;
    manager.settle(tree, host)?;
    let stage = host.stage("Finishing the tree");
    clean::clean(tree)?;
    let secrets = match plan.kind {
        DescriptionKind::System => secrets::renew(tree, &|path| brought(path, &plan.overlays))?,
        DescriptionKind::Boot => Vec::new(),
    };
    let record = Record { secrets, ..record(plan, epoch(newest, host)?, &packages) };
    carry(plan, &record, &packages, tree)?;
    tree.clamp_times(record.epoch)?;
    stage.finish();
    Ok(Prepared { record, packages })
}

/// Brings the packages of a tree up to date; nothing but packages changes.
pub fn upgrade(
    selection: &Selection,
    record: &Record,
    tree: &RootTree,
    store: &Store,
    host: &Host,
) -> Result<()> {
    let description = record.description.clone().unwrap_or_else(|| tree.path().join(DESCRIPTION));
    let repositories =
        repository::resolve(&selection.repositories, &description, &selection.architecture, host)?;
    let packages = PackagePlan::new(selection, repositories)?;
    let manager = packages.manager();
    let own_lists = tree.read("etc/apt/sources.list.d/kiwi.sources").ok();
    let own = secrets::present(tree)?;
    let stage = host.stage("Reading the repositories");
    let upgraded = manager.refresh(tree, host).and_then(|newest| {
        stage.finish();
        manager.upgrade(tree, store, host)?;
        Ok(newest)
    });
    // Our files go whether it worked or not, and what the image's own lists were they stay: a repository of this run
    // is never stored.
    manager.settle(tree, host)?;
    if let Some(lists) = &own_lists {
        tree.write("etc/apt/sources.list.d/kiwi.sources", lists, 0o644)?;
    }
    let newest = upgraded?;
    let installed = manager.installed(tree, host)?;
    let epoch = epoch(newest, host)?.max(record.epoch);
    let record = Record { epoch, packages: digest(&installed), ..record.clone() };
    write_packages(&installed, tree)?;
    clean::clean(tree)?;
    let mut secrets = record.secrets;
    for secret in secrets::renew(tree, &|path| own.contains(path))? {
        secrets.retain(|known| known.what != secret.what);
        secrets.push(secret);
    }
    let record = Record { secrets, ..record };
    record.write(tree)?;
    tree.clamp_times(record.epoch)
}

/// Whether a folder of the description brings this file.
fn brought(path: &str, overlays: &[PathBuf]) -> bool {
    overlays.iter().any(|overlay| overlay.join(path).symlink_metadata().is_ok())
}

/// The folders every tree starts with; the base packages bring the rest.
fn skeleton(tree: &RootTree) -> Result<()> {
    tree.set_mode(".", 0o755)?;
    for (folder, mode) in [("proc", 0o555), ("sys", 0o555), ("dev", 0o755), ("run", 0o755), ("tmp", 0o1777)] {
        tree.create_dir(folder, mode)?;
        tree.set_mode(folder, mode)?;
    }
    Ok(())
}

/// `SOURCE_DATE_EPOCH`, else the date of the newest repository index: the same for everybody who builds from it.
fn epoch(newest: u64, host: &Host) -> Result<u64> {
    match host.variable("SOURCE_DATE_EPOCH") {
        Some(text) => text.trim().parse().with_context(|| format!("reading SOURCE_DATE_EPOCH=\"{text}\"")),
        None => Ok(newest),
    }
}

/// `config-yast.xml` makes YaST configure the system at its first boot (spec 3.4, step 9).
fn autoyast(plan: &PreparePlan, tree: &RootTree) -> Result<()> {
    let path = plan.source.join("config-yast.xml");
    if !path.is_file() {
        return Ok(());
    }
    let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    tree.write("var/lib/autoinstall/autoconf/autoconf.xml", text, 0o644)?;
    let line = "AutoYaST: http://192.168.100.99/part2.xml\n";
    match tree.exists("etc/install.inf") {
        true => tree.append("etc/install.inf", line)?,
        false => tree.write("etc/install.inf", line, 0o644)?,
    }
    tree.write("var/lib/YaST2/runme_at_boot", "", 0o644)
}

/// `config.sh`, then every script in `config/` that has the name of an installed package.
fn run_scripts(plan: &PreparePlan, tree: &RootTree, installed: &[Installed], host: &Host) -> Result<()> {
    let config_sh = plan.source.join("config.sh");
    if config_sh.is_file() {
        let stage = host.stage("Running config.sh");
        run_script(&config_sh, "config.sh", plan, tree, host)?;
        stage.finish();
    }
    let folder = plan.source.join("config");
    let mut names: Vec<String> = match folder.read_dir() {
        Ok(entries) => {
            entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect()
        }
        Err(_) => Vec::new(),
    };
    names.sort();
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        if !installed.iter().any(|package| package.name == *name) {
            host.warn(&format!("config/{name} is not run: no package {name} is installed"));
            continue;
        }
        let stage = host.stage(format!("Running config/{name}"));
        match run_script(&folder.join(name), &format!("config/{name}"), plan, tree, host) {
            Err(error) if error.is::<crate::script::ScriptFailed>() => host.warn(&format!("{error:#}")),
            other => other?,
        }
        stage.finish();
    }
    Ok(())
}

/// Copies a script of the description into the tree, runs it there and takes it out again.
fn run_script(
    path: &std::path::Path,
    name: &str,
    plan: &PreparePlan,
    tree: &RootTree,
    host: &Host,
) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let place = format!("{DESCRIPTION}/{name}");
    let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let mode =
        path.metadata().with_context(|| format!("reading {}", path.display()))?.permissions().mode() & 0o777;
    tree.write(&place, text, mode)?;
    let result = Script::at(&place, &path.display().to_string()).run(tree, plan.network, host);
    tree.remove(&place)?;
    result
}

fn digest(packages: &[Installed]) -> String {
    let mut digest = Sha256::new();
    for package in packages {
        digest.update(format!("{}={}:{}\n", package.name, package.version, package.architecture));
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn record(plan: &PreparePlan, epoch: u64, packages: &[Installed]) -> Record {
    Record {
        epoch,
        name: plan.name.clone(),
        version: plan.version.clone(),
        packages: digest(packages),
        profiles: plan.profiles.clone(),
        description: Some(plan.source.clone()),
        secrets: Vec::new(),
    }
}

/// Copies what `create` needs of the description to `image/`.
fn carry(plan: &PreparePlan, record: &Record, packages: &[Installed], tree: &RootTree) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    tree.write(format!("{DESCRIPTION}/config.xml"), &plan.description, 0o644)?;
    for name in CARRIED {
        let path = plan.source.join(name);
        if path.is_file() {
            let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            let mode = path.metadata()?.permissions().mode() & 0o755;
            tree.write(format!("{DESCRIPTION}/{name}"), bytes, mode)?;
        } else if path.is_dir() {
            for entry in path.read_dir().with_context(|| format!("reading {}", path.display()))? {
                let entry = entry?;
                let bytes = std::fs::read(entry.path())?;
                tree.write(
                    format!("{DESCRIPTION}/{name}/{}", entry.file_name().to_string_lossy()),
                    bytes,
                    0o644,
                )?;
            }
        }
    }
    write_packages(packages, tree)?;
    record.write(tree)
}

/// `image/packages`: name, version, architecture and licences of every package, separated by `|`.
fn write_packages(packages: &[Installed], tree: &RootTree) -> Result<()> {
    let lines = packages.iter().map(|package| {
        format!("{}|{}|{}|{}\n", package.name, package.version, package.architecture, package.licences)
    });
    tree.write(format!("{DESCRIPTION}/packages"), lines.collect::<String>(), 0o644)
}
