//! The configuration of apt for one tree: kiwi's files and source lists, and no file of the host or of the tree.
//!
//! ```text
//! apt.conf, etc/       configuration, preferences, source lists, passwords
//! keys/                signing keys
//! repositories/N       a link to a local repository, or the index of a directory of packages
//! state/, cache/       indices, dpkg's list of packages; archives for dpkg
//! dpkg, calls          the program that apt-get calls, and what it noted
//! arriving/            packages that are being downloaded
//! ```
//!
//! apt sees these files at [`VIEW`]: its configuration contains no other path, whatever the paths of the destination, the
//! description, the cache or a repository are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use description::{PatternType, RepositoryType};

use super::preferences::{is_directory, label};
use super::recorder::recorder;
use super::{Apt, apt_program, dpkg_deb};
use crate::failure::fail;
use crate::host::{Host, Warning};
use crate::package_manager::ManagerFiles;
use crate::repository::{Proxies, Resolved, SigningKey, public_key, read_key};
use crate::stage::Digest;

/// The path of [`ManagerFiles`] in the view of apt. Every system has this directory, and apt does not need it.
pub(super) const VIEW: &str = "/sys";
pub(super) const LISTS: &str = "state/lists";
/// The packages that dpkg installs.
pub(super) const ARCHIVES: &str = "cache/archives";
pub(super) const CALLS: &str = "calls";
/// The mount point of the directory in which packages arrive.
pub(super) const ARRIVING: &str = "arriving";
/// The directory of local repositories.
pub(super) const REPOSITORIES: &str = "repositories";
/// The hosts that are reached without a proxy.
pub(super) const NO_PROXY: &str = "no_proxy";
pub(super) const SOURCES: &str = "etc/sources.list.d/kiwi.sources";

/// Fields of an index that a package must not have itself.
const INDEX_FIELDS: [&str; 6] = ["Filename", "Size", "MD5sum", "SHA1", "SHA256", "SHA512"];
const DIRECTORIES: [&str; 12] = [
    "etc/apt.conf.d",
    "etc/preferences.d",
    "etc/sources.list.d",
    "etc/auth.conf.d",
    "etc/trusted.gpg.d",
    "keys",
    REPOSITORIES,
    "state/lists/partial",
    "cache/archives/partial",
    "log",
    "tmp",
    ARRIVING,
];

impl Apt<'_> {
    /// Writes apt's configuration and source lists.
    pub(super) fn configure(&self, files: &ManagerFiles, host: &Host) -> Result<()> {
        self.prepare_files(files, host)?;
        let mut text = String::new();
        let mut trusts: Vec<(&Resolved, String)> = Vec::new();
        for (index, repository) in self.build_repositories() {
            let configuring = || format!("configuring the repository {:?}", repository.location);
            let trust = self.trust(repository, index, files, host).with_context(configuring)?;
            check_trust(repository, &trust, &trusts)?;
            text += &self.source(repository, index, files, host).with_context(configuring)?;
            text += &trust;
            text.push('\n');
            trusts.push((repository, trust));
        }
        files.write(SOURCES, text, host)?;
        self.write_preferences(files, host)
    }

    /// Writes the configuration without any repository.
    pub(super) fn prepare_files(&self, files: &ManagerFiles, host: &Host) -> Result<()> {
        for directory in DIRECTORIES {
            files.create_directory(directory, host)?;
        }
        files.write("state/status", "", host)?;
        files.write("apt.conf", self.apt_conf()?, host)?;
        let proxies = Proxies::read(host)?;
        let locations = self.build_repositories().flat_map(|(_, repository)| {
            let keys = repository.keys.iter().filter_map(|key| match key {
                SigningKey::Url(url) => Some(url.as_str()),
                SigningKey::File(_) => None,
            });
            keys.chain([repository.location.as_str()])
        });
        files.write("etc/apt.conf.d/proxy.conf", proxies.apt_conf(locations), host)?;
        files.write(NO_PROXY, proxies.no_proxy(), host)?;
        files.write("dpkg", recorder(&format!("{VIEW}/{CALLS}")), host)?;
        host.make_executable(&files.path().join("dpkg")).context("making the recorder of apt executable")
    }

    pub(super) fn apt_conf(&self) -> Result<String> {
        let architecture = &self.plan.architecture;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if architecture.is_empty() || !architecture.chars().all(plain) {
            bail!("{architecture:?} is not the name of an architecture");
        }
        let recommends = self.plan.image.pattern_type != PatternType::OnlyRequired;
        Ok(format!(
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
             Dir \"{VIEW}/\";\n\
             Dir::State \"{VIEW}/state/\";\n\
             Dir::State::lists \"{VIEW}/{LISTS}/\";\n\
             Dir::State::status \"{VIEW}/state/status\";\n\
             Dir::Cache \"{VIEW}/cache/\";\n\
             Dir::Cache::archives \"{VIEW}/{ARCHIVES}/\";\n\
             Dir::Etc \"{VIEW}/etc/\";\n\
             Dir::Log \"{VIEW}/log/\";\n\
             Dir::Bin::methods \"/usr/lib/apt/methods\";\n\
             Dir::Bin::dpkg \"{VIEW}/dpkg\";\n\
             DPkg::Install::Recursive \"false\";\n\
             DPkg::Install::Recursive::Force \"true\";\n\
             DPkg::Options:: \"--force-unsafe-io\";\n\
             DPkg::Options:: \"--force-confdef\";\n\
             DPkg::Options:: \"--force-confold\";\n\
             DPkg::Use-Pty \"false\";\n"
        ))
    }

    /// Returns the URI by which apt finds a repository.
    pub(super) fn uri(&self, repository: &Resolved, index: usize) -> String {
        match repository.location.starts_with('/') {
            true => format!("copy:{VIEW}/{REPOSITORIES}/{index}"),
            false => repository.location.clone(),
        }
    }

    /// Returns the deb822 paragraph of one repository; writes its keys, its password, and the index of a directory of
    /// packages.
    fn source(
        &self,
        repository: &Resolved,
        index: usize,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<String> {
        match (&repository.kind, repository.location.starts_with('/')) {
            _ if is_directory(repository) => index_directory(repository, index, files, host)?,
            (RepositoryType::AptDeb, true) => {
                let link = files.path().join(REPOSITORIES).join(index.to_string());
                host.link(&repository.location, &link)
                    .with_context(|| format!("creating the link {}", link.display()))?;
            }
            (RepositoryType::AptDeb, false) => {}
            (kind, _) => fail!(
                InvalidDescription,
                "the repository {} is of type {kind:?}, which apt does not support; use apt-deb or, for a local \
                 directory of packages, deb-dir",
                repository.location
            ),
        }
        let uri = self.uri(repository, index);
        let uri = one_word(&uri, "URL")?;
        let list = |values: &[String], what: &str| -> Result<String> {
            values.iter().try_for_each(|value| one_line(value, what))?;
            Ok(values.join(" "))
        };
        let mut text = format!("Types: deb\nURIs: {uri}\nSuites: {}\n", list(&repository.suites, "suite")?);
        if !repository.components.is_empty() {
            text += &format!("Components: {}\n", list(&repository.components, "component")?);
        }
        if !repository.architectures.is_empty() {
            text += &format!("Architectures: {}\n", list(&repository.architectures, "architecture")?);
        }
        if !repository.valid_until {
            text += "Check-Valid-Until: no\n";
        }
        write_credentials(repository, index, files, host)?;
        Ok(text)
    }

    /// Returns the field that says how the signature of a repository is verified; writes its keys.
    fn trust(
        &self,
        repository: &Resolved,
        index: usize,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<String> {
        if !repository.checked || repository.kind == RepositoryType::DebDir {
            return Ok("Trusted: yes\n".to_owned());
        }
        if repository.keys.is_empty() {
            return Ok(String::new());
        }
        let keys = repository.keys.iter().enumerate().map(|(number, key)| {
            let (bytes, name) = match key {
                SigningKey::File(path) => (read_key(path)?, path.display().to_string()),
                SigningKey::Url(url) => {
                    (self.fetch_key(url, &format!("{index}-{number}"), files, host)?, url.clone())
                }
            };
            let key = public_key(&bytes, &name)?;
            // Repositories with the same keys have the same paths, which apt compares.
            let path = format!("keys/{}.{}", Digest::of(&key.bytes), key.extension);
            files.write(&path, key.bytes, host)?;
            Ok(format!("{VIEW}/{path}"))
        });
        let mut keys = keys.collect::<Result<Vec<_>>>()?;
        keys.sort();
        keys.dedup();
        Ok(format!("Signed-By: {}\n", keys.join(" ")))
    }

    /// Fetches a signing key.
    fn fetch_key(&self, url: &str, name: &str, files: &ManagerFiles, host: &Host) -> Result<Vec<u8>> {
        let url = one_word(url, "URL of the signing key")?;
        if url.starts_with("http://") || url.starts_with("ftp://") {
            host.warn(
                Warning::Repository,
                &format!(
                    "the signing key {url} cannot be trusted without an authenticated connection; use https, or a file"
                ),
            );
        }
        let fetched = format!("tmp/{name}.key");
        apt_program("/usr/lib/apt/apt-helper", files, host)
            .arg("download-file")
            .arg(url)
            .arg(format!("{VIEW}/{fetched}"))
            .network()
            .run()
            .map_err(|error| self.fetch_error(error, "the signing key", host))
            .with_context(|| format!("fetching the signing key {url}"))?;
        files.read(&fetched)
    }
}

/// Rejects two repositories of one archive and suite with different keys, which apt cannot distinguish.
fn check_trust(repository: &Resolved, trust: &str, others: &[(&Resolved, String)]) -> Result<()> {
    let same = |other: &Resolved| {
        other.location.trim_end_matches('/') == repository.location.trim_end_matches('/')
            && other.suites.iter().any(|suite| repository.suites.contains(suite))
    };
    match others.iter().find(|(other, of_other)| same(other) && of_other != trust) {
        Some((other, _)) => fail!(
            InvalidDescription,
            "the repositories {} and {} are the same suite of one archive with different signing keys; apt verifies a \
             suite with one set of keys: specify the same <signing> keys and repository_gpgcheck for both",
            other.described,
            repository.described
        ),
        None => Ok(()),
    }
}

/// Writes the user name and the password of a remote repository to a file of apt.
pub(super) fn write_credentials(
    repository: &Resolved,
    index: usize,
    files: &ManagerFiles,
    host: &Host,
) -> Result<()> {
    let Some((user, password)) = &repository.credentials else { return Ok(()) };
    let location = &repository.location;
    let Some((scheme, _)) = location.split_once("://") else {
        host.warn(
            Warning::Repository,
            &format!(
                "the repository {location} is a local directory; its user name and password are not used"
            ),
        );
        return Ok(());
    };
    if scheme != "https" {
        host.warn(
            Warning::Repository,
            &format!("the password of the repository {location} is sent without encryption; use https"),
        );
    }
    let machine = one_word(machine(location), "URL")?;
    let user = one_word(user, "user name")?;
    // The message must not contain the password.
    if password.is_empty() || password.contains(|c: char| c.is_whitespace() || c.is_control()) {
        bail!("the password must not be empty or contain blanks, tabs or line breaks");
    }
    // apt uses an entry without a scheme only for encrypted connections.
    let entry = format!("machine {machine} login {user} password {password}\n");
    files.write(&format!("etc/auth.conf.d/{index}.conf"), entry, host)
}

/// Returns the part of a URL for which apt uses a password: scheme and host, and the path if it has no escapes, which
/// apt may have decoded before it compares.
fn machine(location: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/.-_~".contains(c);
    let path = location.match_indices('/').nth(2).map_or(location.len(), |(position, _)| position);
    if location[path..].chars().all(plain) { location.trim_end_matches('/') } else { &location[..path] }
}

/// Rejects a value that would end its line.
fn one_line(value: &str, what: &str) -> Result<()> {
    if value.is_empty() || value.contains(char::is_control) {
        bail!("the {what} {value:?} is empty or contains a control character");
    }
    Ok(())
}

/// Rejects a value that would be read as several values.
fn one_word<'a>(value: &'a str, what: &str) -> Result<&'a str> {
    one_line(value, what)?;
    if value.contains(char::is_whitespace) {
        bail!("the {what} {value:?} contains a blank; write it as %20 in a URL");
    }
    Ok(value)
}

/// Creates an index for a directory of `.deb` files; the directory itself is not changed.
fn index_directory(repository: &Resolved, index: usize, files: &ManagerFiles, host: &Host) -> Result<()> {
    let directory = Path::new(&repository.location);
    let location = format!("{REPOSITORIES}/{index}");
    files.create_directory(&location, host)?;
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
        if name.contains(char::is_control) || name.trim() != name {
            fail!(
                File,
                "the file name {name:?} contains a control character or ends in a blank; rename the file"
            );
        }
        let control = dpkg_deb(files, host).arg("--field").arg(&path).output()?;
        let of_index = |line: &str| {
            let field = line.split(':').next().unwrap_or_default();
            INDEX_FIELDS.iter().any(|known| field.eq_ignore_ascii_case(known))
        };
        if let Some(line) = control.lines().find(|line| of_index(line)) {
            bail!("the control file of {} has a field of an index: {line:?}", path.display());
        }
        let size = path.metadata()?.len();
        let digest = crate::cache::digest_of(&path, host)?;
        text += &format!("{}\nFilename: ./{name}\nSize: {size}\nSHA256: {digest}\n\n", control.trim_end());
    }
    // A pin refers to the repository by the label in this release file.
    let release =
        format!("Label: {}\nSHA256:\n {} {} Packages\n", label(index), Digest::of(&text), text.len());
    files.write(&format!("{location}/Release"), release, host)?;
    files.write(&format!("{location}/Packages"), text, host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_used_for_the_scheme_the_host_and_a_plain_path() {
        for (location, expected) in [
            ("https://example.org/debian/", "https://example.org/debian"),
            ("http://example.org:8080/a/b-c", "http://example.org:8080/a/b-c"),
            ("https://example.org", "https://example.org"),
            ("https://example.org/a%20b/c", "https://example.org"),
        ] {
            assert_eq!(machine(location), expected);
        }
    }
}
