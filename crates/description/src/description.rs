//! A valid description: everything that was written, before a type, profiles and an architecture are chosen.
//!
//! `load.rs` reads one; `select.rs` chooses.

use std::collections::BTreeMap;

use crate::unsupported::Unsupported;
use crate::{
    Architecture, ArchitectureList, Deploy, DescriptionArchive, DescriptionFile, DescriptionKind, Drivers,
    ImageName, ImageType, Machine, PackageManager, PackageName, PatternName, PatternType, Profile,
    ProfileName, Repository, SchemaVersion, SourcePath, Span, SplitFiles, User, UserName, Version,
};

/// A valid description.
#[derive(Debug, Clone)]
pub struct Description {
    /// The schema it was written in.
    pub schema_version: SchemaVersion,
    /// `image/@name`
    pub name: ImageName,
    /// `image/@displayname`
    pub display_name: Option<String>,
    /// `image/@id`
    pub image_id: Option<String>,
    /// The first `<version>`.
    pub version: Version,
    /// `image/@inherit`: the description whose packages come first. The caller loads it, detects cycles and
    /// calls [`Description::prepend_packages`].
    pub inherit: Option<Inherit>,
    /// `description/@type`
    pub kind: DescriptionKind,
    /// `<author>`
    pub author: String,
    /// The first `<contact>`.
    pub contact: String,
    /// `<specification>`
    pub specification: String,
    /// Declared profiles.
    pub profiles: Vec<Profile>,
    /// The first `<defaultdestination>`, used without `--destdir`.
    pub default_destination: Option<String>,
    /// The first `<defaultroot>`, used without `--root`.
    pub default_root: Option<String>,
    /// `<split>` outside of the types
    pub split: Option<SplitFiles>,
    /// The `<deploy>` of the image: for every type that has none of its own.
    pub(crate) deploy: Option<Deploy>,
    pub(crate) preferences: Vec<Section<Preferences>>,
    pub(crate) users: Vec<Section<Vec<UserEntry>>>,
    pub(crate) drivers: Vec<Section<DriverSection>>,
    pub(crate) repositories: Vec<Section<RepositoryEntry>>,
    pub(crate) packages: Vec<Section<PackageSection>>,
    /// Sections that are known and not built.
    pub(crate) unsupported: Vec<Section<()>>,
    pub(crate) image_span: Span,
    pub(crate) profiles_span: Option<Span>,
}

impl Description {
    /// Returns the types of all preferences sections, in the order of the text.
    pub fn types(&self) -> impl Iterator<Item = &TypeEntry> {
        self.preferences.iter().flat_map(|section| &section.content.types)
    }

    /// Returns where the first `<packagemanager>` is.
    pub fn package_manager_span(&self) -> Option<&Span> {
        self.preferences.iter().find_map(|section| section.content.package_manager_span.as_ref())
    }

    /// Returns where the first archive of this name is.
    pub fn archive_span(&self, name: &str) -> Option<&Span> {
        let mut archives = self.packages.iter().flat_map(|section| &section.content.archives);
        archives.find(|(archive, _)| archive.name == name).map(|(_, span)| span)
    }

    /// Returns where the first repository with this source is.
    pub fn source_span(&self, source: &SourcePath, architecture: &Architecture) -> Option<&Span> {
        let mut entries = self.repositories.iter().map(|section| &section.content);
        let found =
            entries.find(|entry| SourcePath::parse(&entry.path, architecture).as_ref() == Some(source));
        found.map(|entry| &entry.span)
    }

    /// Returns where the first user of this name is.
    pub fn user_span(&self, name: &UserName) -> Option<&Span> {
        let mut users = self.users.iter().flat_map(|section| &section.content);
        users.find(|entry| entry.user.name == *name).map(|entry| &entry.span)
    }

    /// The position of its `<image>`, for errors about missing elements.
    pub fn span(&self) -> &Span {
        &self.image_span
    }

    /// Like `types`, each with the profiles of its section; none: it always applies.
    pub fn types_with_profiles(&self) -> impl Iterator<Item = (&TypeEntry, &[ProfileName])> {
        self.preferences.iter().flat_map(|section| {
            let profiles = section.condition.profiles.as_deref().unwrap_or_default();
            section.content.types.iter().map(move |entry| (entry, profiles))
        })
    }

    /// Inserts the packages sections of `base` before the own ones; nothing else is inherited.
    pub fn prepend_packages(&mut self, base: &Description) {
        self.packages.splice(..0, base.packages.iter().cloned());
    }
}

/// `image/@inherit`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inherit {
    /// The path as written.
    pub path: String,
    /// Its position.
    pub span: Span,
}

/// One `<type>`.
#[derive(Debug, Clone)]
pub struct TypeEntry {
    /// Its keyword, as `--type` takes it.
    pub keyword: String,
    /// The position of its `<type>`.
    pub span: Span,
    /// Whether it has `primary="true"`.
    pub primary: bool,
    /// The description of its boot image that `boot=` names, and its position.
    pub boot: Option<(String, Span)>,
    /// Whether it has a `format=`.
    pub(crate) has_format: bool,
    /// `bundle_format=`: the file names of a bundle.
    pub(crate) bundle_format: Option<String>,
    /// The `<deploy>` inside it, which concerns no other type.
    pub(crate) deploy: Option<Deploy>,
    /// The variables of scripts.
    pub(crate) variables: BTreeMap<&'static str, String>,
    /// Its meaning; none when the keyword is known and not supported.
    pub(crate) image_type: Option<ImageType>,
    pub(crate) unsupported: Vec<Unsupported>,
}

impl TypeEntry {
    /// Returns its variables, and those of the first preferences that have each of them.
    pub(crate) fn with_variables_of<'p>(
        &self,
        preferences: impl Iterator<Item = &'p Preferences>,
    ) -> BTreeMap<&'static str, String> {
        let mut variables = self.variables.clone();
        for (name, value) in preferences.flat_map(|section| &section.variables) {
            variables.entry(*name).or_insert_with(|| value.clone());
        }
        variables
    }
}

/// The conditions under which a section applies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Condition {
    /// `profiles=`; none: every profile.
    pub(crate) profiles: Option<Vec<ProfileName>>,
    /// `arch=`
    pub(crate) architectures: ArchitectureList,
}

impl Condition {
    /// Returns whether the section applies to a build with these profiles on this architecture.
    pub(crate) fn holds(&self, profiles: &[ProfileName], architecture: &Architecture) -> bool {
        let profile = self.profiles.as_ref().is_none_or(|any| any.iter().any(|name| profiles.contains(name)));
        profile && self.architectures.allows(architecture)
    }
}

/// One section with its condition.
#[derive(Debug, Clone)]
pub(crate) struct Section<T> {
    pub(crate) condition: Condition,
    /// The settings of this section that are not supported.
    pub(crate) unsupported: Vec<Unsupported>,
    pub(crate) content: T,
}

/// One `<preferences>`.
#[derive(Debug, Clone)]
pub(crate) struct Preferences {
    pub(crate) span: Span,
    pub(crate) types: Vec<TypeEntry>,
    pub(crate) version: Option<Version>,
    pub(crate) package_manager: Option<PackageManager>,
    pub(crate) package_manager_span: Option<Span>,
    pub(crate) check_signatures: Option<bool>,
    pub(crate) release_version: Option<String>,
    pub(crate) exclude_docs: Option<bool>,
    pub(crate) force: Option<bool>,
    pub(crate) filter_locales: Option<bool>,
    pub(crate) keytable: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) default_destination: Option<String>,
    pub(crate) default_root: Option<String>,
    pub(crate) compressed: Option<bool>,
    /// The variables of scripts.
    pub(crate) variables: BTreeMap<&'static str, String>,
}

/// One `<user>`.
#[derive(Debug, Clone)]
pub(crate) struct UserEntry {
    pub(crate) user: User,
    pub(crate) span: Span,
}

/// One `<drivers>`; a file may be limited to some architectures.
#[derive(Debug, Clone)]
pub(crate) struct DriverSection {
    pub(crate) drivers: Drivers,
    /// One entry for each file.
    pub(crate) architectures: Vec<ArchitectureList>,
}

/// One `<repository>`; `%arch` is still in its path.
#[derive(Debug, Clone)]
pub(crate) struct RepositoryEntry {
    pub(crate) path: String,
    /// Where the path is.
    pub(crate) span: Span,
    pub(crate) repository: Repository,
}

/// The `type` of a packages section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PackagesFor {
    Bootstrap,
    Image,
    Delete,
    Uninstall,
    /// Files that the list of packages excludes: nothing is installed.
    SystemFiles,
    /// `xen`, `vmware`, or the keyword of an image type.
    Type(String),
}

/// One `<packages>`.
#[derive(Debug, Clone)]
pub(crate) struct PackageSection {
    pub(crate) packages_for: PackagesFor,
    pub(crate) packages: Vec<(PackageName, ArchitectureList)>,
    pub(crate) ignored: Vec<(PackageName, ArchitectureList)>,
    pub(crate) patterns: Vec<(PatternName, ArchitectureList)>,
    pub(crate) products: Vec<(PackageName, ArchitectureList)>,
    pub(crate) archives: Vec<(DescriptionArchive, Span)>,
    pub(crate) files: Vec<(DescriptionFile, ArchitectureList)>,
    pub(crate) pattern_type: PatternType,
    pub(crate) machine: Option<Machine>,
    /// The positions of the names of its packages.
    pub(crate) positions: Vec<(PackageName, Span)>,
}
