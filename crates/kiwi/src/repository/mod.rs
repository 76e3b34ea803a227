//! Repositories in the form that package managers need: a URL or path, a format, and signing keys.
//!
//! `this://` becomes a path below the description, `debian://SUITE` becomes the archives of a Debian release,
//! `opensuse://` and `obs://` become URLs.

mod configuration;
mod key;
mod proxy;
mod signing;
mod variables;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use description::{Repository, RepositoryType, Selection, SourcePath, SourceType};
use ondisk::digest::{Digest as _, Sha256};

pub use configuration::Configuration;
pub use key::public_key;
pub use proxy::Proxies;
use signing::signing_keys;
pub use signing::{missing_keys, read_key};

use crate::distribution::debian::{self, Address, ReleaseArchive};
use crate::distribution::{ImageKey, ImageRepository};
use crate::failure::{Failure, Kind, fail};
use crate::host::{Host, Warning};
use crate::package_form::decoded;
use crate::runtime_configuration::RuntimeConfiguration;
use crate::source::Files;

/// The server of SUSE projects, unless `kiwi.yml` names another one.
const OPENSUSE: &str = "http://download.opensuse.org/repositories";

/// The name of a directory used as a repository in `kiwi.lock`.
pub(crate) const LOCAL: &str = "local";

/// The source of a key or keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigningKey {
    /// A file of the host or of the description, by its path without links.
    File(PathBuf),
    /// A URL, which is fetched before the repository is read.
    Url(String),
}

/// A repository with its final URL or path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Its format in the description.
    pub kind: RepositoryType,
    /// URL or absolute path.
    pub location: String,
    /// What the location leads to.
    pub source_type: SourceType,
    /// A script of the description that edits the file of the package manager for it.
    pub customize: Option<PathBuf>,
    /// Suites of an apt repository; one that ends in `/` is a path in a flat one.
    pub suites: Vec<String>,
    /// Components of an apt repository; empty for a flat one.
    pub components: Vec<String>,
    /// Architectures it is used for; if empty, that of the image.
    pub architectures: Vec<String>,
    /// Keys or keyrings that sign it.
    pub keys: Vec<SigningKey>,
    /// Its name in the description.
    pub alias: Option<String>,
    /// Whether its signature is checked.
    pub checked: bool,
    /// Whether the signature of its metadata is checked, and that of each RPM package, if the description decides it.
    pub rpm_checks: (Option<bool>, Option<bool>),
    /// Its priority in the description.
    pub priority: Option<i64>,
    /// Whether the build uses it.
    pub for_build: bool,
    /// The repository in the configuration of the image, if the image uses it.
    pub in_image: Option<ImageRepository>,
    /// Its name in `kiwi.lock`: the source in the description, never a mirror of the build host.
    pub lock_name: String,
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// What specifies it, for messages: its source, the position in the description, and the origin of its mirror.
    pub described: String,
    /// Whether it must not be older than its release file allows.
    pub valid_until: bool,
}

impl Resolved {
    /// Returns a directory of packages without a signature of its own, for the build only.
    pub fn of_packages(location: String) -> Self {
        Self {
            kind: RepositoryType::DebDir,
            location,
            source_type: SourceType::BaseUrl,
            customize: None,
            suites: vec!["./".to_owned()],
            components: Vec::new(),
            architectures: Vec::new(),
            keys: Vec::new(),
            alias: None,
            checked: false,
            rpm_checks: (Some(false), Some(false)),
            priority: None,
            for_build: true,
            in_image: None,
            lock_name: LOCAL.to_owned(),
            credentials: None,
            described: "the directory of packages".to_owned(),
            valid_until: true,
        }
    }
}

/// Fails if a link in a repository that belongs to the description leads out of it: its packages would be files of the build host.
pub fn check_links(directory: &Path, description: &Files) -> Result<()> {
    for entry in walkdir::WalkDir::new(directory) {
        let entry = entry.with_context(|| format!("reading the repository {}", directory.display()))?;
        if entry.path_is_symlink() {
            description.follow(entry.path())?;
        }
    }
    Ok(())
}

/// Returns the repositories of the description with URL or path, suites and keys, in their order.
pub fn resolve(selection: &Selection, description: &Files, host: &Host) -> Result<Vec<Resolved>> {
    let runtime = RuntimeConfiguration::read(host)?;
    let mirrors = configuration::mirrors(&runtime, host)?;
    let projects = runtime.download_url.unwrap_or_else(|| OPENSUSE.to_owned());
    let mut resolved = Vec::new();
    let plain =
        |repository: &Repository, location: String| plain(repository, location, selection, description, host);
    for repository in &selection.repositories {
        match &repository.source {
            SourcePath::Debian(suite) => {
                let archives = debian::release(suite, None, &mirrors)?;
                resolved.extend(of_releases(archives, repository, description)?);
            }
            SourcePath::DebianSnapshot { suite, time } => {
                let archives = debian::release(suite, Some(time), &mirrors)?;
                // Snapshots are older than their release files allow.
                let archives = of_releases(archives, repository, description)?;
                resolved
                    .extend(archives.into_iter().map(|archive| Resolved { valid_until: false, ..archive }));
            }
            SourcePath::Local(path) => {
                let path = &variables::replaced(path.clone(), selection, &repository.origin)?;
                if !Path::new(path).exists() {
                    host.warn(
                        Warning::Repository,
                        &format!("the repository {path} does not exist and is ignored"),
                    );
                    continue;
                }
                resolved.push(plain(repository, path.clone())?);
            }
            SourcePath::This(path) => {
                let Some(path) = description.find(path)? else {
                    let missing = description.directory().join(path);
                    fail!(
                        File,
                        "the repository this://{path} does not exist: {} is missing",
                        missing.display()
                    );
                };
                check_links(&path, description)?;
                resolved.push(plain(repository, path.display().to_string())?);
            }
            SourcePath::Placeholder(text) if !repository.image_only => {
                let message = format!("{text} names no repository from which this machine can take packages");
                let remedy = "Give one with --set-repo, --add-repo, or --ignore-repos and --add-repo.";
                return Err(Failure::new(Kind::NoRepository, message).remedy(remedy).into());
            }
            SourcePath::Placeholder(text) => host.warn(
                Warning::Repository,
                &format!("{text} names no repository, so that the image's configuration does not contain it"),
            ),
            SourcePath::Url(url) => resolved.push(plain(repository, url.clone())?),
            SourcePath::OpenSuse(project) => {
                let path = project.replace(':', ":/");
                resolved.push(plain(repository, format!("{projects}/{path}/standard"))?);
            }
            SourcePath::Obs(path) => {
                let path = path.replace(':', ":/");
                resolved.push(plain(repository, format!("{projects}/{path}"))?);
            }
        }
    }
    if runtime.valid_until == Some(false) {
        resolved.iter_mut().for_each(|repository| repository.valid_until = false);
    }
    if !resolved.iter().any(|repository| repository.for_build) {
        let message = format!(
            "no repository provides packages for {}; the description needs a <repository> whose \
             source exists, e.g. <source path=\"debian://bookworm\"/>",
            selection.architecture
        );
        return Err(Failure::new(Kind::NoRepository, message).into());
    }
    Ok(resolved)
}

/// Returns the archives of a release as repositories.
fn of_releases(
    archives: Vec<ReleaseArchive>,
    repository: &Repository,
    description: &Files,
) -> Result<Vec<Resolved>> {
    let keys = signing_keys(repository, description)?;
    archives.into_iter().map(|archive| of_release(archive, repository, &keys)).collect()
}

/// Returns an archive of a release as a repository with the settings of the description. `keys` are those of the
/// description: a mirror may be signed by its operator, so they are accepted beside those of the distribution.
fn of_release(archive: ReleaseArchive, repository: &Repository, keys: &[SigningKey]) -> Result<Resolved> {
    let ReleaseArchive { address: Address { url, from }, public, suites, keyring, login } = archive;
    let (location, of_url) = without_login(&url)?;
    let components = components(repository);
    // On some releases it is a link.
    let real_keyring = Path::new(keyring).canonicalize().unwrap_or_else(|_| PathBuf::from(keyring));
    Ok(Resolved {
        kind: RepositoryType::AptDeb,
        described: format!("{} ({}; mirror from {from})", repository.source, repository.origin),
        location,
        in_image: Some(ImageRepository {
            location: public.to_owned(),
            suites: suites.clone(),
            components: components.clone(),
            keyring: Some(PathBuf::from(keyring)),
            keys: Vec::new(),
            alias: repository.alias.clone(),
            priority: repository.priority,
            mirrors: None,
            checks_metadata: repository.check_repository,
            checks_packages: repository.check_packages,
        }),
        source_type: SourceType::BaseUrl,
        customize: None,
        lock_name: SourcePath::Debian(suites.first().cloned().unwrap_or_default()).to_string(),
        suites,
        components,
        architectures: repository.architectures.clone(),
        keys: std::iter::once(SigningKey::File(real_keyring)).chain(keys.iter().cloned()).collect(),
        alias: repository.alias.clone(),
        checked: repository.check_repository.unwrap_or(true),
        rpm_checks: (repository.check_repository, repository.check_packages),
        priority: repository.priority,
        for_build: !repository.image_only,
        credentials: repository.credentials.clone().or(of_url).or(login),
        valid_until: repository.valid_until,
    })
}

/// Splits user and password off a URL, so that neither a message nor a lock file contains them.
fn without_login(url: &str) -> Result<(String, Option<(String, String)>)> {
    let Some((scheme, rest)) = url.split_once("://") else { return Ok((url.to_owned(), None)) };
    let end = rest.find('/').unwrap_or(rest.len());
    let Some((login, host)) = rest[..end].rsplit_once('@') else { return Ok((url.to_owned(), None)) };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let location = format!("{scheme}://{host}{}", &rest[end..]);
    if password.is_empty() {
        fail!(InvalidDescription, "the URL of the repository {location} has a user and no password");
    }
    Ok((location, Some((decoded(user), decoded(password)))))
}

/// Returns the components that a description names, or `main`.
fn components(repository: &Repository) -> Vec<String> {
    if repository.components.is_empty() { vec!["main".to_owned()] } else { repository.components.clone() }
}

/// Returns the repository at `location` with the settings of the description.
fn plain(
    repository: &Repository,
    location: String,
    selection: &Selection,
    description: &Files,
    host: &Host,
) -> Result<Resolved> {
    let kind = repository.kind.unwrap_or(match repository.distribution {
        Some(_) => RepositoryType::AptDeb,
        None => RepositoryType::RpmMd,
    });
    let suites = vec![repository.distribution.clone().unwrap_or_else(|| "./".to_owned())];
    let flat = suites.iter().all(|suite| suite.ends_with('/'));
    let components = if flat { Vec::new() } else { components(repository) };
    let apt = matches!(kind, RepositoryType::AptDeb | RepositoryType::DebDir);
    let customize = match &repository.customize {
        Some(script) => Some(customization(script, repository, description)?),
        None => None,
    };
    let keys = signing_keys(repository, description)?;
    let keys_of_image = if repository.in_image { image_keys(repository, &keys, host)? } else { Vec::new() };
    let written = location;
    let (location, of_url) = without_login(&written)?;
    let location = if apt { location } else { variables::replaced(location, selection, &repository.origin)? };
    Ok(Resolved {
        kind,
        described: format!("{} ({})", shown(repository, &location), repository.origin),
        in_image: repository.in_image.then(|| ImageRepository {
            location: written,
            suites: suites.clone(),
            components: components.clone(),
            keyring: None,
            keys: keys_of_image,
            alias: repository.alias.clone(),
            priority: repository.priority,
            mirrors: match repository.source_type {
                SourceType::BaseUrl => None,
                list @ (SourceType::Metalink | SourceType::MirrorList) => Some(list.keyword()),
            },
            checks_metadata: repository.check_repository,
            checks_packages: repository.check_packages,
        }),
        source_type: repository.source_type,
        customize,
        lock_name: if location.starts_with('/') { LOCAL.to_owned() } else { location.clone() },
        location,
        suites,
        components,
        architectures: repository.architectures.clone(),
        keys,
        alias: repository.alias.clone(),
        checked: repository.check_repository.unwrap_or(true),
        rpm_checks: (repository.check_repository, repository.check_packages),
        priority: repository.priority,
        for_build: !repository.image_only,
        credentials: repository.credentials.clone().or(of_url),
        valid_until: repository.valid_until,
    })
}

/// Returns the path of the script of the description that customizes a repository.
fn customization(script: &str, repository: &Repository, description: &Files) -> Result<PathBuf> {
    match description.find(script)? {
        Some(path) => Ok(path),
        None => fail!(
            File,
            "the script {script} that customizes the repository {} does not exist: {} is missing",
            repository.origin,
            description.directory().join(script).display()
        ),
    }
}

/// Returns the keys of a repository for the image.
fn image_keys(repository: &Repository, keys: &[SigningKey], host: &Host) -> Result<Vec<ImageKey>> {
    let mut found: Vec<ImageKey> = Vec::new();
    for key in keys {
        let SigningKey::File(path) = key else {
            let text = format!(
                "the key of the repository {} is a URL, and the image does not get it; specify it as a file, or add it to the overlay",
                repository.origin
            );
            host.warn(Warning::Repository, &text);
            continue;
        };
        let key = public_key(&read_key(path)?, &path.display().to_string())?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let alias = repository.alias.as_deref().map(|alias| alias.replace(|c| !is_plain(c), "-"));
        let digest = Sha256::digest(&key.bytes);
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let name = match (alias, found.len()) {
            (Some(alias), 0) => alias,
            (Some(alias), _) => format!("{alias}-{digest}"),
            (None, _) => digest,
        };
        found.push(ImageKey { name: format!("{name}.{}", key.extension), bytes: key.bytes });
    }
    Ok(found)
}

/// Returns how a message names a repository: by its alias, or by its source without a password.
fn shown(repository: &Repository, location: &str) -> String {
    match (&repository.alias, &repository.source) {
        (Some(alias), _) => format!("\"{alias}\" {location}"),
        (None, SourcePath::Url(_)) => location.to_owned(),
        (None, source) => source.to_string(),
    }
}
