//! The builds of a description that `check` tries: the selected type, the other types, and every profile with types if the
//! description has none without a profile.

use anyhow::Result;
use description::{
    Choice, Description, DescriptionKind, Diagnostic, Diagnostics, NOT_BUILT, Selection, Severity,
};

use super::{Request, accounts, files};
use crate::diagnostic::{CheckedBuild, Verdict};
use crate::failure::Failure;
use crate::host::Host;
use crate::operation::load;
use crate::source::Source;

/// What was found about the builds.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) builds: Vec<CheckedBuild>,
    /// The images that can be built, for a person.
    pub(super) image: String,
}

/// Checks every build that is possible with the request; problems of types that were not requested are warnings.
pub(super) fn check(
    description: &Description,
    request: &Request,
    source: &Source,
    host: &Host,
) -> Result<Checked> {
    let choice = |profiles: Vec<String>, image_type: Option<&str>| Choice {
        profiles,
        image_type: image_type.map(str::to_owned),
        architecture: Some(load::machine()),
    };
    let asked = request.image_type.as_deref();
    let with_types = description.profiles_with_types(&choice(request.profiles.clone(), asked));
    let mut checked = Checked::default();
    if with_types.is_empty() {
        checked.build(description, &choice(request.profiles.clone(), asked), source, host)?;
        return Ok(checked);
    }
    let mut found: Vec<Checked> = Vec::new();
    for profile in with_types {
        let mut of_profile = Checked::default();
        of_profile.build(description, &choice(vec![profile.to_string()], asked), source, host)?;
        found.push(of_profile);
    }
    // What only some profiles need does not prevent the builds of the others.
    let is_right = |checked: &Checked| Verdict::of(&checked.diagnostics) == Verdict::Right;
    let some = found.iter().any(is_right);
    for mut of_profile in found {
        for diagnostic in &mut of_profile.diagnostics {
            if some && diagnostic.rule == NOT_BUILT {
                diagnostic.severity = Severity::Warning;
            }
        }
        let Checked { diagnostics, builds, image } = of_profile;
        diagnostics.into_iter().for_each(|diagnostic| checked.add(diagnostic));
        checked.builds.extend(builds);
        if !image.is_empty() {
            checked.image += if checked.image.is_empty() { "" } else { "; " };
            checked.image += &image;
        }
    }
    Ok(checked)
}

impl Checked {
    /// Adds a diagnostic, unless it is known at the same position.
    fn add(&mut self, diagnostic: Diagnostic) {
        let same =
            |known: &&mut Diagnostic| known.span == diagnostic.span && known.message == diagnostic.message;
        match self.diagnostics.iter_mut().find(same) {
            Some(known) => known.severity = known.severity.max(diagnostic.severity),
            None => self.diagnostics.push(diagnostic),
        }
    }

    /// Checks the build of a choice, and the other types of the same profiles if it names no type.
    fn build(
        &mut self,
        description: &Description,
        choice: &Choice,
        source: &Source,
        host: &Host,
    ) -> Result<()> {
        let selected = self.one(description, choice, (source, host), true)?;
        if choice.image_type.is_some() {
            return Ok(());
        }
        for keyword in description.types_for(choice).unwrap_or_default() {
            if selected.as_ref() != Some(&keyword) {
                let other = Choice { image_type: Some(keyword), ..choice.clone() };
                self.one(description, &other, (source, host), false)?;
            }
        }
        Ok(())
    }

    /// Checks one build; returns the keyword of its type.
    fn one(
        &mut self,
        description: &Description,
        choice: &Choice,
        (source, host): (&Source, &Host),
        selected: bool,
    ) -> Result<Option<String>> {
        let (found, selection) = match description.select(choice) {
            Ok(mut selection) => {
                load::from_environment(&mut selection, host)?;
                (of_selection(description, &selection, source)?, Some(selection))
            }
            Err(Diagnostics(errors)) => (errors, None),
        };
        let keyword = selection.as_ref().map(|selection| selection.image_type.keyword().to_owned());
        let keyword = keyword.or_else(|| description.selected_type(choice));
        let verdict = Verdict::of(&found);
        if let (Some(selection), true, true) = (&selection, selected, verdict == Verdict::Right) {
            let profiles = match choice.profiles.as_slice() {
                [] => String::new(),
                names => format!(" with profile {}", names.join(", ")),
            };
            let Selection { name, version, image_type, .. } = selection;
            self.image = format!("{name} {version}, type {}{profiles}", image_type.keyword());
        }
        if let Some(image_type) = &keyword {
            let (profiles, image_type) = (choice.profiles.clone(), image_type.clone());
            self.builds.push(CheckedBuild { profiles, image_type, selected, verdict });
        }
        for diagnostic in found {
            let severity = if selected { diagnostic.severity } else { Severity::Warning };
            let label = match (&keyword, diagnostic.rule == NOT_BUILT && !selected) {
                (Some(keyword), true) => format!("{}; only type `{keyword}` needs it", diagnostic.label),
                (Some(_) | None, _) => diagnostic.label.clone(),
            };
            self.add(Diagnostic { severity, label, ..diagnostic });
        }
        Ok(keyword)
    }
}

/// Returns what a build would say about a selection without the network.
fn of_selection(
    description: &Description,
    selection: &Selection,
    source: &Source,
) -> Result<Vec<Diagnostic>> {
    let mut found = load::unsupported(description, selection);
    if selection.repositories.is_empty() && selection.kind == DescriptionKind::System {
        found.push(without_repository(description));
    }
    found.extend(load::placeholders(description, selection, Severity::Warning));
    if let Some(substitution) = crate::package_manager::substitution(selection) {
        let span = description.package_manager_span().unwrap_or(description.span());
        let diagnostic = Diagnostic::warning(span.clone(), substitution).rule("package-manager");
        found.push(diagnostic.label("another program installs the packages"));
    }
    found.extend(links(description, selection, source)?);
    found.extend(files::wrong_scripts(description, selection, source));
    found.extend(files::missing_archives(description, selection, source));
    found.extend(files::missing_keys(description, selection, source));
    found.extend(accounts::without_login(description, selection, source));
    if selection.image.is_empty() && selection.bootstrap.is_empty() {
        found.push(
            Diagnostic::warning(description.span().clone(), "the description names no packages")
                .rule("packages-to-install")
                .label("none for these profiles and this architecture")
                .help("add a `<packages type=\"image\">` section, or build with `--add-package`"),
        );
    }
    Ok(found)
}

/// Returns the first link that a build would not follow; how a file cannot be read is left to the build.
fn links(description: &Description, selection: &Selection, source: &Source) -> Result<Option<Diagnostic>> {
    let Err(error) = crate::prepare::check_links(selection, source) else { return Ok(None) };
    let Some(failure) = error.downcast_ref::<Failure>() else { return Err(error) };
    let link = Diagnostic::error(description.span().clone(), failure.message.clone()).rule("links-inside");
    Ok(Some(link.label("of this description").help(failure.remedy.clone().unwrap_or_default())))
}

/// Returns a warning, not an error: the command line may add a repository.
fn without_repository(description: &Description) -> Diagnostic {
    Diagnostic::warning(description.span().clone(), "no `<repository>` provides packages")
        .rule("repository-to-install-from")
        .label("none for these profiles and this architecture")
        .help("add one, such as `<repository><source path=\"debian://trixie\"/></repository>`, or build with `--add-repo`")
}
