//! Upgrades a prepared tree: newer packages first, then packages that are new in the description.

use anyhow::{Context as _, Result, bail};

use super::runtime::Runtime;
use super::solver::{Action, ROOT, Request};
use super::transaction::Transaction;
use super::{Rpm, catalogue, database};
use crate::context::Context;
use crate::host::{Host, StageTask, printable};
use crate::package_manager::{ManagerFiles, Package, PackageManager as _};
use crate::root_tree::{DESCRIPTION, RootTree};

impl Rpm<'_> {
    /// Upgrades all packages, then installs those that are new in the description.
    pub(super) fn upgrade_tree(
        &self,
        tree: &RootTree,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<()> {
        let host = &context.host;
        database::check_form(tree)?;
        let runtime = Runtime::provide(self.scripts(), files, host)?;
        let hidden = Some(self.hide_description(tree, files, host)?);
        let transaction = Transaction { hidden, ..self.transaction(&runtime, tree, host) };
        let image = self.request(&[&self.plan.bootstrap, &self.plan.image]);
        let newer =
            Request { action: Action::Upgrade, packages: Vec::new(), patterns: Vec::new(), ..image.clone() };
        let task = (StageTask::UpgradePackages, "Upgrading");
        self.apply(&newer, task, &transaction, files, context)?;
        let added = self.added(image, tree, host)?;
        if added.is_empty() {
            return Ok(());
        }
        self.apply(&added, (StageTask::InstallPackages, "Installing"), &transaction, files, context)
    }

    /// Limits a request to what the tree lacks, without packages that the plan removes. What is installed is not asked for again:
    /// the solver would bring back a deleted package that it needs.
    fn added(&self, request: Request, tree: &RootTree, host: &Host) -> Result<Request> {
        let installed = self.installed(tree, host)?;
        let removed: Vec<&str> = self
            .plan
            .uninstall
            .iter()
            .chain(&self.plan.delete)
            .map(description::PackageName::as_str)
            .collect();
        let packages = request.packages.into_iter().filter(|name| {
            !installed.iter().any(|package| package.name == *name) && !removed.contains(&name.as_str())
        });
        Ok(Request { packages: packages.collect(), ..request })
    }

    /// Asks the solver about the packages of the tree, and makes the changes.
    fn apply(
        &self,
        request: &Request,
        (task, verb): (StageTask, &str),
        transaction: &Transaction<'_>,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<()> {
        let host = &context.host;
        self.read_repositories(files, context)?;
        copy_database(transaction.tree, files, host)?;
        let changes = self.solver.solve(request, self.session(files, host))?;
        let mut found = catalogue::find(&changes.install, self, files)?;
        self.identify(&mut found, files, context)?;
        let packages: Vec<Package> = found.into_iter().map(|found| found.package).collect();
        let fetched = self.fetch(&packages, files, context)?;
        self.check_signatures(&packages, &fetched, files, context)?;
        if !packages.is_empty() || !changes.remove.is_empty() {
            let stage = host.stage(task, format!("{verb} {}", printable::count(packages.len(), "package")));
            if !changes.remove.is_empty() {
                let names: Vec<&str> = changes.remove.iter().map(String::as_str).collect();
                transaction.erase(&names)?;
            }
            transaction.install(&packages, &fetched, &stage)?;
            stage.finish();
        }
        fetched.close()
    }

    /// Returns an empty directory that programs of the tree see instead of its description.
    fn hide_description(
        &self,
        tree: &RootTree,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<std::path::PathBuf> {
        let description = tree.path().join(DESCRIPTION);
        // A mount at a link would be somewhere else.
        if !description.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            bail!("/{DESCRIPTION} of the tree {} is not a directory", tree.path().display());
        }
        files.create_directory("empty", host)
    }
}

/// Copies the database of the tree to the root directory of the solver.
pub(super) fn copy_database(tree: &RootTree, files: &ManagerFiles, host: &Host) -> Result<()> {
    let Some(path) = database::path(tree) else { return Ok(()) };
    for name in [database::SQLITE, "rpmdb.sqlite-wal"] {
        let to = format!("{ROOT}/{}/{name}", database::DEFAULT);
        if let Ok(bytes) = tree.read(format!("{path}/{name}")) {
            files.write(&to, bytes, host)?;
        }
    }
    let old = files.path().join("solv/@System");
    match old.exists() {
        true => host.remove_tree(&old).context("removing the solver's list of packages"),
        false => Ok(()),
    }
}
