//! Lists every type of a description, with the profiles that provide it.

use crate::description::TypeEntry;
use crate::{Architecture, Choice, Description, Diagnostics};

use super::Force;

/// One type of a description, and the profiles to build it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeBuild {
    /// The profiles to activate; none: those that are imported by default.
    pub profiles: Vec<String>,
    /// Keyword of the type.
    pub image_type: String,
    /// What the names of the files contain: the profiles, if the type exists only with them.
    pub name_part: Option<String>,
}

impl Description {
    /// Returns a build for every type of the chosen profiles. A choice without profiles means the types without a profile, then
    /// for each profile of this architecture those types that exist only with it.
    ///
    /// # Errors
    ///
    /// A profile that does not exist.
    pub fn every_type(&self, choice: &Choice) -> Result<Vec<TypeBuild>, Diagnostics> {
        let architecture = choice.architecture.clone().unwrap_or_else(|| Architecture::new("x86_64"));
        let free = self.types_in_force(&Force { profiles: &[], architecture: &architecture });
        let mut profiles: Vec<Vec<String>> = vec![choice.profiles.clone()];
        if choice.profiles.is_empty() {
            let usable = self.profiles.iter().filter(|profile| profile.architectures.allows(&architecture));
            profiles.extend(usable.map(|profile| vec![profile.name.to_string()]));
        }
        let mut seen = Vec::new();
        let mut builds = Vec::new();
        for (index, profiles) in profiles.into_iter().enumerate() {
            let chosen = Choice { profiles: profiles.clone(), ..choice.clone() };
            let in_force = self.profiles_in_force(&chosen, &architecture)?;
            for entry in self.types_in_force(&Force { profiles: &in_force, architecture: &architecture }) {
                let is_free = free.iter().any(|other| std::ptr::eq(*other, entry));
                let mut sorted = in_force.clone();
                sorted.sort();
                let key = (sorted, entry.keyword.clone());
                if (index > 0 && is_free) || seen.contains(&key) {
                    continue;
                }
                seen.push(key);
                let named = if profiles.is_empty() {
                    in_force.iter().map(ToString::to_string).collect()
                } else {
                    profiles.clone()
                };
                let name_part = (!is_free).then(|| file_name_part(&named));
                let image_type = entry.keyword.clone();
                builds.push(TypeBuild { profiles: profiles.clone(), image_type, name_part });
            }
        }
        Ok(builds)
    }

    /// Returns the first entry of each keyword, in the order of the text.
    pub(super) fn types_in_force<'s>(&'s self, in_force: &Force<'_>) -> Vec<&'s TypeEntry> {
        let Force { profiles, architecture } = in_force;
        let applying =
            self.preferences.iter().filter(|section| section.condition.holds(profiles, architecture));
        let mut entries: Vec<&TypeEntry> = Vec::new();
        for entry in applying.flat_map(|section| &section.content.types) {
            if !entries.iter().any(|other| other.keyword == entry.keyword) {
                entries.push(entry);
            }
        }
        entries
    }
}

/// Returns the names of profiles as a part of a file name: letters, digits, `_`, `-` and `.`.
fn file_name_part(profiles: &[String]) -> String {
    let names = profiles.iter().flat_map(|list| list.split(',')).map(str::trim);
    let usable = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let joined = names.collect::<Vec<_>>().join("-");
    joined.chars().map(|letter| if usable(letter) { letter } else { '-' }).collect()
}
