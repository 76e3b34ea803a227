//! Selects, from a description and a choice, what one build uses.
//!
//! ```text
//! profiles (requested, else imported; requirements followed) -> preferences that apply -> type
//!   -> unsupported settings of the type and the sections -> packages, repositories, users, drivers
//! ```

use crate::description::{
    DriverSection, PackageSection, PackagesFor, Preferences, Section, TypeEntry, UserEntry,
};
use crate::package_list::{package_set, section_is_for};
use crate::suggest::{listed, nearest};
use crate::unsupported::Unsupported;
use crate::{
    Architecture, Choice, Deploy, Description, Diagnostic, Diagnostics, Drivers, ImageType, Machine,
    PackageManager, ProfileName, Repository, Selection, Settings, SourcePath, Span, User,
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
        let users = in_force.users(&self.users, &mut errors);
        let settings = settings(&preferences, self.display_name.clone());
        let sections: Vec<&PackageSection> =
            in_force.of(&self.packages).map(|section| &section.content).collect();
        let image_type =
            entry.image_type.clone().map(|image_type| complete(image_type, &settings, &sections));
        let (Some(version), Some(image_type), false) = (version, image_type, errors.has_errors()) else {
            errors.sort();
            return Err(errors);
        };
        let is_image = |section: &PackageSection| match &section.packages_for {
            PackagesFor::Image => true,
            PackagesFor::Type(keyword) => section_is_for(keyword, &image_type),
            PackagesFor::Bootstrap | PackagesFor::Delete | PackagesFor::SystemFiles => false,
        };
        let bootstrap = |section: &PackageSection| section.packages_for == PackagesFor::Bootstrap;
        let delete = |section: &PackageSection| section.packages_for == PackagesFor::Delete;
        Ok(Selection {
            name: self.name.clone(),
            version,
            kind: self.kind,
            author: self.author.clone(),
            contact: self.contact.clone(),
            specification: self.specification.clone(),
            package_manager: preferences
                .iter()
                .find_map(|section| section.content.package_manager)
                .unwrap_or(PackageManager::Dnf),
            settings,
            repositories: in_force.repositories(self),
            bootstrap: package_set(
                sections.iter().copied().filter(|section| bootstrap(section)),
                &architecture,
            ),
            image: package_set(sections.iter().copied().filter(|section| is_image(section)), &architecture),
            delete: package_set(sections.iter().copied().filter(|section| delete(section)), &architecture)
                .packages
                .into_iter()
                .map(|package| package.name)
                .collect(),
            users,
            drivers: in_force.drivers(&self.drivers),
            deploy: self.deploy_of(entry, &image_type),
            verify_key: None,
            bundle_format: entry.bundle_format.clone(),
            image_type,
            architecture,
            profiles,
        })
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
        let types = in_force.of(&self.preferences).flat_map(|section| &section.content.types);
        let mut keywords: Vec<String> = Vec::new();
        for entry in types {
            if !keywords.contains(&entry.keyword) {
                keywords.push(entry.keyword.clone());
            }
        }
        Ok(keywords)
    }

    /// Returns the requested profiles, or those that are imported by default, with all their requirements.
    fn profiles_in_force(
        &self,
        choice: &Choice,
        architecture: &Architecture,
    ) -> Result<Vec<ProfileName>, Diagnostics> {
        let mut errors = Diagnostics::default();
        let mut names: Vec<ProfileName> = Vec::new();
        for asked in choice.profiles.iter().flat_map(|list| list.split(',')).map(str::trim) {
            match self.profiles.iter().find(|profile| profile.name.as_str() == asked) {
                Some(profile) if names.contains(&profile.name) => {}
                Some(profile) => names.push(profile.name.clone()),
                None => errors.push(self.unknown_profile(asked)),
            }
        }
        if errors.has_errors() {
            return Err(errors);
        }
        if choice.profiles.is_empty() {
            let imported = self.profiles.iter().filter(|profile| profile.import);
            names.extend(
                imported
                    .filter(|profile| profile.architectures.allows(architecture))
                    .map(|profile| profile.name.clone()),
            );
        }
        // The list grows while it is iterated; each name is added once, so that circular requirements end.
        let mut next = 0;
        while let Some(name) = names.get(next).cloned() {
            let profile = self.profiles.iter().find(|profile| profile.name == name);
            for requirement in profile.into_iter().flat_map(|profile| &profile.requires) {
                if requirement.architectures.allows(architecture) && !names.contains(&requirement.profile) {
                    names.push(requirement.profile.clone());
                }
            }
            next += 1;
        }
        Ok(names)
    }

    fn unknown_profile(&self, asked: &str) -> Diagnostic {
        let names = || self.profiles.iter().map(|profile| profile.name.as_str());
        let span = self.profiles_span.clone().unwrap_or_else(|| self.image_span.clone());
        let help = match nearest(asked, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.profiles.is_empty() => "the description has no profiles".to_owned(),
            None => format!("there are {}", listed(names())),
        };
        Diagnostic::error(span, format!("there is no profile `{asked}`"))
            .rule("unknown-profile")
            .label(if self.profiles.is_empty() { "not defined" } else { "not one of these" })
            .help(help)
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
                    .help("add a `<type>`, or choose the profiles of a section that has one"),
            ),
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
            PackagesFor::Bootstrap | PackagesFor::Image | PackagesFor::Delete | PackagesFor::SystemFiles => {
                true
            }
        });
        found.extend(packages.flat_map(|section| &section.unsupported));
        errors.0.extend(found.into_iter().filter_map(|found| found.on(self.architecture)));
        let has_lists = description.split.as_ref().is_some_and(|files| !files.is_empty());
        if has_lists && matches!(entry.image_type, Some(ImageType::Split(_))) {
            let lists =
                Unsupported::new("the list of writable files in `<split>`", description.image_span.clone());
            errors.0.extend(lists.on(self.architecture));
        }
    }

    /// Merges repositories with the same resolved path into the first one, with the settings of the last
    /// (docs/formats/description.md).
    fn repositories(&self, description: &Description) -> Vec<Repository> {
        let mut repositories: Vec<Repository> = Vec::new();
        for section in self.of(&description.repositories) {
            let entry = &section.content;
            let Some(source) = SourcePath::parse(&entry.path, self.architecture) else { continue };
            let repository = Repository { source, ..entry.repository.clone() };
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

    /// Merges the users of all sections: a user of several sections is in the groups of all of them.
    fn users(&self, sections: &[Section<Vec<UserEntry>>], errors: &mut Diagnostics) -> Vec<User> {
        let mut users: Vec<User> = Vec::new();
        for entry in self.of(sections).flat_map(|section| &section.content) {
            match users.iter_mut().find(|user| user.name == entry.user.name) {
                None => users.push(entry.user.clone()),
                Some(user) => {
                    if let Err(what) = merge_user(user, &entry.user) {
                        errors.push(
                            Diagnostic::error(
                                entry.span.clone(),
                                format!("the user `{}` has two different values of `{what}`", user.name),
                            )
                            .rule("contradicting-users")
                            .label("differs from an earlier section")
                            .help("specify it once; sections after the first only add groups"),
                        );
                    }
                }
            }
        }
        users
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

/// Merges the settings of a later section into a user. Returns the name of an attribute with two different values, if any.
fn merge_user(user: &mut User, later: &User) -> Result<(), &'static str> {
    fn merge<T: Clone + PartialEq>(
        into: &mut Option<T>,
        later: &Option<T>,
        name: &'static str,
    ) -> Result<(), &'static str> {
        match (&into, later) {
            (Some(earlier), Some(later)) if earlier != later => Err(name),
            (None, Some(later)) => {
                *into = Some(later.clone());
                Ok(())
            }
            (Some(_), Some(_)) | (Some(_) | None, None) => Ok(()),
        }
    }
    for group in &later.groups {
        if !user.groups.iter().any(|(name, _)| *name == group.0) {
            user.groups.push(group.clone());
        }
    }
    merge(&mut user.password, &later.password, "password")?;
    merge(&mut user.id, &later.id, "id")?;
    merge(&mut user.home, &later.home, "home")?;
    merge(&mut user.real_name, &later.real_name, "realname")?;
    merge(&mut user.shell, &later.shell, "shell")
}

/// Merges the settings of the sections; the first section that has a setting determines it.
fn settings(preferences: &[&Section<Preferences>], display_name: Option<String>) -> Settings {
    let all = || preferences.iter().map(|section| &section.content);
    Settings {
        check_signatures: all().find_map(|section| section.check_signatures),
        rpm_force: all().find_map(|section| section.rpm_force).unwrap_or(false),
        exclude_docs: all().find_map(|section| section.exclude_docs).unwrap_or(false),
        keytable: all().find_map(|section| section.keytable.clone()),
        timezone: all().find_map(|section| section.timezone.clone()),
        locale: all().find_map(|section| section.locale.clone()),
        default_destination: all().find_map(|section| section.default_destination.clone()),
        default_root: all().find_map(|section| section.default_root.clone()),
        compressed: all().find_map(|section| section.compressed).unwrap_or(false),
        display_name,
    }
}

/// Completes the type with settings from outside of it: `compressed`, and the machine of the packages section.
fn complete(mut image_type: ImageType, settings: &Settings, sections: &[&PackageSection]) -> ImageType {
    let machine = |keyword: &str| -> Option<Machine> {
        let is_for =
            |section: &&&PackageSection| section.packages_for == PackagesFor::Type(keyword.to_owned());
        sections.iter().filter(is_for).find_map(|section| section.machine.clone())
    };
    image_type.complete(settings.compressed, machine);
    image_type
}
