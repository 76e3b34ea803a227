//! The plain package path: dpkg and apt-get do everything. It is slow, and the reference for the native path; upgrades
//! use it, too.

use anyhow::{Context as _, Result};

use super::output::resolve_error;
use super::{Apt, WORK};
use crate::context::Context;
use crate::host::{Host, StageTask};
use crate::package_manager::{Package, PackageManager, Resolution};
use crate::root_tree::RootTree;

impl Apt<'_> {
    /// Installs essential packages with dpkg, all others with apt-get.
    pub(super) fn install_plainly(
        &self,
        resolution: &Resolution,
        tree: &RootTree,
        context: &Context,
    ) -> Result<()> {
        let host = &context.host;
        let Resolution { packages: everything, bootstrap: essential } = resolution;
        self.provide_packages(everything, tree, context)?;
        let stage = host
            .stage(StageTask::UnpackPackages, format!("Unpacking {} bootstrap packages", essential.len()));
        self.unpack_first(essential, tree, host)?;
        stage.finish();
        let stage =
            host.stage(StageTask::InstallPackages, format!("Installing {} packages", everything.len()));
        self.hold_back_services(tree)?;
        let files = essential.iter().map(|package| format!("/{WORK}/archives/{}", self.file_name(package)));
        self.dpkg(tree, host)
            .args(["--force-depends", "--install"])
            .args(files)
            .run()
            .context("installing the bootstrap packages")?;
        self.hold_back(tree, host)?;
        // apt writes a temporary file when it reads the lists, and later runs in a view with another temporary
        // directory. This call makes it read them now, in case the resolution came from the cache.
        self.to_fetch(&self.wanted()[1..], "install", tree, host)?;
        self.install_fetched(&["install"], &self.wanted()[1..], tree, host)?;
        self.release(tree, host)?;
        stage.finish();
        Ok(())
    }

    /// Upgrades all packages, then installs those that are new in the description.
    pub(super) fn upgrade_plainly(&self, tree: &RootTree, context: &Context) -> Result<()> {
        let host = &context.host;
        let names: Vec<String> =
            self.plan.image.packages.iter().map(|package| package.name.to_string()).collect();
        self.hold_back(tree, host)?;
        let result = (|| {
            let newer = self.to_fetch(&[], "dist-upgrade", tree, host)?;
            self.provide_packages(&newer, tree, context)?;
            if !newer.is_empty() {
                let stage =
                    host.stage(StageTask::UpgradePackages, format!("Upgrading {} packages", newer.len()));
                self.install_fetched(&["dist-upgrade"], &[], tree, host)?;
                stage.finish();
            }
            let added = self.to_fetch(&names, "install", tree, host)?;
            self.provide_packages(&added, tree, context)?;
            if !added.is_empty() {
                let stage =
                    host.stage(StageTask::InstallPackages, format!("Installing {} packages", added.len()));
                self.install_fetched(&["install"], &names, tree, host)?;
                stage.finish();
            }
            Ok(())
        })();
        self.release(tree, host)?;
        result
    }

    /// Downloads packages and copies them to the archive directory of apt-get.
    fn provide_packages(&self, packages: &[Package], tree: &RootTree, context: &Context) -> Result<()> {
        let host = &context.host;
        let directory = tree.path().join(WORK).join("archives");
        for (package, fetched) in packages.iter().zip(self.fetch(packages, tree, context)?) {
            let target = directory.join(self.file_name(package));
            if fetched.path != target {
                host.copy_file(&fetched.path, &target)
                    .with_context(|| format!("writing {}", target.display()))?;
            }
        }
        Ok(())
    }

    /// Unpacks the essential packages so that dpkg and a shell can run in the tree.
    fn unpack_first(&self, packages: &[Package], tree: &RootTree, host: &Host) -> Result<()> {
        self.merge_directories(tree)?;
        let directory = tree.path().join(WORK).join("archives");
        let files = packages.iter().map(|package| directory.join(self.file_name(package)));
        // A directory of a package never replaces a link of the tree (/lib remains a link to usr/lib) and does not
        // change an existing directory; dpkg does the same.
        let unpack = "for deb; do dpkg-deb --fsys-tarfile \"$deb\" | tar --extract --keep-directory-symlink \
                      --no-overwrite-dir --numeric-owner --directory \"$TREE\" || exit 1; done";
        host.command("sh")
            .args(["-e", "-c", unpack, "unpack"])
            .args(files)
            .env("TREE", tree.path())
            .writable(tree.path())
            .run()
            .context("unpacking the essential packages")
    }

    /// Installs packages that have been fetched, without network; `/proc` and `/dev` are those of the sandbox.
    fn install_fetched(
        &self,
        action: &[&str],
        wanted: &[String],
        tree: &RootTree,
        host: &Host,
    ) -> Result<()> {
        for directory in ["proc", "dev", "run"] {
            tree.create_dir(directory, 0o755)?;
        }
        self.apt_get(tree, host)
            .args(["--yes", "--quiet=1", "--no-download"])
            .args(action)
            .args(wanted)
            .bind("/dev", tree.path().join("dev"), false)
            .bind("/proc", tree.path().join("proc"), false)
            .run()
            .map_err(resolve_error)
            .context("installing the packages")
    }
}
