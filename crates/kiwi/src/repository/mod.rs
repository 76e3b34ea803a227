//! Repositories in the form that package managers need: a URL or path, a format, and signing keys.
//!
//! `this://` becomes a path below the description, `debian://SUITE` becomes the archives of a Debian release,
//! `opensuse://` and `obs://` become URLs.

mod configuration;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use description::{Architecture, Repository, RepositoryType, SourcePath};

pub use configuration::Configuration;

use crate::distribution::ImageRepository;
use crate::distribution::debian::{self, ReleaseArchive};
use crate::failure::{Failure, Kind, fail};
use crate::host::{Host, Warning};
use crate::runtime_configuration::RuntimeConfiguration;
use crate::source::{Files, real};

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
    /// Suites of an apt repository; one that ends in `/` is a path in a flat one.
    pub suites: Vec<String>,
    /// Components of an apt repository; empty for a flat one.
    pub components: Vec<String>,
    /// Architectures it is used for; if empty, that of the image.
    pub architectures: Vec<String>,
    /// Keys or keyrings that sign it.
    pub keys: Vec<SigningKey>,
    /// Whether its signature is checked.
    pub checked: bool,
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
}

impl Resolved {
    /// Returns a directory of packages without a signature of its own, for the build only.
    pub fn of_packages(location: String) -> Self {
        Self {
            kind: RepositoryType::DebDir,
            location,
            suites: vec!["./".to_owned()],
            components: Vec::new(),
            architectures: Vec::new(),
            keys: Vec::new(),
            checked: false,
            priority: None,
            for_build: true,
            in_image: None,
            lock_name: LOCAL.to_owned(),
            credentials: None,
        }
    }
}

/// Returns the repositories of the description with URL or path, suites and keys, in their order.
pub fn resolve(
    repositories: &[Repository],
    description: &Files,
    architecture: &Architecture,
    host: &Host,
) -> Result<Vec<Resolved>> {
    let configuration = Configuration::read(host)?;
    let projects = RuntimeConfiguration::read(host)?.download_url.unwrap_or_else(|| OPENSUSE.to_owned());
    let mut resolved = Vec::new();
    for repository in repositories {
        match &repository.source {
            SourcePath::Debian(suite) => {
                let archives = debian::release(suite, &configuration.debian)?;
                let keys = signing_keys(repository, description)?;
                resolved.extend(archives.into_iter().map(|archive| of_release(archive, repository, &keys)));
            }
            SourcePath::Local(path) => {
                if !Path::new(path).exists() {
                    host.warn(
                        Warning::Repository,
                        &format!("the repository {path} does not exist and is ignored"),
                    );
                    continue;
                }
                resolved.push(plain(repository, path.clone(), description)?);
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
                resolved.push(plain(repository, path.display().to_string(), description)?);
            }
            SourcePath::Url(url) => resolved.push(plain(repository, url.clone(), description)?),
            SourcePath::OpenSuse(project) => {
                let path = project.replace(':', ":/");
                resolved.push(plain(repository, format!("{projects}/{path}/standard"), description)?);
            }
            SourcePath::Obs(path) => {
                let path = path.replace(':', ":/");
                resolved.push(plain(repository, format!("{projects}/{path}"), description)?);
            }
        }
    }
    if !resolved.iter().any(|repository| repository.for_build) {
        let message = format!(
            "no repository provides packages for {architecture}; the description needs a <repository> whose \
             source exists, e.g. <source path=\"debian://bookworm\"/>"
        );
        return Err(Failure::new(Kind::NoRepository, message).into());
    }
    Ok(resolved)
}

/// Returns an archive of a release as a repository with the settings of the description. `keys` are those of the
/// description: a mirror may be signed by its operator, so they are accepted beside those of the distribution.
fn of_release(archive: ReleaseArchive, repository: &Repository, keys: &[SigningKey]) -> Resolved {
    let ReleaseArchive { location, public, suites, keyring } = archive;
    let components = components(repository);
    // On some releases it is a link.
    let real_keyring = Path::new(keyring).canonicalize().unwrap_or_else(|_| PathBuf::from(keyring));
    Resolved {
        kind: RepositoryType::AptDeb,
        location,
        in_image: Some(ImageRepository {
            location: public.to_owned(),
            suites: suites.clone(),
            components: components.clone(),
            keyring: Some(PathBuf::from(keyring)),
        }),
        lock_name: SourcePath::Debian(suites.first().cloned().unwrap_or_default()).to_string(),
        suites,
        components,
        architectures: repository.architectures.clone(),
        keys: std::iter::once(SigningKey::File(real_keyring)).chain(keys.iter().cloned()).collect(),
        checked: repository.check_repository.unwrap_or(true),
        priority: repository.priority,
        for_build: !repository.image_only,
        credentials: repository.credentials.clone(),
    }
}

/// Returns the components that a description names, or `main`.
fn components(repository: &Repository) -> Vec<String> {
    if repository.components.is_empty() { vec!["main".to_owned()] } else { repository.components.clone() }
}

/// Returns the repository at `location` with the settings of the description.
fn plain(repository: &Repository, location: String, description: &Files) -> Result<Resolved> {
    let kind = repository.kind.unwrap_or(match repository.distribution {
        Some(_) => RepositoryType::AptDeb,
        None => RepositoryType::RpmMd,
    });
    let suites = vec![repository.distribution.clone().unwrap_or_else(|| "./".to_owned())];
    let flat = suites.iter().all(|suite| suite.ends_with('/'));
    let components = if flat { Vec::new() } else { components(repository) };
    let keys = signing_keys(repository, description)?;
    Ok(Resolved {
        kind,
        in_image: repository.in_image.then(|| ImageRepository {
            location: location.clone(),
            suites: suites.clone(),
            components: components.clone(),
            keyring: None,
        }),
        lock_name: if location.starts_with('/') { LOCAL.to_owned() } else { location.clone() },
        location,
        suites,
        components,
        architectures: repository.architectures.clone(),
        keys,
        checked: repository.check_repository.unwrap_or(true),
        priority: repository.priority,
        for_build: !repository.image_only,
        credentials: repository.credentials.clone(),
    })
}

/// Returns the sources of the signing keys in the description.
fn signing_keys(repository: &Repository, description: &Files) -> Result<Vec<SigningKey>> {
    repository.signing_keys.iter().map(|key| signing_key(key, description)).collect()
}

/// Returns the source of a signing key.
fn signing_key(key: &str, description: &Files) -> Result<SigningKey> {
    let path = if let Some(path) = key.strip_prefix("this://").or_else(|| key.strip_prefix("this:")) {
        let path = path.trim_start_matches('/');
        description.find(path)?.unwrap_or_else(|| description.directory().join(path))
    } else if let Some(path) = key.strip_prefix("file://").or_else(|| key.strip_prefix("file:")) {
        PathBuf::from(path)
    } else if key.starts_with('/') {
        PathBuf::from(key)
    } else if ["http://", "https://", "ftp://"].iter().any(|scheme| key.starts_with(scheme)) {
        return Ok(SigningKey::Url(key.to_owned()));
    } else {
        fail!(
            InvalidDescription,
            "the signing key {key} is neither a path nor a URL: expected file:/PATH, this://PATH, https://... or http://..."
        );
    };
    if !path.is_file() {
        fail!(File, "the signing key {key} does not exist: {} is missing", path.display());
    }
    let real = path.canonicalize().with_context(|| format!("reading the signing key {}", path.display()))?;
    Ok(SigningKey::File(real))
}

/// Returns the bytes of [`SigningKey::File`].
pub fn read_key(path: &Path) -> Result<Vec<u8>> {
    real::read(path).with_context(|| format!("reading the signing key {}", path.display()))
}
