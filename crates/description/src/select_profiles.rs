//! Selects the profiles of a build.

use crate::suggest::{listed, nearest};
use crate::{Architecture, Choice, Description, Diagnostic, Diagnostics, ProfileName};

impl Description {
    /// Returns the profiles with which a build has a type, for a description that has none without a profile: its types are in
    /// the sections of these profiles. Empty if it has one, or if the choice names profiles.
    pub fn profiles_with_types(&self, choice: &Choice) -> Vec<ProfileName> {
        let has_types = |choice: &Choice| self.types_for(choice).is_ok_and(|types| !types.is_empty());
        if !choice.profiles.is_empty() || has_types(choice) {
            return Vec::new();
        }
        let mut names: Vec<ProfileName> = Vec::new();
        for profile in &self.profiles {
            let with = Choice { profiles: vec![profile.name.to_string()], ..choice.clone() };
            if !names.contains(&profile.name) && has_types(&with) {
                names.push(profile.name.clone());
            }
        }
        names
    }

    /// Returns the requested profiles, or those that are imported by default, with all their requirements.
    pub(crate) fn profiles_in_force(
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
            for profile in imported.filter(|profile| profile.architectures.allows(architecture)) {
                if !names.contains(&profile.name) {
                    names.push(profile.name.clone());
                }
            }
        }
        // The list grows while it is iterated; each name is added once, so that circular requirements end.
        let mut next = 0;
        while let Some(name) = names.get(next).cloned() {
            let declared = self
                .profiles
                .iter()
                .filter(|profile| profile.name == name && profile.architectures.allows(architecture));
            for requirement in declared.flat_map(|profile| &profile.requires) {
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
}
