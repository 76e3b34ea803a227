//! Arguments of the verbs that build: prepare, create, build, upgrade.

use std::path::PathBuf;

use clap::Args;

use super::location::Location;
use crate::operation::locking::LockMode;
use crate::operation::{
    Operation, Overrides, PackagePath, RepositoryOptions, Reuse, build, create, prepare, upgrade,
};

/// Profiles and the options that change repositories and packages of one build.
#[derive(Debug, Args, Clone)]
pub(super) struct Selecting {
    /// Activate a profile of the description (may be repeated).
    #[arg(long = "add-profile", visible_alias = "profile", value_name = "NAME")]
    pub(super) profiles: Vec<String>,
    #[command(flatten)]
    pub(super) sources: Sources,
}

/// Repositories and packages for this run only.
#[derive(Debug, Args, Clone, Default)]
pub(super) struct Sources {
    /// Use one more repository in this run; the image does not get it.
    #[arg(long = "add-repo", value_name = "SOURCE")]
    add_repo: Vec<String>,
    /// Type of the repository that the --add-repo of the same position specifies (apt-deb, rpm-md, ...).
    #[arg(long = "add-repotype", value_name = "TYPE")]
    add_repotype: Vec<String>,
    /// Use this source instead of the first repository of the description.
    #[arg(long = "set-repo", value_name = "SOURCE")]
    set_repo: Option<String>,
    /// Type of the repository that --set-repo specifies.
    #[arg(long = "set-repotype", value_name = "TYPE")]
    set_repotype: Option<String>,
    /// Install one more package (may be repeated).
    #[arg(long = "add-package", value_name = "NAME")]
    add_package: Vec<String>,
    /// How packages are installed in a new tree: unpacked by kiwi in parallel (native), or by the package manager alone
    /// (plain). The result is the same; plain is slow. Upgrades always use plain.
    #[arg(long, value_name = "PATH", value_enum, default_value_t)]
    package_path: Path,
}

/// `--package-path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Path {
    #[default]
    Native,
    Plain,
}

impl From<Path> for PackagePath {
    fn from(keyword: Path) -> Self {
        match keyword {
            Path::Native => Self::Native,
            Path::Plain => Self::Plain,
        }
    }
}

impl Sources {
    pub(super) fn overrides(self) -> Overrides {
        let (kind, mut kinds) = (self.set_repotype, self.add_repotype.into_iter());
        let set = self.set_repo.map(|source| RepositoryOptions {
            option: "--set-repo",
            source,
            kind,
            ..RepositoryOptions::default()
        });
        let added = self.add_repo.iter();
        let added = added.map(|written| RepositoryOptions::written("--add-repo", written, kinds.next()));
        Overrides {
            set_repository: set,
            add_repositories: added.collect(),
            add_packages: self.add_package,
            package_path: self.package_path.into(),
            ..Overrides::default()
        }
    }
}

/// The image type and the destination.
#[derive(Debug, Args, Clone)]
pub(super) struct Creating {
    /// Write the images to this directory, which must exist (default: defaultdestination of the description).
    #[arg(long, short = 'd', value_name = "DIR")]
    destdir: Option<PathBuf>,
    #[arg(long = "type", short = 't', value_name = "TYPE", help = type_help())]
    image_type: Option<String>,
    /// Public key of minisign (minisign.pub): a network client accepts only images that this key has signed
    /// (kiwi pxe publish --sign).
    #[arg(long, value_name = "FILE")]
    verify_key: Option<PathBuf>,
}

/// Returns the help of `--type`, which lists the image types that can be built.
fn type_help() -> String {
    let built: Vec<&str> = description::built_types().collect();
    format!(
        "Build this image type of the description (default: the primary one); supported: {}",
        built.join(", ")
    )
}

/// How the cache is used.
#[derive(Debug, Args, Clone, Copy)]
pub(super) struct Caching {
    /// Run every stage and save none in the cache; downloaded packages are still used.
    #[arg(long)]
    no_cache: bool,
    /// Reuse the results of scripts that used the network; without this option such scripts always run.
    #[arg(long, requires = "network", conflicts_with = "no_cache")]
    cache_network: bool,
}

impl Caching {
    fn reuse(self) -> Reuse {
        Reuse { off: self.no_cache, network: self.cache_network }
    }
}

#[derive(Debug, Args)]
pub(super) struct Prepare {
    #[command(flatten)]
    location: Location,
    /// Write the new root tree to this directory (default: defaultroot of the description).
    #[arg(long, short = 'r', value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(flatten)]
    selecting: Selecting,
    /// Also install the packages of this image type.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
    /// Give the description's scripts access to the network.
    #[arg(long)]
    network: bool,
    #[command(flatten)]
    caching: Caching,
}

impl Prepare {
    pub(super) fn operation(self) -> Operation {
        Operation::Prepare(prepare::Request {
            description: self.location.path(),
            root: self.root,
            image_type: self.image_type,
            network: self.network,
            reuse: self.caching.reuse(),
            profiles: self.selecting.profiles,
            overrides: self.selecting.sources.overrides(),
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The root tree.
    root: PathBuf,
    #[command(flatten)]
    creating: Creating,
    /// Build a boot image that has its own description without the cache.
    #[arg(long)]
    no_cache: bool,
}

impl Create {
    pub(super) fn operation(self) -> Operation {
        Operation::Create(create::Request {
            root: self.root,
            destdir: self.creating.destdir,
            make_destdir: false,
            image_type: self.creating.image_type,
            reuse: Reuse { off: self.no_cache, network: false },
            verify_key: self.creating.verify_key,
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct Build {
    #[command(flatten)]
    location: Location,
    /// Keep the root tree in this directory.
    #[arg(long, short = 'r', value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(flatten)]
    creating: Creating,
    #[command(flatten)]
    selecting: Selecting,
    /// Give the description's scripts access to the network.
    #[arg(long)]
    network: bool,
    /// Write kiwi.lock into the description directory: every package of this build with version, digest and source.
    #[arg(long, conflicts_with = "locked")]
    lock: bool,
    /// Build with exactly the packages of kiwi.lock; fail if one is no longer available.
    #[arg(long)]
    locked: bool,
    #[command(flatten)]
    caching: Caching,
    /// Build every image type of the description, each in a directory with its name; several types can also be given
    /// to --type, separated by commas.
    #[arg(long, conflicts_with = "image_type")]
    all_types: bool,
    /// Show which stages would run, which would come from the cache and why, without building.
    #[arg(long, conflicts_with = "root")]
    explain: bool,
}

impl Build {
    pub(super) fn operation(self) -> Operation {
        let lock = match (self.lock, self.locked) {
            (true, _) => LockMode::Write,
            (false, true) => LockMode::Use,
            (false, false) => LockMode::Free,
        };
        Operation::Build(build::Request {
            lock,
            description: self.location.path(),
            root: self.root,
            destdir: self.creating.destdir,
            make_destdir: false,
            image_type: self.creating.image_type,
            all_types: self.all_types,
            profiles: self.selecting.profiles,
            overrides: Overrides {
                verify_key: self.creating.verify_key,
                ..self.selecting.sources.overrides()
            },
            network: self.network,
            reuse: self.caching.reuse(),
            explain: self.explain,
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct Upgrade {
    /// The root tree.
    root: PathBuf,
    #[command(flatten)]
    sources: Sources,
}

impl Upgrade {
    pub(super) fn operation(self) -> Operation {
        Operation::Upgrade(upgrade::Request { root: self.root, overrides: self.sources.overrides() })
    }
}
