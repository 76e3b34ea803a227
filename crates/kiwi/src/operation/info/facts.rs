//! The facts of `kiwi info` as plain values: the JSON document that docs/check-and-convert.md describes.

use std::collections::BTreeMap;

use description::{Description, PackageSet, ProfileName, Repository, RepositoryType, Selection};
use serde::Serialize;

use crate::prepare::Package;

/// Version of the document. New fields keep it; a change of an existing one raises it.
const VERSION: u32 = 1;

/// The document.
#[derive(Debug, Serialize)]
pub(super) struct Info {
    version: u32,
    pub(super) name: String,
    pub(super) display_name: Option<String>,
    pub(super) image_version: String,
    pub(super) schema: String,
    pub(super) author: String,
    pub(super) contact: String,
    pub(super) specification: String,
    /// All declared profiles.
    pub(super) types: Vec<Type>,
    pub(super) profiles: Vec<Profile>,
    /// What a build with this choice uses; `None` if only profiles have types, and none was chosen.
    pub(super) build: Option<Build>,
    pub(super) repositories: Vec<Source>,
    pub(super) packages: Packages,
    /// Every package that would be installed; `None` if the repositories were not read.
    pub(super) resolved: Option<Vec<Resolved>>,
    /// The variables of `.profile`.
    pub(super) profile: BTreeMap<String, String>,
    #[serde(skip)]
    profile_text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) primary: bool,
    /// The profiles of its section; empty: it applies to all.
    pub(super) profiles: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) import: bool,
    pub(super) requires: Vec<String>,
    pub(super) active: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Build {
    #[serde(rename = "type")]
    pub(super) image_type: String,
    pub(super) architecture: String,
    pub(super) profiles: Vec<String>,
    pub(super) package_manager: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Source {
    pub(super) source: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<&'static str>,
    pub(super) alias: Option<String>,
    pub(super) priority: Option<i64>,
    pub(super) distribution: Option<String>,
    pub(super) components: Vec<String>,
    pub(super) in_image: bool,
    pub(super) used_by_build: bool,
}

#[derive(Debug, Serialize, Default)]
pub(super) struct Packages {
    pub(super) bootstrap: Vec<String>,
    pub(super) image: Vec<String>,
    pub(super) patterns: Vec<String>,
    pub(super) ignored: Vec<String>,
    pub(super) uninstall: Vec<String>,
    pub(super) delete: Vec<String>,
    pub(super) archives: Vec<String>,
}

/// One package that would be installed.
#[derive(Debug, Serialize)]
pub(super) struct Resolved {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) architecture: String,
    pub(super) file: String,
    pub(super) uri: String,
    pub(super) sha256: String,
}

impl Resolved {
    pub(super) fn new(package: &Package, file: String) -> Self {
        let Package { name, version, architecture, checksum, location, size: _ } = package.clone();
        Self { name, version, architecture, file, uri: location, sha256: checksum }
    }
}

impl Info {
    pub(super) fn new(description: &Description, selection: &Selection) -> Self {
        let profile = crate::prepare::profile_variables(selection);
        Self {
            version: VERSION,
            name: selection.name.to_string(),
            display_name: selection.settings.display_name.clone(),
            image_version: selection.version.to_string(),
            schema: description.schema_version.to_string(),
            author: selection.author.clone(),
            contact: selection.contact.clone(),
            specification: selection.specification.trim().to_owned(),
            types: types(description),
            profiles: profiles(description, &selection.profiles),
            build: Some(Build {
                image_type: selection.image_type.keyword().to_owned(),
                architecture: selection.architecture.to_string(),
                profiles: texts(&selection.profiles),
                package_manager: selection.package_manager.keyword().to_owned(),
            }),
            repositories: selection.repositories.iter().map(source).collect(),
            packages: packages(selection),
            resolved: None,
            profile: profile.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            profile_text: crate::prepare::profile_text(&profile),
        }
    }

    /// Returns the facts of a description of which nothing is selected.
    pub(super) fn of_description(description: &Description) -> Self {
        Self {
            version: VERSION,
            name: description.name.to_string(),
            display_name: description.display_name.clone(),
            image_version: description.version.to_string(),
            schema: description.schema_version.to_string(),
            author: description.author.clone(),
            contact: description.contact.clone(),
            specification: description.specification.trim().to_owned(),
            types: types(description),
            profiles: profiles(description, &[]),
            build: None,
            repositories: Vec::new(),
            packages: Packages::default(),
            resolved: None,
            profile: BTreeMap::new(),
            profile_text: String::new(),
        }
    }

    /// Returns `.profile` as the build writes it.
    pub(super) fn profile_text(&self) -> &str {
        &self.profile_text
    }
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn types(description: &Description) -> Vec<Type> {
    let entry = |(entry, profiles): (&description::TypeEntry, &[ProfileName])| Type {
        name: entry.keyword.clone(),
        primary: entry.primary,
        profiles: texts(profiles),
    };
    description.types_with_profiles().map(entry).collect()
}

fn profiles(description: &Description, active: &[ProfileName]) -> Vec<Profile> {
    let profile = |profile: &description::Profile| Profile {
        name: profile.name.to_string(),
        description: profile.description.clone(),
        import: profile.import,
        requires: profile.requires.iter().map(|requirement| requirement.profile.to_string()).collect(),
        active: active.contains(&profile.name),
    };
    description.profiles.iter().map(profile).collect()
}

fn source(repository: &Repository) -> Source {
    Source {
        source: repository.source.without_login(),
        kind: repository.kind.map(RepositoryType::keyword),
        alias: repository.alias.clone(),
        priority: repository.priority,
        distribution: repository.distribution.clone(),
        components: repository.components.clone(),
        in_image: repository.in_image,
        used_by_build: !repository.image_only,
    }
}

fn packages(selection: &Selection) -> Packages {
    let names = |set: &PackageSet| -> Vec<String> {
        set.packages.iter().map(|package| package.name.to_string()).collect()
    };
    let both = || [&selection.bootstrap, &selection.image];
    Packages {
        bootstrap: names(&selection.bootstrap),
        image: names(&selection.image),
        patterns: both()
            .iter()
            .flat_map(|set| {
                let products = set.products.iter().map(|product| format!("product:{product}"));
                texts(&set.patterns).into_iter().chain(products)
            })
            .collect(),
        ignored: both().iter().flat_map(|set| texts(&set.ignored)).collect(),
        uninstall: texts(&selection.uninstall),
        delete: texts(&selection.delete),
        archives: both()
            .iter()
            .flat_map(|set| set.archives.iter().map(|archive| archive.name.clone()))
            .collect(),
    }
}
