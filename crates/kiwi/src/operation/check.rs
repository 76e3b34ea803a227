//! `kiwi check`: reports every problem of a description without building it.
//!
//! ```text
//! text -> its diagnostics and deprecated keywords -> the selection of the requested type (errors), of the others (warnings)
//!   -> shown to a person, or one JSON or SARIF document
//! ```

mod accounts;
mod builds;
mod files;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Error, Result};
use description::{Description, Diagnostic, Diagnostics, Severity, SourceFile, Span, TypeEntry};

use super::outcome::Outcome;
use super::{boot_test, load};
use crate::context::Context;
use crate::diagnostic::{self, CheckedBuild};
use crate::failure::Invalid;
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

impl Request {
    /// A check of the whole description.
    pub(super) fn of(description: PathBuf) -> Self {
        Self { description, profiles: Vec::new(), image_type: None, format: Format::Human }
    }
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
    let host = &context.host;
    let source = match load::open(&request.description, context) {
        Ok(source) => source,
        Err(error) => return Err(unreadable(request, error)?),
    };
    let path = source.config().display().to_string();
    let Examined { diagnostics, image, builds } = examine(request, &source, context)?;
    let (report, document) = documents(request.format, &path, &diagnostics, &builds)?;
    if diagnostics.has_errors() {
        let invalid = Invalid { diagnostics, told: document.is_some() };
        return Err(crate::error::Error::from(Error::from(invalid)).with_report(report, document));
    }
    let shown = (!diagnostics.0.is_empty()).then(|| diagnostic::render(&diagnostics, host.is_colored()));
    Ok(Outcome::Checked { report, document, shown, path, image })
}

/// What was found in a description.
pub(super) struct Examined {
    /// Every problem, sorted.
    pub(super) diagnostics: Diagnostics,
    image: String,
    builds: Vec<CheckedBuild>,
}

/// Examines a description that was read.
pub(super) fn examine(request: &Request, source: &Source, context: &Context) -> Result<Examined> {
    let mut included = Vec::new();
    let parsed = load::parse_with(source, &mut included);
    let mut diagnostics = parsed.diagnostics;
    diagnostics.0.extend(parsed.deprecated.0);
    let mut image = String::new();
    let mut builds = Vec::new();
    if let Some(mut description) = parsed.description {
        if let Err(error) = load::inherit(&mut description, source, context) {
            diagnostics.0.extend(of_inherited(&description, error)?);
        }
        let checked = builds::check(&description, request, source, &context.host)?;
        diagnostics.0.extend(checked.diagnostics);
        diagnostics.0.extend(boot_images(&description, request.image_type.as_deref(), &context.share));
        diagnostics.0.extend(files::ignored(&description, source, &included));
        if let Some(path) = source.find_file(boot_test::plan::NAME)?
            && let Err(problems) = boot_test::plan::read(&path)
        {
            diagnostics.0.extend(problems.0);
        }
        image = checked.image;
        builds = checked.builds;
    }
    diagnostics.sort();
    Ok(Examined { diagnostics, image, builds })
}

/// Returns the report, and the requested document; `None` for a person.
fn documents(
    format: Format,
    path: &str,
    diagnostics: &Diagnostics,
    builds: &[CheckedBuild],
) -> Result<(serde_json::Value, Option<String>)> {
    let json = diagnostic::json(path, diagnostics, builds)?;
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
    let (report, document) = documents(request.format, &path, &diagnostics, &[])?;
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
        // Another kiwi may have it: the description is right.
        let diagnostic = Diagnostic::error(span.clone(), message).rule(description::NOT_BUILT);
        Some(Diagnostic { severity, ..diagnostic.label("not supplied with this kiwi").help(help) })
    });
    missing.collect()
}
