//! Arguments of the verbs that build: prepare, create, build, upgrade.

use std::path::PathBuf;

use clap::Args;
use description::{Bills, DiskFormat, Reports};

use super::debug::Debug;
use super::location::Location;
use super::sources::{Packages, Replacement, Repositories};
use crate::operation::locking::LockMode;
use crate::operation::{
    ImageOptions, Operation, Overrides, PackagePath, RepositoryOptions, Reuse, build, create, prepare,
    upgrade,
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
    #[command(flatten)]
    repositories: Repositories,
    /// Type of the repository that the --add-repo of the same position specifies (apt-deb, rpm-md, ...).
    #[arg(long = "add-repotype", value_name = "TYPE")]
    add_repotype: Vec<String>,
    #[command(flatten)]
    replacement: Replacement,
    /// Type of the repository that --set-repo specifies.
    #[arg(long = "set-repotype", value_name = "TYPE")]
    set_repotype: Option<String>,
    #[command(flatten)]
    packages: Packages,
    /// Use repositories that are older than their release files allow, such as archives and snapshots.
    #[arg(long)]
    ignore_valid_until: bool,
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
        let set = self.replacement.set_repo.map(|source| RepositoryOptions {
            option: "--set-repo",
            source,
            kind,
            ..RepositoryOptions::default()
        });
        let added = self.repositories.add_repo.iter();
        let added = added.map(|written| RepositoryOptions::written("--add-repo", written, kinds.next()));
        Overrides {
            ignore_repositories: self.repositories.ignored(),
            set_repository: set,
            add_repositories: added.collect(),
            add_packages: self.packages.add_package,
            ignore_valid_until: self.ignore_valid_until,
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
    #[command(flatten)]
    image: ImageArguments,
}

/// How images are made.
#[derive(Debug, Args, Clone)]
struct ImageArguments {
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', value_parser = disk_format, help = format_help())]
    format: Vec<DiskFormat>,
    /// Public key of minisign (minisign.pub): a network client accepts only images that this key has signed
    /// (kiwi pxe publish --sign).
    #[arg(long, value_name = "FILE")]
    verify_key: Option<PathBuf>,
    /// Kernel that fills a file system for which there is no program, such as reiserfs, if that of the tree cannot:
    /// ROOT/boot/vmlinuz-VERSION with its modules in ROOT/lib/modules/VERSION.
    #[arg(long, value_name = "FILE")]
    helper_kernel: Option<PathBuf>,
    /// Remove the symbols of programs and libraries, which makes the image smaller and crashes harder to understand.
    #[arg(long)]
    strip: bool,
    /// Write a bill of materials beside the image: its packages with their origin and licences.
    #[arg(long, value_name = "FORM", value_enum)]
    sbom: Option<Sbom>,
    /// Write N.changes: the change logs of all packages of the image.
    #[arg(long)]
    changes: bool,
    /// Write N.verified: the files that differ from what their packages contain.
    #[arg(long)]
    verified: bool,
    /// Record the plain SHA-256 of sparse files, too, which reads their holes as zeros.
    #[arg(long)]
    checksums: bool,
}

impl ImageArguments {
    fn options(self) -> ImageOptions {
        let Self { format, verify_key, helper_kernel, strip, sbom, changes, verified, checksums } = self;
        let reports = Reports { changes, verified };
        ImageOptions {
            verify_key,
            helper_kernel,
            formats: format,
            strip,
            bills: Sbom::bills(sbom),
            reports,
            checksums,
        }
    }
}

fn disk_format(text: &str) -> Result<DiskFormat, String> {
    DiskFormat::parse(text).ok_or_else(|| format!("expected one of {}", format_keywords()))
}

/// Returns the keywords of the formats of disks.
fn format_keywords() -> String {
    DiskFormat::WORDS.map(|(keyword, _)| keyword).join(", ")
}

/// Returns the help of `--format`.
fn format_help() -> String {
    format!(
        "Write a virtual disk in these formats, separated by commas, instead of that of the description: {}",
        format_keywords()
    )
}

/// Returns the help of `--type`, which lists the image types that can be built.
fn type_help() -> String {
    let built: Vec<&str> = description::built_types().collect();
    format!(
        "Build this image type of the description (default: the primary one); supported: {}",
        built.join(", ")
    )
}

/// `--sbom`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sbom {
    /// SPDX 3.0.1, N.spdx.json.
    Spdx,
    /// CycloneDX 1.6, N.cdx.json.
    #[value(name = "cyclonedx")]
    CycloneDx,
    /// Both files.
    Both,
}

impl Sbom {
    fn bills(option: Option<Self>) -> Bills {
        Bills {
            spdx: matches!(option, Some(Self::Spdx | Self::Both)),
            cyclonedx: matches!(option, Some(Self::CycloneDx | Self::Both)),
        }
    }
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
    #[command(flatten)]
    debug: Debug,
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
            debugging: self.debug.options(self.network),
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
    #[command(flatten)]
    debug: Debug,
}

impl Create {
    pub(super) fn operation(self) -> Operation {
        Operation::Create(create::Request {
            root: self.root,
            destdir: self.creating.destdir,
            make_destdir: false,
            image_type: self.creating.image_type,
            reuse: Reuse { off: self.no_cache, network: false },
            image: self.creating.image.options(),
            debugging: self.debug.options(false),
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
    /// Build every image type of the description and of its profiles (of those that --profile names), each in a directory
    /// with its name; several types can also be given to --type, separated by commas.
    #[arg(long, conflicts_with = "image_type")]
    all_types: bool,
    /// Show which stages would run, which would come from the cache and why, without building.
    #[arg(long, conflicts_with = "root")]
    explain: bool,
    #[command(flatten)]
    debug: Debug,
}

impl Build {
    pub(super) fn operation(self) -> Operation {
        Operation::Build(self.request())
    }

    pub(super) fn request(self) -> build::Request {
        let lock = match (self.lock, self.locked) {
            (true, _) => LockMode::Write,
            (false, true) => LockMode::Use,
            (false, false) => LockMode::Free,
        };
        build::Request {
            lock,
            description: self.location.path(),
            root: self.root,
            destdir: self.creating.destdir,
            make_destdir: false,
            image_type: self.creating.image_type,
            all_types: self.all_types,
            profiles: self.selecting.profiles,
            overrides: Overrides {
                image: self.creating.image.options(),
                ..self.selecting.sources.overrides()
            },
            network: self.network,
            reuse: self.caching.reuse(),
            explain: self.explain,
            debugging: self.debug.options(self.network),
        }
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
