//! `kiwi lock`: writes `kiwi.lock` of a description without building, with everything that the repositories provide now or with
//! security updates only. `kiwi outdated` shows what it would change.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::outcome::Outcome;
use super::package_changes::{changes, with_security_updates};
use super::{build, load, locking, prepare};
use crate::context::Context;
use crate::failure::fail;
use crate::lock::{self, Lock, LockedPackage};
use crate::package_manager::inventory;
use crate::prepare::PrepareOptions;
use crate::record::Record;
use crate::root_tree::{DESCRIPTION, RootTree};

/// The description and what is written.
#[derive(Debug, Clone)]
pub struct Request {
    /// The build whose packages are locked. For [`Action::Outdated`] its description may also be a root tree.
    pub build: build::Request,
    /// What to do.
    pub action: Action,
}

/// What happens with the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Write the first lock.
    Create,
    /// Replace the versions in the lock by those that the repositories provide now.
    Update,
    /// The same with versions from repositories with security updates only.
    UpdateSecurity,
    /// Show what is not the version that the repositories provide now.
    Outdated,
}

/// Resolves the packages and compares or writes the lock.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let root = &request.build.description;
    if request.action == Action::Outdated && root.join(DESCRIPTION).join("kiwi.json").is_file() {
        return outdated_tree(root, context);
    }
    let source = load::open(&request.build.description, context)?;
    let path = source.directory().join(lock::FILE);
    let before = locking::read(&source)?;
    match (request.action, &before) {
        (Action::Create, Some(_)) => {
            fail!(Exists, "{} exists; 'kiwi lock --update' takes newer versions into it", path.display());
        }
        (Action::Update | Action::UpdateSecurity | Action::Outdated, None) => {
            fail!(File, "{} does not exist; 'kiwi lock' writes it", path.display());
        }
        (Action::Create, None) | (Action::Update | Action::UpdateSecurity | Action::Outdated, Some(_)) => {}
    }
    let now = build::resolve(&request.build, context)?;
    let before = before.unwrap_or_else(|| Lock::new(0, Vec::new()));
    let images: BTreeSet<&String> = now.packages.iter().map(|package| &package.image).collect();
    let relabelled = |image: &String| {
        let packages = before.of(image).into_iter().cloned();
        packages.map(|package| LockedPackage { image: image.clone(), ..package }).collect::<Vec<_>>()
    };
    let compared: Vec<LockedPackage> = images.iter().flat_map(|image| relabelled(image)).collect();
    let others = before.packages.iter().filter(|package| !images.contains(&package.image)).cloned();
    let chosen = match request.action {
        Action::UpdateSecurity => with_security_updates(&compared, &now.packages),
        Action::Create | Action::Update | Action::Outdated => now.packages.clone(),
    };
    let packages = changes(&compared, &chosen);
    if request.action == Action::Outdated {
        return Ok(Outcome::Outdated { packages });
    }
    if packages.is_empty() && !compared.is_empty() {
        return Ok(Outcome::Locked { file: path, packages });
    }
    let all = chosen.into_iter().chain(others).collect();
    locking::write(&Lock::new(before.epoch.max(now.epoch), all), &path, &context.host)?;
    Ok(Outcome::Locked { file: path, packages })
}

/// Compares the installed packages of a root tree with those that its description would install now.
fn outdated_tree(root: &Path, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let tree = RootTree::open(root)?;
    let record = Record::read(&tree)?;
    let loaded = load::load_prepared(&tree)?;
    let selection = load::select(&loaded, &record.profiles, None, &super::Overrides::default(), host)?;
    let work = host.temporary_work_directory().context("creating a directory to resolve packages in")?;
    let empty = RootTree::create(host, &work.path().join("root"))?;
    let mut plan = crate::prepare::plan(&selection, &loaded.source, PrepareOptions::default(), host)?;
    let decided = prepare::decide(&mut plan, &loaded.locking, &empty, context)?;
    let now = plan.locked(&decided, lock::SYSTEM);
    drop(empty);
    work.close().context("removing the directory for resolving packages")?;
    let installed = inventory(&tree, host)?;
    let provided = |name: &str, architecture: &str| {
        now.iter().find(|package| package.name == name && package.architecture == architecture)
    };
    let older = installed.iter().filter_map(|item| {
        let package = provided(&item.name, &item.architecture)?;
        (package.version != item.version).then(|| {
            let before =
                LockedPackage { version: item.version.clone(), sha256: String::new(), ..package.clone() };
            (before, package.clone())
        })
    });
    let (before, after): (Vec<_>, Vec<_>) = older.unzip();
    Ok(Outcome::Outdated { packages: changes(&before, &after) })
}
