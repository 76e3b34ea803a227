//! apt: the host's apt-get resolves and fetches, dpkg runs in the tree.
//!
//! ```text
//! refresh: source lists of ours -> apt-get update (signatures checked)
//! resolve: one resolution for everything
//! install: packages into the store -> essential ones unpacked and installed by dpkg
//!          -> everything else by apt-get, without network, services and initramfs generators
//! settle:  the image's own source lists, no trace of the build
//! ```
//!
//! Nothing of the host's apt configuration is read or written: every folder apt knows lies in the tree.

mod configuration;
mod output;

use anyhow::{Context, Result, bail};
use description::PackageSet;
use std::collections::BTreeSet;

use super::{Archive, Installed, PackageManager, PackagePlan, Resolution};
use crate::host::{Command, Host};
use crate::repository::with_public_archives;
use crate::root_tree::RootTree;
use crate::store::Store;
use output::{archives, release_date, resolve_error, update_error};

/// Our folder in the tree while we work.
pub(super) const WORK: &str = ".kiwi";
/// Programs that package scripts must not run during a build: kiwi makes the boot image itself.
const HELD_BACK: [&str; 2] = ["usr/sbin/update-initramfs", "usr/bin/dracut"];
/// What unusrmerged packages unpack into, and where that is today.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

pub(super) struct Apt<'a> {
    pub(super) plan: &'a PackagePlan,
}

impl<'a> Apt<'a> {
    pub(super) fn new(plan: &'a PackagePlan) -> Self {
        Self { plan }
    }

    /// `apt-get` of the host on the tree: the host is read-only for it, its configuration is ours.
    fn apt_get<'h>(&self, tree: &RootTree, host: &'h Host) -> Command<'h> {
        host.command("apt-get")
            .writable(tree.path())
            .needs_room(tree.path())
            .env("APT_CONFIG", tree.path().join(WORK).join("apt.conf"))
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("DEBCONF_NONINTERACTIVE_SEEN", "true")
            .env("DEBCONF_NOWARNINGS", "yes")
            .env("INITRD", "No")
    }

    /// The words that name everything to install.
    fn wanted(&self) -> Vec<String> {
        let names = |set: &PackageSet| {
            set.packages.iter().map(|package| package.name.to_string()).collect::<Vec<_>>()
        };
        let mut words = vec!["?essential".to_owned()];
        words.extend(names(&self.plan.bootstrap));
        words.extend(names(&self.plan.image));
        words
    }

    /// What apt would fetch to install `words` on the tree as it is.
    fn to_fetch(&self, words: &[String], action: &str, tree: &RootTree, host: &Host) -> Result<Vec<Archive>> {
        let command =
            self.apt_get(tree, host).args(["--yes", "--quiet=2", "--print-uris", action]).args(words);
        Ok(archives(&command.output().map_err(resolve_error)?))
    }

    /// Puts every archive into our folder: from the store, else from its repository and then into the store.
    fn fetch(&self, archives: &[Archive], tree: &RootTree, store: &Store, host: &Host) -> Result<()> {
        let folder = tree.path().join(WORK).join("archives");
        let mut missing = Vec::new();
        for archive in archives {
            match archive.sha256.as_deref().and_then(|digest| store.packages().find(digest)) {
                Some(path) => {
                    let target = folder.join(&archive.file);
                    host.copy_file(&path, &target)
                        .with_context(|| format!("writing {}", target.display()))?;
                }
                None => missing.push(archive),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let stage = host.stage(format!("Fetching {} packages", missing.len()));
        let mut command = host
            .command("/usr/lib/apt/apt-helper")
            .arg("download-file")
            .writable(tree.path())
            .needs_room(tree.path())
            .env("APT_CONFIG", tree.path().join(WORK).join("apt.conf"))
            .network();
        for archive in &missing {
            let hash = archive.sha256.as_ref().map_or_else(String::new, |digest| format!("SHA256:{digest}"));
            command = command.arg(&archive.uri).arg(folder.join(&archive.file)).arg(hash);
        }
        command.run().map_err(|error| update_error(error, "the packages"))?;
        for archive in &missing {
            if let Some(digest) = &archive.sha256
                && !store.packages().keep(digest, &folder.join(&archive.file), host)?
            {
                bail!(
                    "the package {} does not have the digest its repository names; fetch again",
                    archive.uri
                );
            }
        }
        stage.finish();
        Ok(())
    }

    /// Unpacks the essential packages so that dpkg and a shell can run in the tree.
    fn unpack(&self, archives: &[Archive], tree: &RootTree, host: &Host) -> Result<()> {
        for name in MERGED {
            tree.create_dir(format!("usr/{name}"), 0o755)?;
            tree.symlink(name, format!("usr/{name}"))?;
        }
        let folder = tree.path().join(WORK).join("archives");
        let files = archives.iter().map(|archive| folder.join(&archive.file));
        // A folder of a package never replaces a link of the tree: /lib stays a link to usr/lib.
        let unpack = "for deb; do dpkg-deb --fsys-tarfile \"$deb\" | tar --extract --keep-directory-symlink \
                      --numeric-owner --directory \"$TREE\" || exit 1; done";
        host.command("sh")
            .args(["-e", "-c", unpack, "unpack"])
            .args(files)
            .env("TREE", tree.path())
            .writable(tree.path())
            .run()
            .context("unpacking the essential packages")
    }

    /// dpkg in the tree.
    fn dpkg<'h>(&self, tree: &RootTree, host: &'h Host) -> Command<'h> {
        tree.command(host, "/usr/bin/dpkg")
            .arg("--force-unsafe-io")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("DEBCONF_NONINTERACTIVE_SEEN", "true")
            .env("DEBCONF_NOWARNINGS", "yes")
            .env("INITRD", "No")
            .env("DPKG_MAINTSCRIPT_DEBUG", "0")
    }

    /// No services start, no initramfs is built, until `release`.
    fn hold_back(&self, tree: &RootTree, host: &Host) -> Result<()> {
        tree.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)?;
        for path in HELD_BACK {
            tree.command(host, "/usr/bin/dpkg-divert")
                .args(["--quiet", "--local", "--no-rename", "--add", "--divert"])
                .arg(format!("/{path}.kiwi"))
                .arg(format!("/{path}"))
                .run()?;
            if tree.exists(path) {
                let program = tree.read(path)?;
                tree.write(format!("{path}.kiwi"), program, 0o755)?;
            }
            tree.write(path, "#!/bin/sh\nexit 0\n", 0o755)?;
        }
        Ok(())
    }

    fn release(&self, tree: &RootTree, host: &Host) -> Result<()> {
        tree.remove("usr/sbin/policy-rc.d")?;
        for path in HELD_BACK {
            tree.remove(path)?;
            tree.command(host, "/usr/bin/dpkg-divert")
                .args(["--quiet", "--local", "--rename", "--remove"])
                .arg(format!("/{path}"))
                .run()?;
        }
        Ok(())
    }

    /// Installs what is fetched already: no network, the tree's `/proc` and `/dev` are the sandbox's.
    fn install_fetched(&self, action: &[&str], words: &[String], tree: &RootTree, host: &Host) -> Result<()> {
        for folder in ["proc", "dev", "run"] {
            tree.create_dir(folder, 0o755)?;
        }
        self.apt_get(tree, host)
            .args(["--yes", "--quiet=1", "--no-download"])
            .args(action)
            .args(words)
            .bind("/dev", tree.path().join("dev"), false)
            .bind("/proc", tree.path().join("proc"), false)
            .run()
            .map_err(resolve_error)
            .context("installing the packages")
    }
}

impl PackageManager for Apt<'_> {
    fn refresh(&self, tree: &RootTree, host: &Host) -> Result<u64> {
        self.configure(tree, host)?;
        self.apt_get(tree, host)
            .env("TMPDIR", tree.path().join(WORK))
            .args(["--quiet=1", "update"])
            .network()
            .run()
            .map_err(|error| update_error(error, "the indices of the repositories"))?;
        let lists = tree.list("var/lib/apt/lists")?;
        let releases = lists.iter().filter(|name| name.ends_with("Release"));
        let dates = releases
            .filter_map(|name| release_date(&tree.read_text(format!("var/lib/apt/lists/{name}")).ok()?));
        Ok(dates.max().unwrap_or_else(|| host.now()))
    }

    fn resolve(&self, tree: &RootTree, host: &Host) -> Result<Resolution> {
        let everything = self.to_fetch(&self.wanted(), "install", tree, host)?;
        let mut first = vec!["?essential".to_owned()];
        first.extend(self.plan.bootstrap.packages.iter().map(|package| package.name.to_string()));
        let bootstrap = self.to_fetch(&first, "install", tree, host)?;
        let chosen: BTreeSet<&str> = everything.iter().map(|archive| archive.file.as_str()).collect();
        // One resolution decides: a version the whole set does not have is not bootstrapped either.
        let bootstrap =
            bootstrap.iter().filter(|archive| chosen.contains(archive.file.as_str())).cloned().collect();
        Ok(Resolution { archives: everything, bootstrap })
    }

    fn install(&self, resolution: &Resolution, tree: &RootTree, store: &Store, host: &Host) -> Result<()> {
        let Resolution { archives: everything, bootstrap: essential } = resolution;
        let words = self.wanted();
        self.fetch(everything, tree, store, host)?;
        let stage = host.stage(format!("Unpacking {} bootstrap packages", essential.len()));
        self.unpack(essential, tree, host)?;
        stage.finish();
        let stage = host.stage(format!("Installing {} packages", everything.len()));
        tree.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)?;
        let files = essential.iter().map(|archive| format!("/{WORK}/archives/{}", archive.file));
        self.dpkg(tree, host)
            .args(["--force-depends", "--install"])
            .args(files)
            .run()
            .context("installing the bootstrap packages")?;
        self.hold_back(tree, host)?;
        self.install_fetched(&["install"], &words[1..], tree, host)?;
        self.release(tree, host)?;
        stage.finish();
        Ok(())
    }

    fn upgrade(&self, tree: &RootTree, store: &Store, host: &Host) -> Result<()> {
        let names: Vec<String> =
            self.plan.image.packages.iter().map(|package| package.name.to_string()).collect();
        self.hold_back(tree, host)?;
        let result = (|| {
            let newer = self.to_fetch(&[], "dist-upgrade", tree, host)?;
            self.fetch(&newer, tree, store, host)?;
            if !newer.is_empty() {
                let stage = host.stage(format!("Upgrading {} packages", newer.len()));
                self.install_fetched(&["dist-upgrade"], &[], tree, host)?;
                stage.finish();
            }
            let added = self.to_fetch(&names, "install", tree, host)?;
            self.fetch(&added, tree, store, host)?;
            if !added.is_empty() {
                let stage = host.stage(format!("Installing {} packages", added.len()));
                self.install_fetched(&["install"], &names, tree, host)?;
                stage.finish();
            }
            Ok(())
        })();
        self.release(tree, host)?;
        result
    }

    fn delete(&self, tree: &RootTree, host: &Host) -> Result<()> {
        let installed = self.installed(tree, host)?;
        let present: Vec<&str> = self
            .plan
            .delete
            .iter()
            .map(description::PackageName::as_str)
            .filter(|name| installed.iter().any(|package| package.name == *name))
            .collect();
        for name in self.plan.delete.iter().filter(|name| !present.contains(&name.as_str())) {
            host.warn(&format!("the package {name} is to be deleted and was never installed"));
        }
        if present.is_empty() {
            return Ok(());
        }
        self.dpkg(tree, host)
            .args(["--purge", "--force-depends", "--force-remove-essential"])
            .args(present)
            .run()
            .context("deleting packages")
    }

    fn installed(&self, tree: &RootTree, _host: &Host) -> Result<Vec<Installed>> {
        let status = tree.read_text("var/lib/dpkg/status")?;
        let mut packages: Vec<Installed> = status
            .split("\n\n")
            .filter_map(|paragraph| {
                let field =
                    |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                field("Status:")?.ends_with(" installed").then_some(())?;
                let name = field("Package:")?.to_owned();
                Some(Installed {
                    version: field("Version:")?.to_owned(),
                    architecture: field("Architecture:")?.to_owned(),
                    licences: licences(tree, &name),
                    name,
                })
            })
            .collect();
        packages.sort();
        Ok(packages)
    }

    fn tidy(&self, tree: &RootTree, _host: &Host) -> Result<()> {
        for folder in ["var/lib/apt/lists", "var/cache/apt/archives"] {
            for name in tree.list(folder)? {
                tree.remove(format!("{folder}/{name}"))?;
            }
        }
        for file in ["var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin", "var/lib/dpkg/lock"] {
            tree.remove(file)?;
        }
        Ok(())
    }

    fn settle(&self, tree: &RootTree, host: &Host) -> Result<()> {
        tree.remove(WORK)?;
        self.tidy(tree, host)?;
        let own: Vec<&str> =
            self.plan.repositories.iter().filter_map(|repository| repository.in_image.as_deref()).collect();
        if !own.is_empty() && tree.exists("etc/apt") {
            tree.remove("etc/apt/sources.list")?;
            if let Some(lists) = with_public_archives(&own.join("\n"), |path| tree.read_text(path).ok()) {
                tree.write("etc/apt/sources.list.d/kiwi.sources", lists, 0o644)?;
            }
        }
        Ok(())
    }
}

/// The licences a package declares in the machine-readable form of its copyright file.
fn licences(tree: &RootTree, package: &str) -> String {
    let text = tree.read_text(format!("usr/share/doc/{package}/copyright")).unwrap_or_default();
    let names = text.lines().filter_map(|line| line.strip_prefix("License:")).map(str::trim);
    let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
    match names.is_empty() {
        true => "unknown".to_owned(),
        false => names.into_iter().collect::<Vec<_>>().join(", "),
    }
}
