//! The configuration of apt for one tree: kiwi's directory and source lists, and no file of the host.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use description::{PatternType, RepositoryType};

use super::output::update_error;
use super::preferences::{is_directory, label};
use super::{Apt, WORK};
use crate::host::{Host, Warning};
use crate::repository::{Resolved, SigningKey};
use crate::root_tree::RootTree;
use crate::stage::Digest;

impl Apt<'_> {
    /// Writes apt's configuration and source lists to kiwi's directory in the tree.
    pub(super) fn configure(&self, tree: &RootTree, host: &Host) -> Result<()> {
        for directory in [
            "etc/apt.conf.d",
            "etc/preferences.d",
            "etc/sources.list.d",
            "etc/auth.conf.d",
            "etc/trusted.gpg.d",
        ] {
            tree.create_dir(format!("{WORK}/{directory}"), 0o755)?;
        }
        tree.create_dir(format!("{WORK}/archives/partial"), 0o755)?;
        tree.create_dir("var/lib/apt/lists/partial", 0o755)?;
        tree.create_dir("var/lib/dpkg", 0o755)?;
        if !tree.exists("var/lib/dpkg/status") {
            tree.write("var/lib/dpkg/status", "", 0o644)?;
        }
        tree.write(format!("{WORK}/apt.conf"), self.apt_conf(tree.path()), 0o644)?;
        let mut text = String::new();
        for (index, repository) in self.build_repositories() {
            text += &self.source(repository, index, tree, host)?;
            text.push('\n');
        }
        tree.write(format!("{WORK}/etc/sources.list.d/kiwi.sources"), text, 0o644)?;
        self.write_preferences(tree)
    }

    pub(super) fn apt_conf(&self, tree: &Path) -> String {
        let tree = tree.display();
        let architecture = &self.plan.architecture;
        let recommends = self.plan.image.pattern_type != PatternType::OnlyRequired;
        format!(
            "APT::Architecture \"{architecture}\";\n\
             APT::Architectures {{ \"{architecture}\"; }};\n\
             APT::Install-Recommends \"{recommends}\";\n\
             APT::Install-Suggests \"false\";\n\
             APT::Sandbox::User \"root\";\n\
             APT::Update::Error-Mode \"any\";\n\
             Acquire::Languages \"none\";\n\
             Acquire::Retries \"2\";\n\
             Acquire::http::Timeout \"30\";\n\
             Acquire::https::Timeout \"30\";\n\
             Acquire::ForceHash \"sha256\";\n\
             Dir \"{tree}/\";\n\
             Dir::State::status \"{tree}/var/lib/dpkg/status\";\n\
             Dir::Cache \"{tree}/{WORK}/\";\n\
             Dir::Cache::archives \"{tree}/{WORK}/archives/\";\n\
             Dir::Etc \"{tree}/{WORK}/etc/\";\n\
             Dir::Log \"{tree}/{WORK}/\";\n\
             Dir::Bin::methods \"/usr/lib/apt/methods\";\n\
             DPkg::Chroot-Directory \"{tree}\";\n\
             DPkg::Options:: \"--force-unsafe-io\";\n\
             DPkg::Options:: \"--force-confdef\";\n\
             DPkg::Options:: \"--force-confold\";\n\
             DPkg::Use-Pty \"false\";\n"
        )
    }

    /// Returns the deb822 paragraph of one repository; copies its key to kiwi's directory, and the index of a directory
    /// of packages.
    fn source(&self, repository: &Resolved, index: usize, tree: &RootTree, host: &Host) -> Result<String> {
        let location = match (&repository.kind, repository.location.starts_with('/')) {
            _ if is_directory(repository) => self.index_directory(repository, index, tree, host)?,
            (RepositoryType::AptDeb, true) => format!("copy:{}", repository.location),
            (RepositoryType::AptDeb, false) => repository.location.clone(),
            (kind, _) => bail!(
                "the repository {} is of type {kind:?}, which apt does not support; use apt-deb or, for a local \
                 directory of packages, deb-dir",
                repository.location
            ),
        };
        let mut text = format!("Types: deb\nURIs: {location}\nSuites: {}\n", repository.suites.join(" "));
        if !repository.components.is_empty() {
            text += &format!("Components: {}\n", repository.components.join(" "));
        }
        if !repository.architectures.is_empty() {
            text += &format!("Architectures: {}\n", repository.architectures.join(" "));
        }
        if !repository.checked || repository.kind == RepositoryType::DebDir {
            text += "Trusted: yes\n";
        } else if !repository.keys.is_empty() {
            let mut keys = Vec::new();
            for (number, key) in repository.keys.iter().enumerate() {
                keys.push(match key {
                    SigningKey::File(path) => path.display().to_string(),
                    SigningKey::Url(url) => {
                        self.fetch_key(url, &format!("{index}-{number}"), tree, host)?.display().to_string()
                    }
                });
            }
            text += &format!("Signed-By: {}\n", keys.join(" "));
        }
        if let Some((user, password)) = &repository.credentials {
            let machine = repository.location.split('/').nth(2).unwrap_or_default();
            let entry = format!("machine {machine} login {user} password {password}\n");
            tree.write(format!("{WORK}/etc/auth.conf.d/{index}.conf"), entry, 0o600)?;
        }
        Ok(text)
    }

    /// Fetches a signing key into kiwi's directory; apt recognises armoured and binary keys by the file extension.
    fn fetch_key(&self, url: &str, name: &str, tree: &RootTree, host: &Host) -> Result<PathBuf> {
        if url.starts_with("http://") || url.starts_with("ftp://") {
            host.warn(Warning::Repository, &format!(
                "the signing key {url} cannot be trusted without an authenticated connection; use https, or a file"
            ));
        }
        let fetched = format!("{WORK}/etc/{name}.key");
        host.command("/usr/lib/apt/apt-helper")
            .arg("download-file")
            .arg(url)
            .arg(tree.path().join(&fetched))
            .env("APT_CONFIG", tree.path().join(WORK).join("apt.conf"))
            .writable(tree.path())
            .needs_room(tree.path())
            .network()
            .run()
            .map_err(|error| update_error(error, "the signing key"))
            .with_context(|| format!("fetching the signing key {url}"))?;
        let text = tree.read(&fetched)?;
        let ending = if text.starts_with(b"-----BEGIN PGP") { "asc" } else { "gpg" };
        let location = format!("{WORK}/etc/{name}.{ending}");
        tree.write(&location, text, 0o644)?;
        Ok(tree.path().join(location))
    }

    /// Creates an index for a directory of `.deb` files inside the tree; the directory itself is not changed.
    fn index_directory(
        &self,
        repository: &Resolved,
        index: usize,
        tree: &RootTree,
        host: &Host,
    ) -> Result<String> {
        let directory = Path::new(&repository.location);
        let location = format!("{WORK}/repository-{index}");
        tree.create_dir(&location, 0o755)?;
        let mut entries: Vec<PathBuf> = directory
            .read_dir()
            .with_context(|| format!("reading the repository {}", directory.display()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .collect();
        entries.sort();
        let mut text = String::new();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let control = host
                .command("dpkg-deb")
                .args(["--field"])
                .arg(&path)
                .env("TMPDIR", tree.path().join(WORK))
                .writable(tree.path())
                .output()?;
            let size = path.metadata()?.len();
            let digest = crate::cache::digest_of(&path)?;
            text +=
                &format!("{}\nFilename: ./{name}\nSize: {size}\nSHA256: {digest}\n\n", control.trim_end());
            tree.symlink(format!("{location}/{name}"), &path)?;
        }
        // A pin refers to the repository by the label in this release file.
        let release =
            format!("Label: {}\nSHA256:\n {} {} Packages\n", label(index), Digest::of(&text), text.len());
        tree.write(format!("{location}/Release"), release, 0o644)?;
        tree.write(format!("{location}/Packages"), text, 0o644)?;
        Ok(format!("copy:{}", tree.path().join(location).display()))
    }
}
