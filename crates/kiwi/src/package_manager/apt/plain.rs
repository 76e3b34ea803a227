//! The plain package path: dpkg installs everything, in the order of apt-get. It is slow, and the reference for the native
//! path; upgrades use it, too.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::configuration::ARCHIVES;
use super::{Apt, DPKG_STATUS, EXTENDED_STATES, dpkg_deb};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::host::{Host, StageTask, printable};
use crate::package_manager::deb::check_control;
use crate::package_manager::dpkg::check_entries;
use crate::package_manager::{Layers, ManagerFiles, NewTree, Package, PackageManager, Resolution};
use crate::root_tree::{DESCRIPTION, RootTree};

impl Apt<'_> {
    /// Installs essential packages with dpkg, all others as apt-get decides.
    pub(super) fn install_plainly(&self, new: NewTree<'_>, layers: &mut dyn Layers) -> Result<()> {
        let NewTree { resolution, tree, files, context } = new;
        let host = &context.host;
        let Resolution { packages: everything, bootstrap: essential, replaced: _ } = resolution;
        self.provide_packages(everything, files, context)?;
        let stage = host.stage(
            StageTask::UnpackPackages,
            format!("Unpacking {}", printable::count(essential.len(), "bootstrap package")),
        );
        self.unpack_first(essential, tree, files, host)?;
        stage.finish();
        let stage = host.stage(
            StageTask::InstallPackages,
            format!("Installing {}", printable::count(everything.len(), "package")),
        );
        self.hold_back_services(tree)?;
        let names = essential.iter().map(|package| self.file_name(package));
        self.install_first(names, tree, files, host).context("installing the bootstrap packages")?;
        self.hold_back(tree, host)?;
        layers.end()?;
        self.copy_state(tree, files, host)?;
        self.install_fetched("install", &self.requested(resolution), tree, files, host)?;
        if !resolution.replaced.is_empty() {
            // apt was asked for each package by name.
            let others = everything.iter().filter(|package| !essential.contains(package));
            self.mark_automatic(others.map(|package| package.name.as_str()), tree)?;
        }
        self.release(tree, host)?;
        stage.finish();
        Ok(())
    }

    /// Upgrades all packages, then installs those that are new in the description.
    pub(super) fn upgrade_plainly(
        &self,
        tree: &RootTree,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<()> {
        let host = &context.host;
        let kept = self.plan.image.packages.iter().filter(|package| !self.removes(&package.name));
        let names: Vec<String> = kept.map(|package| package.name.to_string()).collect();
        self.hide_description(tree, files, host)?;
        self.hold_back(tree, host)?;
        let result = (|| {
            self.copy_state_with_deleted(tree, files, context)?;
            let newer = self.located(self.to_fetch(&[], "dist-upgrade", files, host)?)?;
            self.provide_packages(&newer, files, context)?;
            if !newer.is_empty() {
                let stage = host.stage(
                    StageTask::UpgradePackages,
                    format!("Upgrading {}", printable::count(newer.len(), "package")),
                );
                self.install_fetched("dist-upgrade", &[], tree, files, host)?;
                stage.finish();
            }
            self.copy_state_with_deleted(tree, files, context)?;
            let added = self.located(self.to_fetch(&names, "install", files, host)?)?;
            self.provide_packages(&added, files, context)?;
            if !added.is_empty() {
                let stage = host.stage(
                    StageTask::InstallPackages,
                    format!("Installing {}", printable::count(added.len(), "package")),
                );
                self.install_fetched("install", &names, tree, files, host)?;
                stage.finish();
            }
            Ok(())
        })();
        self.release(tree, host)?;
        result
    }

    /// Hides the description in the tree from the programs that run in it.
    fn hide_description(&self, tree: &RootTree, files: &ManagerFiles, host: &Host) -> Result<()> {
        let description = tree.path().join(DESCRIPTION);
        // A mount at a link would be somewhere else.
        if !description.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            bail!("/{DESCRIPTION} of the tree {} is not a directory", tree.path().display());
        }
        let empty = files.create_directory("empty", host)?;
        self.hiding.get_or_init(|| empty);
        Ok(())
    }

    /// Like `copy_state`; apt takes the packages that the plan deletes for installed.
    fn copy_state_with_deleted(
        &self,
        tree: &RootTree,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<()> {
        self.copy_state(tree, files, &context.host)?;
        files.write("state/status", self.with_deleted(tree, files, context)?, &context.host)
    }

    /// Copies dpkg's list of packages and the marks of apt out of the tree, for apt.
    pub(super) fn copy_state(&self, tree: &RootTree, files: &ManagerFiles, host: &Host) -> Result<()> {
        files.write("state/status", tree.read(DPKG_STATUS)?, host)?;
        match tree.exists(EXTENDED_STATES) {
            true => files.write("state/extended_states", tree.read(EXTENDED_STATES)?, host),
            false => Ok(()),
        }
    }

    /// Downloads packages and copies them to the archive directory of apt-get.
    fn provide_packages(&self, packages: &[Package], files: &ManagerFiles, context: &Context) -> Result<()> {
        let host = &context.host;
        let directory = files.path().join(ARCHIVES);
        for (package, fetched) in packages.iter().zip(self.fetch(packages, files, context)?) {
            let target = directory.join(self.file_name(package));
            host.copy_file(&fetched.path, &target)
                .with_context(|| format!("writing {}", target.display()))?;
            check(&target, files, host)?;
        }
        Ok(())
    }

    /// Unpacks the essential packages so that dpkg and a shell can run in the tree.
    fn unpack_first(
        &self,
        packages: &[Package],
        tree: &RootTree,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<()> {
        self.merge_directories(tree)?;
        let directory = files.path().join(ARCHIVES);
        let debs = packages.iter().map(|package| directory.join(self.file_name(package)));
        // A directory of a package never replaces a link of the tree (/lib remains a link to usr/lib) and does not
        // change an existing directory; dpkg does the same.
        let unpack = "for deb; do dpkg-deb --fsys-tarfile \"$deb\" | tar --extract --keep-directory-symlink \
                      --no-overwrite-dir --numeric-owner --directory \"$TREE\" || exit 1; done";
        host.command("sh")
            .args(["-e", "-c", unpack, "unpack"])
            .args(debs)
            .env("TREE", tree.path())
            .writable(tree.path())
            .run()
            .context("unpacking the essential packages")
    }
}

/// Rejects a package that would replace a part of dpkg's database. dpkg-deb reads it: it knows all compressions.
fn check(package: &Path, files: &ManagerFiles, host: &Host) -> Result<()> {
    let read = |option| dpkg_deb(files, host).arg(option).arg(package);
    let refused = || Failure::new(Kind::Damaged, format!("reading the package {}", package.display()));
    read("--ctrl-tarfile").run_read(|archive| Ok(check_control(archive)))?.with_context(refused)?;
    read("--fsys-tarfile").run_read(|archive| Ok(check_entries(archive)))?.with_context(refused)
}
