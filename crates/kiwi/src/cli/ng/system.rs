//! `kiwi system build|prepare|create|update`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::refused::{Keyword, Keywords, Refused, flag, option};
use super::{Before, Problem, Rest, tuple};
use crate::operation::locking::LockMode;
use crate::operation::{
    IgnoreRepositories, Operation, Overrides, RepositoryOptions, Reuse, build, create, prepare, upgrade,
};

/// Where `system build` keeps the root tree below its target directory.
const ROOT: &str = "build/image-root";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum System {
    /// Prepare and create in one go; the root tree stays at TARGET_DIR/build/image-root.
    Build(Build),
    /// Build the root tree of a description.
    Prepare(Prepare),
    /// Make images from a prepared root tree.
    Create(Create),
    /// Bring the packages of a root tree up to date.
    Update(Update),
    /// Not built: a root tree as a layer of a container.
    #[command(hide = true)]
    Stash(Rest),
    /// Not built: a build on top of a stash.
    #[command(hide = true)]
    Stackbuild(Rest),
    /// Not built: a build inside of a virtual machine.
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

/// What `build` and `prepare` change of a description.
#[derive(Debug, Args)]
struct Changes {
    /// Use none of the description's repositories.
    #[arg(long)]
    ignore_repos: bool,
    /// Use none of the description's repositories for the build; the image still gets those that are for it.
    #[arg(long, conflicts_with = "ignore_repos")]
    ignore_repos_used_for_build: bool,
    /// Use this repository instead of the first:
    /// source,type,alias,priority,imageinclude,package_gpgcheck,{key;key},components,distribution,repo_gpgcheck
    #[arg(long, value_name = "REPOSITORY")]
    set_repo: Option<String>,
    /// USER:PASSWORD for --set-repo.
    #[arg(long, value_name = "USER:PASSWORD", requires = "set_repo")]
    set_repo_credentials: Option<String>,
    /// Use one more repository, written as for --set-repo (may be repeated).
    #[arg(long, value_name = "REPOSITORY")]
    add_repo: Vec<String>,
    /// USER:PASSWORD for the --add-repo of the same position.
    #[arg(long, value_name = "USER:PASSWORD", requires = "add_repo")]
    add_repo_credentials: Vec<String>,
    /// Install one more package (may be repeated).
    #[arg(long, value_name = "NAME")]
    add_package: Vec<String>,
    /// Bootstrap one more package (may be repeated).
    #[arg(long, value_name = "NAME")]
    add_bootstrap_package: Vec<String>,
    /// Take this package out at the end (may be repeated).
    #[arg(long, value_name = "NAME")]
    delete_package: Vec<String>,
    /// A key that signs the repositories (may be repeated).
    #[arg(long, value_name = "FILE")]
    signing_key: Vec<PathBuf>,
    /// Accepted: packages are kept by the digest of their bytes, so a cache is never stale.
    #[arg(long)]
    clear_cache: bool,
    #[command(flatten)]
    refused: Refused<ChangeOptions>,
}

#[derive(Debug, Clone)]
struct ChangeOptions;

impl Keywords for ChangeOptions {
    const WORDS: &'static [Keyword] = &[
        flag("allow-existing-root", "a root tree is made anew; remove the old one"),
        option("set-container-derived-from", "name the base in the description: derived_from"),
        option("set-container-tag", "name the tag in the description: <containerconfig tag=...>"),
        option("add-container-label", "name the label in the description: <labels>"),
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
            ignore_repositories: match (self.ignore_repos, self.ignore_repos_used_for_build) {
                (true, _) => IgnoreRepositories::All,
                (false, true) => IgnoreRepositories::UsedForBuild,
                (false, false) => IgnoreRepositories::None,
            },
            set_repository: self
                .set_repo
                .map(|text| repository("--set-repo", &text, self.set_repo_credentials.as_deref()))
                .transpose()?,
            add_repositories: added(&self.add_repo, &self.add_repo_credentials)?,
            signing_keys: self.signing_key.iter().map(|path| format!("file:{}", path.display())).collect(),
            add_packages: self.add_package,
            add_bootstrap_packages: self.add_bootstrap_package,
            delete_packages: self.delete_package,
            ..Overrides::default()
        })
    }
}

/// `--add-repo` with the credentials of the same position.
pub(super) fn added(texts: &[String], credentials: &[String]) -> Result<Vec<RepositoryOptions>, Problem> {
    let credentials = credentials.iter().map(|text| Some(text.as_str())).chain(std::iter::repeat(None));
    texts
        .iter()
        .zip(credentials)
        .map(|(text, credentials)| repository("--add-repo", text, credentials))
        .collect()
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

#[derive(Debug, Args)]
pub(in crate::cli) struct Build {
    /// Directory of the description.
    #[arg(long, value_name = "DIR")]
    description: PathBuf,
    /// Where images and root tree go; made when it does not exist.
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
        }))
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Prepare {
    /// Directory of the description.
    #[arg(long, value_name = "DIR")]
    description: PathBuf,
    /// Where the new root tree goes.
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
        }))
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    /// The root tree.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// Where images go; made when it does not exist.
    #[arg(long, value_name = "DIR")]
    target_dir: PathBuf,
    /// Accepted: the repositories of a tree are not read again.
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
        })
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Update {
    /// The root tree.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// Install one more package (may be repeated).
    #[arg(long, value_name = "NAME")]
    add_package: Vec<String>,
    #[command(flatten)]
    refused: Refused<UpdateOptions>,
}

#[derive(Debug, Clone)]
struct UpdateOptions;

impl Keywords for UpdateOptions {
    const WORDS: &'static [Keyword] = &[option(
        "delete-package",
        "name the package in <packages type=\"delete\"> and prepare the tree anew",
    )];
}

impl Update {
    fn operation(self) -> Operation {
        Operation::Upgrade(upgrade::Request {
            root: self.root,
            overrides: Overrides { add_packages: self.add_package, ..Overrides::default() },
        })
    }
}
