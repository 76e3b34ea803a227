//! Upgrades the packages of a prepared tree.

use anyhow::Result;
use description::Selection;

use super::{clean, finish, install, secrets};
use crate::context::Context;
use crate::host::StageTask;
use crate::package_manager::{ImageRepositories, ManagerFiles, PackagePath, PackagePlan};
use crate::record::Record;
use crate::repository;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::source::Files;

/// Upgrades the packages of a tree; changes nothing else.
pub fn upgrade(selection: &Selection, record: &Record, tree: &RootTree, context: &Context) -> Result<()> {
    let host = &context.host;
    let description = record.description.clone().unwrap_or_else(|| tree.path().join(DESCRIPTION));
    let description = Files::below(&description, &context.allowed);
    let repositories = repository::resolve(selection, &description, host)?;
    let packages = PackagePlan::new(selection, repositories, PackagePath::Plain)?;
    let manager = packages.manager();
    let facts = packages.distribution.facts();
    let own = secrets::present(facts.secrets, tree)?;
    let stage = host.stage(StageTask::ReadRepositories, "Reading the repositories");
    let files = ManagerFiles::beside(tree, host)?;
    manager.start(tree)?;
    let upgraded = install::refresh(manager.as_ref(), &files, &stage, context).and_then(|newest| {
        stage.finish();
        manager.upgrade(tree, &files, context)?;
        Ok(newest)
    });
    // Also after a failure.
    manager.finish(ImageRepositories::Keep, tree, host)?;
    let newest = upgraded?;
    let installed = manager.installed(tree, host)?;
    let epoch = finish::epoch(newest, host)?.max(record.epoch);
    let record = Record { epoch, packages: finish::digest(&installed), ..record.clone() };
    finish::write_packages(&installed, tree)?;
    clean::clean(&facts.leftovers, tree)?;
    let mut secrets = record.secrets;
    for secret in secrets::renew(facts.secrets, tree, &|path| own.contains(path))? {
        secrets.retain(|known| known.what != secret.what);
        secrets.push(secret);
    }
    let record = Record { secrets, ..record };
    record.write(tree)?;
    tree.clamp_times(record.epoch)
}
