//! `kiwi check`: reports every problem of a description without building it.
//!
//! ```text
//! text -> its diagnostics and deprecated keywords -> the selection of the requested type (errors), of the others (warnings)
//!   -> shown to a person, or one JSON or SARIF document
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Error, Result};
use description::{
    Choice, Description, DescriptionKind, Diagnostic, Diagnostics, Selection, Severity, SourceFile, Span,
    TypeEntry,
};

use super::load;
use super::outcome::Outcome;
use crate::context::Context;
use crate::diagnostic;
use crate::failure::{Failure, Invalid};
use crate::share::Share;
use crate::source::Source;

/// The description and the form of the report.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory or file of the description.
    pub description: PathBuf,
    /// Active profiles.
    pub profiles: Vec<String>,
    /// Image type; `None`: the primary one, and problems of the others are warnings.
    pub image_type: Option<String>,
    /// Form of the report.
    pub format: Format,
}

/// Form of the report of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Each problem with its line and a caret, on standard error.
    Human,
    /// One JSON document on standard output.
    Json,
    /// One SARIF 2.1.0 document on standard output.
    Sarif,
}

/// Returns the report of a description without errors.
///
/// # Errors
///
/// The description is wrong or cannot be read; the error also contains the report.
pub fn run(request: &Request, context: &Context) -> Result<Outcome, crate::error::Error> {
    let share = &context.share;
    let host = &context.host;
    let source = match load::open(&request.description, context) {
        Ok(source) => source,
        Err(error) => return Err(unreadable(request, error)?),
    };
    let path = source.config().display().to_string();
    let parsed = load::parse(&source);
    let mut diagnostics = parsed.diagnostics;
    diagnostics.0.extend(parsed.deprecated.0);
    let mut image = String::new();
    if let Some(mut description) = parsed.description {
        if let Err(error) = load::inherit(&mut description, &source, context) {
            diagnostics.0.extend(of_inherited(&description, error)?);
        }
        image = selections(&description, request, &source, share, &mut diagnostics)?;
    }
    diagnostics.sort();
    let (report, document) = documents(request.format, &path, &diagnostics)?;
    if diagnostics.has_errors() {
        let invalid = Invalid { diagnostics, told: document.is_some() };
        return Err(crate::error::Error::from(Error::from(invalid)).with_report(report, document));
    }
    let shown = (!diagnostics.0.is_empty()).then(|| diagnostic::render(&diagnostics, host.is_colored()));
    Ok(Outcome::Checked { report, document, shown, path, image })
}

/// Returns the report, and the requested document; `None` for a person.
fn documents(
    format: Format,
    path: &str,
    diagnostics: &Diagnostics,
) -> Result<(serde_json::Value, Option<String>)> {
    let json = diagnostic::json(path, diagnostics)?;
    let report = serde_json::from_str(&json).context("reading the report")?;
    let document = match format {
        Format::Human => None,
        Format::Json => Some(json),
        Format::Sarif => Some(diagnostic::sarif(diagnostics)?),
    };
    Ok((report, document))
}

/// Adds a diagnostic to the report that says why there is no text.
fn unreadable(request: &Request, error: Error) -> Result<crate::error::Error> {
    let path = request.description.display().to_string();
    let file = Arc::new(SourceFile { name: path.clone(), text: String::new() });
    let diagnostic = Diagnostic::error(Span { file, range: 0..0 }, format!("{error:#}"));
    let diagnostics = Diagnostics(vec![diagnostic.label("cannot be read")]);
    let (report, document) = documents(request.format, &path, &diagnostics)?;
    Ok(crate::error::Error::from(error).with_report(report, document))
}

/// Returns the diagnostics of the inherited description: its own mistakes, or that it cannot be read.
fn of_inherited(description: &Description, error: Error) -> Result<Vec<Diagnostic>> {
    let error = match error.downcast::<Invalid>() {
        Ok(invalid) => return Ok(invalid.diagnostics.0),
        Err(error) => error,
    };
    let Some(inherit) = &description.inherit else { return Err(error) };
    let unreadable = Diagnostic::error(inherit.span.clone(), format!("{error:#}")).rule("inherit");
    Ok(vec![
        unreadable.label("cannot be read").help("name a directory, or a description that 'kiwi list' shows"),
    ])
}

/// Selects every type that is possible with these profiles; problems of a type that was not requested are warnings.
fn selections(
    description: &Description,
    request: &Request,
    source: &Source,
    share: &Share,
    diagnostics: &mut Diagnostics,
) -> Result<String> {
    let choice = |image_type: Option<&str>| Choice {
        profiles: request.profiles.clone(),
        image_type: image_type.map(str::to_owned),
        architecture: Some(load::machine()),
    };
    let asked = request.image_type.as_deref();
    let mut good = String::new();
    match description.select(&choice(asked)) {
        Ok(selection) => {
            if selection.repositories.is_empty() && selection.kind == DescriptionKind::System {
                diagnostics.push(without_repository(description));
            }
            diagnostics.0.extend(load::unsupported(description, &selection));
            diagnostics.0.extend(links(description, &selection, source)?);
            good =
                format!("{} {}, type {}", selection.name, selection.version, selection.image_type.keyword());
        }
        Err(errors) => diagnostics.0.extend(errors.0),
    }
    diagnostics.0.extend(boot_images(description, asked, share));
    let others = match asked {
        Some(_) => Vec::new(),
        None => description.types_for(&choice(None)).unwrap_or_default(),
    };
    for keyword in others {
        let errors = match description.select(&choice(Some(&keyword))) {
            Ok(selection) => load::unsupported(description, &selection),
            Err(errors) => errors.0,
        };
        for error in errors {
            if !diagnostics.0.iter().any(|known| known.span == error.span && known.message == error.message) {
                diagnostics.push(Diagnostic { severity: Severity::Warning, ..error });
            }
        }
    }
    Ok(good)
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

/// Returns boot image descriptions that do not exist: an error of the requested type, a warning of the others.
fn boot_images(description: &Description, asked: Option<&str>, share: &Share) -> Vec<Diagnostic> {
    let types: Vec<&TypeEntry> = description.types().collect();
    let built = types.iter().position(|entry| match asked {
        Some(asked) => entry.keyword == asked,
        None => entry.primary,
    });
    let missing = types.iter().enumerate().filter_map(|(position, entry)| {
        let (path, span) = entry.boot.as_ref()?;
        share.description(path).err()?;
        let severity = if position == built.unwrap_or(0) { Severity::Error } else { Severity::Warning };
        let there = share.list();
        let help = match description::nearest(path, there.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`kiwi list` shows the supplied ones; a disk or live system without `boot` needs none"
                .to_owned(),
        };
        let message = format!("the boot image description `{path}` does not exist");
        let diagnostic = Diagnostic::error(span.clone(), message).rule("description-of-a-boot-image");
        Some(Diagnostic { severity, ..diagnostic.label("not supplied with this kiwi").help(help) })
    });
    missing.collect()
}
