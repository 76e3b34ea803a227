//! Selects, from a description and a choice, what one build uses.
//!
//! ```text
//! profiles (requested, else imported; requirements followed) -> preferences that apply -> type
//!   -> unsupported settings of the type and the sections -> packages, repositories, users, drivers
//! ```

mod every_type;
mod users;

pub use every_type::TypeBuild;

use crate::description::{DriverSection, PackageSection, PackagesFor, Preferences, Section, TypeEntry};
use crate::package_list::{package_set, section_is_for};
use crate::suggest::{listed, nearest};
use crate::unsupported::Unsupported;
use crate::{
    Architecture, Bills, Choice, Deploy, Description, Diagnostic, Diagnostics, DiskFormat, Drivers,
    ImageType, Machine, PackageManager, PackageName, ProfileName, Reports, Repository, SchemaVersion,
    Selection, Settings, SourcePath, Span,
};

impl Description {
    /// Selects profiles, type and sections of one build.
    ///
    /// # Errors
    ///
    /// A profile or type that does not exist, a setting that this version of kiwi does not support for the chosen type, or
    /// sections that contradict each other when they are merged.
    pub fn select(&self, choice: &Choice) -> Result<Selection, Diagnostics> {
        let architecture = choice.architecture.clone().unwrap_or_else(|| Architecture::new("x86_64"));
        let profiles = self.profiles_in_force(choice, &architecture)?;
        let in_force = Force { profiles: &profiles, architecture: &architecture };

        let preferences: Vec<&Section<Preferences>> = in_force.of(&self.preferences).collect();
        let entry = self.type_entry(&preferences, choice)?;
        let mut errors = Diagnostics::default();
        in_force.unsupported(entry, self, &mut errors);
        let version = preferences.iter().find_map(|section| section.content.version.clone());
        if version.is_none() {
            errors.push(
                Diagnostic::error(
                    self.preferences_span(),
                    "no `<preferences>` of this build has a `<version>`",
                )
                .rule("missing-version")
                .label("not for these profiles and this architecture"),
            );
        }
        let users = users::merged(in_force.of(&self.users).flat_map(|section| &section.content), &mut errors);
        let settings = settings(&preferences, self);
        let sections: Vec<&PackageSection> =
            in_force.of(&self.packages).map(|section| &section.content).collect();
        let image_type = self.completed(entry, &settings, &sections);
        let (Some(version), Some(image_type), false) = (version, image_type, errors.has_errors()) else {
            errors.sort();
            return Err(errors);
        };
        let is_image = |section: &PackageSection| match &section.packages_for {
            PackagesFor::Image => true,
            PackagesFor::Type(keyword) => section_is_for(keyword, &image_type),
            PackagesFor::Bootstrap
            | PackagesFor::Delete
            | PackagesFor::Uninstall
            | PackagesFor::SystemFiles => false,
        };
        let bootstrap = |section: &PackageSection| section.packages_for == PackagesFor::Bootstrap;
        let removed = |packages_for: &PackagesFor| -> Vec<PackageName> {
            let sections = sections.iter().copied().filter(|section| section.packages_for == *packages_for);
            package_set(sections, &architecture).packages.into_iter().map(|package| package.name).collect()
        };
        let manager = preferences.iter().find_map(|section| section.content.package_manager);
        let package_manager = manager.unwrap_or(PackageManager::Dnf);
        Ok(Selection {
            name: self.name.clone(),
            version,
            kind: self.kind,
            author: self.author.clone(),
            contact: self.contact.clone(),
            specification: self.specification.clone(),
            package_manager,
            settings,
            repositories: in_force.repositories(self, package_manager),
            bootstrap: package_set(
                sections.iter().copied().filter(|section| bootstrap(section)),
                &architecture,
            ),
            image: package_set(sections.iter().copied().filter(|section| is_image(section)), &architecture),
            uninstall: removed(&PackagesFor::Uninstall),
            delete: removed(&PackagesFor::Delete),
            positions: sections.iter().flat_map(|section| section.positions.iter().cloned()).collect(),
            users,
            drivers: in_force.drivers(&self.drivers),
            vagrantfiles: vagrantfiles(&preferences),
            deploy: self.deploy_of(entry, &image_type),
            variables: entry.with_variables_of(preferences.iter().map(|section| &section.content)),
            verify_key: None,
            helper_kernel: None,
            strip: false,
            bills: Bills::default(),
            reports: Reports::default(),
            checksums: false,
            bundle_format: entry.bundle_format.clone(),
            name_part: None,
            image_type,
            architecture,
            profiles,
        })
    }

    /// Returns the type with settings from outside of it: `compressed`, `<split>`, and the machine of the packages section. In KIWI
    /// 1.x the packages for VMware make the disk one of VMware's.
    fn completed(
        &self,
        entry: &TypeEntry,
        settings: &Settings,
        sections: &[&PackageSection],
    ) -> Option<ImageType> {
        let mut image_type = entry.image_type.clone()?;
        image_type.complete(settings.compressed, |keyword| machine_of(sections, keyword));
        if let ImageType::Disk(disk) = &mut image_type
            && self.schema_version == SchemaVersion::OLDEST
            && !entry.has_format
            && machine_of(sections, "vmware").is_some()
        {
            disk.format = DiskFormat::Vmdk;
        }
        if let ImageType::Split(split) = &mut image_type
            && split.files.is_none()
        {
            split.files.clone_from(&self.split);
        }
        Some(image_type)
    }

    /// Returns the `<deploy>` of the type, else that of the image; a type with its own partitions ignores those of the image.
    fn deploy_of(&self, entry: &TypeEntry, image_type: &ImageType) -> Option<Deploy> {
        let mut shared = self.deploy.clone();
        if let (ImageType::Disk(disk), Some(shared)) = (image_type, &mut shared)
            && !disk.partitions.is_empty()
        {
            shared.partitions.clear();
        }
        entry.deploy.clone().or(shared)
    }

    /// Returns the keywords of the types that these profiles and this architecture have, in the order of the text.
    ///
    /// # Errors
    ///
    /// A profile that does not exist.
    pub fn types_for(&self, choice: &Choice) -> Result<Vec<String>, Diagnostics> {
        let architecture = choice.architecture.clone().unwrap_or_else(|| Architecture::new("x86_64"));
        let profiles = self.profiles_in_force(choice, &architecture)?;
        let in_force = Force { profiles: &profiles, architecture: &architecture };
        Ok(self.types_in_force(&in_force).into_iter().map(|entry| entry.keyword.clone()).collect())
    }

    /// Returns the keyword of the type that a choice selects, whether it is built or not.
    pub fn selected_type(&self, choice: &Choice) -> Option<String> {
        let architecture = choice.architecture.clone().unwrap_or_else(|| Architecture::new("x86_64"));
        let profiles = self.profiles_in_force(choice, &architecture).ok()?;
        let in_force = Force { profiles: &profiles, architecture: &architecture };
        let preferences: Vec<&Section<Preferences>> = in_force.of(&self.preferences).collect();
        self.type_entry(&preferences, choice).ok().map(|entry| entry.keyword.clone())
    }

    fn preferences_span(&self) -> Span {
        self.preferences
            .first()
            .map_or_else(|| self.image_span.clone(), |section| section.content.span.clone())
    }

    /// Returns the requested type, else the primary one, else the first (docs/formats/description.md).
    fn type_entry<'a>(
        &self,
        preferences: &[&'a Section<Preferences>],
        choice: &Choice,
    ) -> Result<&'a TypeEntry, Diagnostics> {
        let types = || preferences.iter().flat_map(|section| &section.content.types);
        let error = |diagnostic| Err(Diagnostics(vec![diagnostic]));
        if let Some(asked) = &choice.image_type {
            return match types().find(|entry| entry.keyword == *asked) {
                Some(entry) => Ok(entry),
                None => {
                    error(self.unknown_type(asked, types().map(|entry| entry.keyword.as_str()).collect()))
                }
            };
        }
        match types().find(|entry| entry.primary).or_else(|| types().next()) {
            Some(entry) => Ok(entry),
            None => error(
                Diagnostic::error(self.preferences_span(), "no image type applies to this build")
                    .rule("no-image-type")
                    .label("no `<type>` here for these profiles and this architecture")
                    .help(self.profiles_to_choose(choice)),
            ),
        }
    }

    /// Returns what to do about a build without a type.
    fn profiles_to_choose(&self, choice: &Choice) -> String {
        let names = self.profiles_with_types(choice);
        if names.is_empty() {
            "add a `<type>`, or choose the profiles of a section that has one".to_owned()
        } else {
            let names = listed(names.iter().map(ProfileName::as_str));
            format!("choose a profile that has types with `--profile NAME`: {names}")
        }
    }

    fn unknown_type(&self, asked: &str, there: Vec<&str>) -> Diagnostic {
        let elsewhere = self.types().any(|entry| entry.keyword == asked);
        let help = match nearest(asked, there.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if elsewhere => {
                format!(
                    "a `<preferences>` of other profiles has it; the types of this build are {}",
                    listed(there)
                )
            }
            None => format!("there are {}", listed(there)),
        };
        Diagnostic::error(self.preferences_span(), format!("the description has no image type `{asked}`"))
            .rule("unknown-image-type")
            .label("not among the types here")
            .help(help)
    }
}

/// The profiles and the architecture of this build.
struct Force<'a> {
    profiles: &'a [ProfileName],
    architecture: &'a Architecture,
}

impl Force<'_> {
    /// Returns the sections that apply to this build.
    fn of<'s, T>(&'s self, sections: &'s [Section<T>]) -> impl Iterator<Item = &'s Section<T>> {
        sections.iter().filter(|section| section.condition.holds(self.profiles, self.architecture))
    }

    /// Reports every setting of this build that is not supported.
    fn unsupported(&self, entry: &TypeEntry, description: &Description, errors: &mut Diagnostics) {
        let mut found: Vec<&Unsupported> = entry.unsupported.iter().collect();
        found.extend(self.of(&description.preferences).flat_map(|section| &section.unsupported));
        found.extend(self.of(&description.users).flat_map(|section| &section.unsupported));
        found.extend(self.of(&description.drivers).flat_map(|section| &section.unsupported));
        found.extend(self.of(&description.repositories).flat_map(|section| &section.unsupported));
        found.extend(self.of(&description.unsupported).flat_map(|section| &section.unsupported));
        let packages = self.of(&description.packages).filter(|section| match &section.content.packages_for {
            PackagesFor::Type(keyword) => {
                entry.image_type.as_ref().is_some_and(|image_type| section_is_for(keyword, image_type))
            }
            PackagesFor::Bootstrap
            | PackagesFor::Image
            | PackagesFor::Delete
            | PackagesFor::Uninstall
            | PackagesFor::SystemFiles => true,
        });
        found.extend(packages.flat_map(|section| &section.unsupported));
        errors.0.extend(found.into_iter().filter_map(|found| found.on(self.architecture)));
    }

    /// Merges repositories with the same resolved path into the first one, with the settings of the last
    /// (docs/formats/description.md).
    fn repositories(&self, description: &Description, manager: PackageManager) -> Vec<Repository> {
        let mut repositories: Vec<Repository> = Vec::new();
        for section in self.of(&description.repositories) {
            let entry = &section.content;
            let Some(source) = SourcePath::parse(&entry.path, self.architecture) else { continue };
            let kind = entry.repository.kind.or_else(|| manager.repository_type());
            let repository = Repository { source, kind, ..entry.repository.clone() };
            // Several suites of one apt archive have the same path and are different repositories.
            let same = |other: &&mut Repository| {
                other.source == repository.source
                    && other.distribution == repository.distribution
                    && other.components == repository.components
                    && other.architectures == repository.architectures
            };
            match repositories.iter_mut().find(same) {
                Some(other) => *other = repository,
                None => repositories.push(repository),
            }
        }
        repositories
    }

    /// Merges the sections of each kind.
    fn drivers(&self, sections: &[Section<DriverSection>]) -> Vec<Drivers> {
        let mut all: Vec<Drivers> = Vec::new();
        for DriverSection { drivers, architectures } in self.of(sections).map(|section| &section.content) {
            let files = drivers.files.iter().zip(architectures);
            let files: Vec<String> = files
                .filter(|(_, architectures)| architectures.allows(self.architecture))
                .map(|(file, _)| file.clone())
                .collect();
            match all.iter_mut().find(|other| other.kind == drivers.kind) {
                Some(other) => other.files.extend(files),
                None => all.push(Drivers { kind: drivers.kind, files }),
            }
        }
        for drivers in &mut all {
            let mut seen = std::collections::HashSet::new();
            drivers.files.retain(|file| seen.insert(file.clone()));
        }
        all
    }
}

/// Merges the settings of the sections; the first section that has a setting determines it.
fn settings(preferences: &[&Section<Preferences>], description: &Description) -> Settings {
    let all = || preferences.iter().map(|section| &section.content);
    Settings {
        check_signatures: all().find_map(|section| section.check_signatures),
        release_version: all().find_map(|section| section.release_version.clone()),
        exclude_docs: all().find_map(|section| section.exclude_docs).unwrap_or(false),
        force: all().find_map(|section| section.force).unwrap_or(false),
        filter_locales: all().find_map(|section| section.filter_locales).unwrap_or(false),
        keytable: all().find_map(|section| section.keytable.clone()),
        timezone: all().find_map(|section| section.timezone.clone()),
        locale: all().find_map(|section| section.locale.clone()),
        default_destination: all().find_map(|section| section.default_destination.clone()),
        default_root: all().find_map(|section| section.default_root.clone()),
        compressed: all().find_map(|section| section.compressed).unwrap_or(false),
        display_name: description.display_name.clone(),
        image_id: description.image_id.clone(),
    }
}

/// Returns the machine of the packages for a kind of virtual machine.
fn machine_of(sections: &[&PackageSection], keyword: &str) -> Option<Machine> {
    let packages_for = PackagesFor::Type(keyword.to_owned());
    let mut sections = sections.iter().filter(|section| section.packages_for == packages_for);
    sections.find_map(|section| section.machine.clone())
}

/// Returns the files that the Vagrant boxes of any type contain, in order.
fn vagrantfiles(preferences: &[&Section<Preferences>]) -> Vec<String> {
    let types = preferences.iter().flat_map(|section| &section.content.types);
    let boxes = types.filter_map(|entry| entry.image_type.as_ref()).flat_map(ImageType::boxes);
    let files = boxes.filter_map(|of| of.vagrantfile.clone());
    files.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}
