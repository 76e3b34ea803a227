//! The changes of the command line to a description, for one run only.

use std::path::PathBuf;

use anyhow::Result;
use description::{
    Architecture, Bills, Boots, DescriptionKind, DiskFormat, ImageType, Origin, Package, PackageName,
    Reports, Repository, RepositoryStatus, RepositoryType, Selection, SourcePath, SourceType,
};

use crate::create;
use crate::failure::fail;
use crate::initrd::HelperKernel;
use crate::prepare::PackagePath;
use crate::signature;

/// The changes, in the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Which repositories of the description are ignored.
    pub ignore_repositories: IgnoreRepositories,
    /// Replaces the first repository.
    pub set_repository: Option<RepositoryOptions>,
    /// Added after those of the description.
    pub add_repositories: Vec<RepositoryOptions>,
    /// Signing keys for every repository.
    pub signing_keys: Vec<String>,
    /// Additional packages.
    pub add_packages: Vec<String>,
    /// Additional packages of the bootstrap phase.
    pub add_bootstrap_packages: Vec<String>,
    /// Packages removed at the end.
    pub delete_packages: Vec<String>,
    /// Whether repositories may be older than their release files allow.
    pub ignore_valid_until: bool,
    /// How packages are installed in a new tree.
    pub package_path: PackagePath,
    /// How images are made.
    pub image: ImageOptions,
}

/// How images are made of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// A public key file of minisign: the boot image of a network client accepts only what this key has signed.
    pub verify_key: Option<PathBuf>,
    /// A kernel that fills file systems that no program fills, if that of the tree cannot.
    pub helper_kernel: Option<PathBuf>,
    /// The formats of a virtual disk; empty: that of the description.
    pub formats: Vec<DiskFormat>,
    /// Whether programs and libraries lose their symbols in the image.
    pub strip: bool,
    /// The bills of materials beside the image.
    pub bills: Bills,
    /// The reports about packages beside the image.
    pub reports: Reports,
    /// Whether the record of the result has the plain SHA-256 of sparse files, too.
    pub checksums: bool,
}

/// Which repositories of the description a build ignores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IgnoreRepositories {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// Those that the build would use; the image's own configuration still gets those that are meant for it.
    UsedForBuild,
}

/// A repository on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryOptions {
    /// The option, for messages.
    pub option: &'static str,
    /// Its location.
    pub source: String,
    /// Its type; `None`: that of the replaced repository, or the one that the source implies.
    pub kind: Option<String>,
    /// What its location leads to.
    pub source_type: SourceType,
    /// Its name.
    pub alias: Option<String>,
    /// Its priority.
    pub priority: Option<i64>,
    /// Whether the image's own configuration gets it.
    pub in_image: bool,
    /// Whether its packages are verified.
    pub check_packages: Option<bool>,
    /// Whether its index is verified.
    pub check_repository: Option<bool>,
    /// Its signing keys.
    pub signing_keys: Vec<String>,
    /// Components of an apt repository.
    pub components: Vec<String>,
    /// Suite of an apt repository.
    pub distribution: Option<String>,
    /// User and password.
    pub credentials: Option<(String, String)>,
}

impl ImageOptions {
    fn apply(&self, selection: &mut Selection) -> Result<()> {
        selection.strip = self.strip;
        selection.bills = self.bills;
        selection.reports = self.reports;
        selection.checksums = self.checksums;
        if !self.formats.is_empty() {
            let keyword = selection.image_type.keyword();
            let ImageType::Disk(disk) = &mut selection.image_type else {
                fail!(
                    Usage,
                    "--format is for virtual disks, and type {keyword} is none; leave the option out, or choose a disk \
                     with --type"
                );
            };
            if self.formats.contains(&DiskFormat::Vagrant) && disk.boxes.is_empty() {
                fail!(
                    Usage,
                    "--format vagrant needs a <vagrantconfig> in the type; add it, or leave vagrant out"
                );
            }
            for format in &self.formats {
                if !disk.requested_formats.contains(format) {
                    disk.requested_formats.push(*format);
                }
            }
        }
        if let Some(path) = &self.helper_kernel {
            HelperKernel::parse(path)?;
            if !create::needs_helper(&selection.image_type) {
                fail!(
                    Usage,
                    "--helper-kernel is for file systems that only a kernel fills, such as reiserfs, and type {} has none; leave \
                     the option out",
                    selection.image_type.keyword()
                );
            }
            selection.helper_kernel = Some(path.canonicalize()?);
        }
        if let Some(path) = &self.verify_key {
            let is_client = matches!(selection.image_type.boots(), Some(Boots::Pxe(_)));
            if !is_client && selection.kind != DescriptionKind::Boot {
                fail!(
                    Usage,
                    "--verify-key is for the boot image of network clients, and type {} has none; leave the option out, or \
                     build type pxe",
                    selection.image_type.keyword()
                );
            }
            selection.verify_key = Some(signature::public_key(path)?);
        }
        Ok(())
    }
}

impl Overrides {
    /// Applies the changes (docs/formats/command-lines.md).
    pub(super) fn apply(&self, selection: &mut Selection) -> Result<()> {
        match self.ignore_repositories {
            IgnoreRepositories::None => {}
            IgnoreRepositories::All => selection.repositories.clear(),
            IgnoreRepositories::UsedForBuild => {
                selection.repositories.retain(|repository| repository.in_image || repository.image_only);
                for repository in &mut selection.repositories {
                    repository.image_only = true;
                }
            }
        }
        if let Some(keywords) = &self.set_repository {
            self.replace_first(keywords, selection)?;
        }
        for keywords in &self.add_repositories {
            selection.repositories.push(keywords.repository(&selection.architecture)?);
        }
        // A repository of the command line replaces everything that only stands for one.
        if self.set_repository.is_some() || !self.add_repositories.is_empty() {
            selection.repositories.retain(|repository| !repository.is_placeholder());
        }
        for repository in &mut selection.repositories {
            repository.signing_keys.extend(self.signing_keys.iter().cloned());
            repository.valid_until &= !self.ignore_valid_until;
        }
        for (option, names, set) in [
            ("--add-package", &self.add_packages, &mut selection.image),
            ("--add-bootstrap-package", &self.add_bootstrap_packages, &mut selection.bootstrap),
        ] {
            for name in names {
                set.packages.push(Package { name: package(option, name)? });
            }
            set.packages.sort();
            set.packages.dedup();
        }
        for name in &self.delete_packages {
            let name = package("--delete-package", name)?;
            if !selection.delete.contains(&name) {
                selection.delete.push(name);
            }
        }
        self.image.apply(selection)
    }

    /// Only what was specified replaces a property of the first repository.
    fn replace_first(&self, keywords: &RepositoryOptions, selection: &mut Selection) -> Result<()> {
        let Some(first) = selection.repositories.first_mut() else {
            if self.ignore_repositories == IgnoreRepositories::None {
                fail!(
                    Usage,
                    "--set-repo replaces the first repository of the description, but it has none; use --add-repo"
                );
            }
            selection.repositories.push(keywords.repository(&selection.architecture)?);
            return Ok(());
        };
        first.source = keywords.source_path(&selection.architecture)?;
        first.source_type = keywords.source_type;
        first.origin = Origin::Option(keywords.option);
        if let Some(keyword) = &keywords.kind {
            first.kind = Some(keywords.repository_type(keyword)?);
        }
        first.alias = keywords.alias.clone().or(first.alias.take());
        first.priority = keywords.priority.or(first.priority);
        first.in_image |= keywords.in_image;
        first.check_packages = keywords.check_packages.or(first.check_packages);
        first.check_repository = keywords.check_repository.or(first.check_repository);
        first.signing_keys.extend(keywords.signing_keys.iter().cloned());
        first.distribution = keywords.distribution.clone().or(first.distribution.take());
        if !keywords.components.is_empty() {
            first.components.clone_from(&keywords.components);
        }
        first.credentials = keywords.credentials.clone().or(first.credentials.take());
        Ok(())
    }
}

fn package(option: &str, name: &str) -> Result<PackageName> {
    match PackageName::parse(name) {
        Some(name) => Ok(name),
        None => fail!(Usage, "{option} {name}: expected {}", PackageName::EXPECTED),
    }
}

impl RepositoryOptions {
    /// Parses `SOURCE`, for apt also `SOURCE DISTRIBUTION COMPONENT...`.
    pub fn written(option: &'static str, written: &str, kind: Option<String>) -> Self {
        let mut keywords = written.split_whitespace();
        Self {
            option,
            source: keywords.next().unwrap_or_default().to_owned(),
            kind,
            distribution: keywords.next().map(str::to_owned),
            components: keywords.map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    fn repository(&self, architecture: &Architecture) -> Result<Repository> {
        let source = self.source_path(architecture)?;
        let kind = match (&self.kind, &source) {
            (Some(keyword), _) => self.repository_type(keyword)?,
            (None, SourcePath::Debian(_) | SourcePath::DebianSnapshot { .. }) => RepositoryType::AptDeb,
            (None, _) => {
                fail!(
                    Usage,
                    "{0} {1} needs its type: give one {0}type for each {0}",
                    self.option,
                    self.source
                )
            }
        };
        Ok(Repository {
            kind: Some(kind),
            status: RepositoryStatus::Fixed,
            source,
            source_type: self.source_type,
            customize: None,
            alias: self.alias.clone(),
            priority: self.priority,
            distribution: self.distribution.clone(),
            components: self.components.clone(),
            architectures: Vec::new(),
            check_repository: self.check_repository,
            check_packages: self.check_packages,
            signing_keys: self.signing_keys.clone(),
            in_image: self.in_image,
            image_only: false,
            credentials: self.credentials.clone(),
            valid_until: true,
            origin: Origin::Option(self.option),
        })
    }

    fn source_path(&self, architecture: &Architecture) -> Result<SourcePath> {
        match SourcePath::parse(&self.source, architecture) {
            Some(source) if !matches!(source, SourcePath::Placeholder(_)) => Ok(source),
            Some(_) | None => fail!(
                Usage,
                "{} {}: expected an absolute path, dir:PATH, this://PATH, http(s)://, ftp://, opensuse://, obs:// or \
                 debian://SUITE",
                self.option,
                self.source
            ),
        }
    }

    fn repository_type(&self, keyword: &str) -> Result<RepositoryType> {
        match RepositoryType::parse(keyword) {
            Some(kind) => Ok(kind),
            None => {
                let keywords: Vec<&str> = RepositoryType::WORDS.iter().map(|(keyword, _)| *keyword).collect();
                fail!(Usage, "{}type {keyword}: expected one of {}", self.option, keywords.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use description::{Choice, Description, SourceFile};

    use super::*;
    use crate::failure::{Failure, Kind};

    fn selection() -> Selection {
        let text = r#"<image schemaversion="8.5" name="x"><description type="system"><author>A</author><contact>C</contact>
            <specification>S</specification></description><preferences><version>1.0.0</version>
            <packagemanager>apt</packagemanager><type image="ext4"/></preferences>
            <repository alias="one" type="apt-deb"><source path="debian://bookworm"/></repository>
            <repository alias="two" imageinclude="true"><source path="http://example.org/x"/></repository>
            <packages type="image"><package name="less"/></packages></image>"#;
        let file = SourceFile { name: "config.xml".to_owned(), text: text.to_owned() };
        Description::parse(file).description.unwrap().select(&Choice::default()).unwrap()
    }

    fn sources(overrides: &Overrides) -> Vec<String> {
        let mut selection = selection();
        overrides.apply(&mut selection).unwrap();
        let shown = |repository: &Repository| {
            let use_of = if repository.image_only { " image only" } else { "" };
            format!("{}{use_of}", repository.source)
        };
        selection.repositories.iter().map(shown).collect()
    }

    fn debian(option: &'static str) -> RepositoryOptions {
        RepositoryOptions::written(option, "debian://trixie", None)
    }

    #[test]
    fn ignores_replaces_and_adds_repositories() {
        let mut overrides = Overrides { set_repository: Some(debian("--set-repo")), ..Overrides::default() };
        assert_eq!(sources(&overrides), ["debian://trixie", "http://example.org/x"]);
        overrides.ignore_repositories = IgnoreRepositories::All;
        assert_eq!(sources(&overrides), ["debian://trixie"]);
        let overrides = Overrides {
            ignore_repositories: IgnoreRepositories::UsedForBuild,
            add_repositories: vec![debian("--add-repo")],
            ..Overrides::default()
        };
        assert_eq!(sources(&overrides), ["http://example.org/x image only", "debian://trixie"]);
    }

    #[test]
    fn keeps_unspecified_properties_of_the_replaced_repository() {
        let mut selection = selection();
        let overrides = Overrides { set_repository: Some(debian("--set-repo")), ..Overrides::default() };
        overrides.apply(&mut selection).unwrap();
        let first = &selection.repositories[0];
        assert_eq!((first.alias.as_deref(), first.kind), (Some("one"), Some(RepositoryType::AptDeb)));
    }

    #[test]
    fn a_wrong_source_names_its_option() {
        let keywords = RepositoryOptions::written("--add-repo", "nowhere", None);
        let overrides = Overrides { add_repositories: vec![keywords], ..Overrides::default() };
        let error = overrides.apply(&mut selection()).unwrap_err();
        let failure = error.downcast_ref::<Failure>().unwrap();
        assert_eq!(failure.kind, Kind::Usage);
        assert!(failure.message.contains("--add-repo nowhere"), "{error}");
    }
    #[test]
    fn a_key_of_downloads_is_for_network_clients_and_must_be_a_public_key() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let overrides = Overrides {
            image: ImageOptions { verify_key: Some(file.path().to_owned()), ..ImageOptions::default() },
            ..Overrides::default()
        };
        let kind_of = |selection: &mut Selection| {
            let error = overrides.apply(selection).unwrap_err();
            error.downcast_ref::<Failure>().map(|failure| failure.kind)
        };
        assert_eq!(kind_of(&mut selection()), Some(Kind::Usage));
        let mut boot = Selection { kind: DescriptionKind::Boot, ..selection() };
        assert_eq!(kind_of(&mut boot), Some(Kind::Damaged));
        let key = "RWQFt/X5hw6Z0RQqTabdzx2mmB+cHccJb3pkP8Lw20INCHzp1AoxXBk3";
        std::fs::write(file.path(), format!("untrusted comment: x\n{key}\n")).unwrap();
        overrides.apply(&mut boot).unwrap();
        assert_eq!(boot.verify_key.as_deref(), Some(key));
    }
}
