//! `kiwi system build|prepare|create|update`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::refused::{Keyword, Keywords, Refused, flag, option};
use super::{Before, Problem, Rest, tuple};
use crate::cli::sources::{Packages, Replacement, Repositories};
use crate::debugging::{OnFailure, Options};
use crate::operation::locking::LockMode;
use crate::operation::{
    IgnoreRepositories, ImageOptions, Operation, Overrides, RepositoryOptions, Reuse, build, create, prepare,
    upgrade,
};

/// Where `system build` keeps the root tree below its target directory.
const ROOT: &str = "build/image-root";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum System {
    /// Prepare and create in one run; the root tree stays at TARGET_DIR/build/image-root.
    Build(Build),
    /// Build the root tree of a description.
    Prepare(Prepare),
    /// Build images from a prepared root tree.
    Create(Create),
    /// Upgrade the packages of a root tree.
    Update(Update),
    /// Not supported: a root tree as a layer of a container.
    #[command(hide = true)]
    Stash(Rest),
    /// Not supported: a build based on a stash.
    #[command(hide = true)]
    Stackbuild(Rest),
    /// Not supported: a build in a virtual machine.
    #[command(hide = true)]
    Boxbuild(Rest),
}

impl System {
    pub(super) fn operation(self, before: Before) -> Result<Operation, Problem> {
        match self {
            Self::Build(command) => command.operation(before),
            Self::Prepare(command) => command.operation(before),
            Self::Create(command) => Ok(command.operation(before)),
            Self::Update(command) => Ok(command.operation()),
            Self::Stash(_) => Err(unsupported("stash", "keep the root tree with 'kiwi prepare --root'")),
            Self::Stackbuild(_) => {
                Err(unsupported("stackbuild", "<image inherit=...> puts one description on another"))
            }
            Self::Boxbuild(_) => {
                Err(unsupported("boxbuild", "kiwi needs no root and no box: use 'system build'"))
            }
        }
    }
}

fn unsupported(command: &str, instead: &str) -> Problem {
    Problem::refused(format!("'system {command}' is not built by this version of kiwi; {instead}"))
}

/// The changes to a description of `build` and `prepare`.
#[derive(Debug, Args)]
struct Changes {
    #[command(flatten)]
    added: Added,
    #[command(flatten)]
    replacement: Replacement,
    /// Ignore the repositories of the description for the build; the image still gets those that are meant for it.
    #[arg(long, conflicts_with = "ignore_repos")]
    ignore_repos_used_for_build: bool,
    /// USER:PASSWORD for --set-repo.
    #[arg(long, value_name = "USER:PASSWORD", requires = "set_repo")]
    set_repo_credentials: Option<String>,
    #[command(flatten)]
    packages: Packages,
    /// Install one more package in the bootstrap phase (may be repeated).
    #[arg(long, value_name = "NAME")]
    add_bootstrap_package: Vec<String>,
    /// Remove this package at the end (may be repeated).
    #[arg(long, value_name = "NAME")]
    delete_package: Vec<String>,
    /// A file with a signing key of the repositories (may be repeated).
    #[arg(long, value_name = "FILE")]
    signing_key: Vec<PathBuf>,
    /// Accepted without effect: packages are cached by their digest, so the cache is never stale.
    #[arg(long)]
    clear_cache: bool,
    #[command(flatten)]
    refused: Refused<ChangeOptions>,
}

#[derive(Debug, Clone)]
struct ChangeOptions;

impl Keywords for ChangeOptions {
    const WORDS: &'static [Keyword] = &[
        flag("allow-existing-root", "kiwi always creates a new root tree; remove the old one"),
        option("set-container-derived-from", "specify the base in the description: derived_from"),
        option("set-container-tag", "specify the tag in the description: <containerconfig tag=...>"),
        option("add-container-label", "specify the label in the description: <labels>"),
        option("set-type-attr", "write the attribute into the description's <type>"),
        option("set-release-version", "write <release-version> into the description"),
        option("ca-cert", "put the certificate into the overlay and run the update tool in config.sh"),
        option(
            "ca-target-distribution",
            "put the certificate into the overlay and run the update tool in config.sh",
        ),
    ];
}

impl Changes {
    fn overrides(self) -> Result<Overrides, Problem> {
        Ok(Overrides {
            ignore_repositories: match self.ignore_repos_used_for_build {
                true => IgnoreRepositories::UsedForBuild,
                false => self.added.repositories.ignored(),
            },
            set_repository: self
                .replacement
                .set_repo
                .map(|text| repository("--set-repo", &text, self.set_repo_credentials.as_deref()))
                .transpose()?,
            add_repositories: self.added.options()?,
            signing_keys: self.signing_key.iter().map(|path| format!("file:{}", path.display())).collect(),
            add_packages: self.packages.add_package,
            add_bootstrap_packages: self.add_bootstrap_package,
            delete_packages: self.delete_package,
            ..Overrides::default()
        })
    }
}

/// More repositories, or others.
#[derive(Debug, Args)]
pub(super) struct Added {
    #[command(flatten)]
    pub(super) repositories: Repositories,
    /// USER:PASSWORD for the --add-repo of the same position.
    #[arg(long, value_name = "USER:PASSWORD", requires = "add_repo")]
    add_repo_credentials: Vec<String>,
}

impl Added {
    /// Returns the added repositories, each with its credentials.
    pub(super) fn options(&self) -> Result<Vec<RepositoryOptions>, Problem> {
        let credentials = self.add_repo_credentials.iter().map(|text| Some(text.as_str()));
        let texts = self.repositories.add_repo.iter().zip(credentials.chain(std::iter::repeat(None)));
        texts.map(|(text, credentials)| repository("--add-repo", text, credentials)).collect()
    }
}

fn repository(
    option: &'static str,
    text: &str,
    credentials: Option<&str>,
) -> Result<RepositoryOptions, Problem> {
    let mut keywords = tuple::parse(option, text).map_err(Problem::refused)?;
    keywords.credentials = credentials
        .map(|text| tuple::credentials(&format!("{option}-credentials"), text))
        .transpose()
        .map_err(Problem::refused)?;
    Ok(keywords)
}

/// Returns the options of KIWI NG, which leaves the root tree of a failed build where it made it.
fn kept_in_place() -> Options {
    Options { on_failure: OnFailure::KeepInPlace, ..Options::default() }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Build {
    /// Directory of the description.
    #[arg(long, value_name = "DIR")]
    description: PathBuf,
    /// Directory of images and root tree; created if it does not exist.
    #[arg(long, value_name = "DIR")]
    target_dir: PathBuf,
    #[command(flatten)]
    changes: Changes,
}

impl Build {
    fn operation(self, before: Before) -> Result<Operation, Problem> {
        Ok(Operation::Build(build::Request {
            lock: LockMode::Free,
            description: before.description(self.description),
            root: Some(self.target_dir.join(ROOT)),
            destdir: Some(self.target_dir),
            make_destdir: true,
            image_type: before.image_type,
            profiles: before.profiles,
            overrides: self.changes.overrides()?,
            network: false,
            all_types: false,
            reuse: Reuse::default(),
            explain: false,
            debugging: kept_in_place(),
        }))
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Prepare {
    /// Directory of the description.
    #[arg(long, value_name = "DIR")]
    description: PathBuf,
    /// Write the new root tree to this directory.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    #[command(flatten)]
    changes: Changes,
}

impl Prepare {
    fn operation(self, before: Before) -> Result<Operation, Problem> {
        Ok(Operation::Prepare(prepare::Request {
            description: before.description(self.description),
            root: Some(self.root),
            image_type: before.image_type,
            network: false,
            reuse: Reuse::default(),
            profiles: before.profiles,
            overrides: self.changes.overrides()?,
            debugging: kept_in_place(),
        }))
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    /// The root tree.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// Directory of the images; created if it does not exist.
    #[arg(long, value_name = "DIR")]
    target_dir: PathBuf,
    /// Accepted without effect: the repositories of a tree are not read again.
    #[arg(long, value_name = "FILE")]
    signing_key: Vec<PathBuf>,
}

impl Create {
    fn operation(self, before: Before) -> Operation {
        Operation::Create(create::Request {
            root: self.root,
            destdir: Some(self.target_dir),
            make_destdir: true,
            image_type: before.image_type,
            reuse: Reuse::default(),
            image: ImageOptions::default(),
            debugging: Options::default(),
        })
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Update {
    /// The root tree.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    #[command(flatten)]
    packages: Packages,
    #[command(flatten)]
    refused: Refused<UpdateOptions>,
}

#[derive(Debug, Clone)]
struct UpdateOptions;

impl Keywords for UpdateOptions {
    const WORDS: &'static [Keyword] = &[option(
        "delete-package",
        "name the package in <packages type=\"delete\"> and prepare the tree again",
    )];
}

impl Update {
    fn operation(self) -> Operation {
        Operation::Upgrade(upgrade::Request {
            root: self.root,
            overrides: Overrides { add_packages: self.packages.add_package, ..Overrides::default() },
        })
    }
}
