//! `kiwi check`: everything that is wrong with a description, without building it.
//!
//! ```text
//! text -> its diagnostics and old words -> the selection of the type asked for (errors), of every other (warnings)
//!   -> shown to a person, or one JSON or SARIF document
//! ```

use std::path::PathBuf;

use anyhow::{Error, Result};
use description::{Choice, Description, Diagnostic, Diagnostics, Severity};

use super::{Invalid, load};
use crate::diagnostic;
use crate::host::Host;
use crate::share::Share;

/// What to check.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory or file.
    pub description: PathBuf,
    /// Profiles taken as active.
    pub profiles: Vec<String>,
    /// Image type; none: the primary one, and warnings about the others.
    pub image_type: Option<String>,
    /// How the answer is shown.
    pub format: Format,
}

/// How the answer of `check` is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Each problem with its line and a caret, on standard error.
    Human,
    /// One JSON document on standard output.
    Json,
    /// One SARIF 2.1.0 document on standard output.
    Sarif,
}

/// Fails with all diagnostics; says so when there is nothing to say.
pub fn run(request: &Request, host: &Host) -> Result<()> {
    let share = Share::find(host);
    let source = load::open(&request.description, &share)?;
    let path = source.config().display().to_string();
    let parsed = load::parse(&source);
    let mut diagnostics = parsed.diagnostics;
    diagnostics.0.extend(parsed.old_words.0);
    let mut good = String::new();
    if let Some(mut description) = parsed.description {
        if let Err(error) = load::inherit(&mut description, &source, &share) {
            diagnostics.0.extend(of_inherited(&description, error)?);
        }
        good = selections(&description, request, &mut diagnostics);
    }
    diagnostics.sort();
    match request.format {
        Format::Human if diagnostics.has_errors() => {}
        Format::Human => {
            if !diagnostics.0.is_empty() {
                host.say(&diagnostic::render(&diagnostics, host.is_colored()));
            }
            host.say(&format!("{path}: {good}, no errors"));
        }
        Format::Json => host.print_document(&diagnostic::json(&path, &diagnostics)?),
        Format::Sarif => host.print_document(&diagnostic::sarif(&diagnostics)?),
    }
    match diagnostics.has_errors() {
        true => Err(Invalid { diagnostics, told: request.format != Format::Human }.into()),
        false => Ok(()),
    }
}

/// What is wrong with the description that is inherited: its own mistakes, or that it cannot be read.
fn of_inherited(description: &Description, error: Error) -> Result<Vec<Diagnostic>> {
    let error = match error.downcast::<Invalid>() {
        Ok(invalid) => return Ok(invalid.diagnostics.0),
        Err(error) => error,
    };
    let Some(inherit) = &description.inherit else { return Err(error) };
    let unreadable = Diagnostic::error(inherit.span.clone(), format!("{error:#}"));
    Ok(vec![
        unreadable.label("cannot be read").help("name a directory, or a description that 'kiwi list' shows"),
    ])
}

/// Selects every type these profiles leave; what is wrong with one nobody asked for is a warning.
fn selections(description: &Description, request: &Request, diagnostics: &mut Diagnostics) -> String {
    let choice = |image_type: Option<&str>| Choice {
        profiles: request.profiles.clone(),
        image_type: image_type.map(str::to_owned),
        architecture: Some(load::machine()),
    };
    let asked = request.image_type.as_deref();
    let mut good = String::new();
    match description.select(&choice(asked)) {
        Ok(selection) => {
            good = format!("{} {}, type {}", selection.name, selection.version, selection.image_type.word());
        }
        Err(errors) => diagnostics.0.extend(errors.0),
    }
    let others = match asked {
        Some(_) => Vec::new(),
        None => description.types_for(&choice(None)).unwrap_or_default(),
    };
    for word in others {
        let Err(errors) = description.select(&choice(Some(&word))) else { continue };
        for error in errors.0 {
            if !diagnostics.0.iter().any(|known| known.span == error.span && known.message == error.message) {
                diagnostics.push(Diagnostic { severity: Severity::Warning, ..error });
            }
        }
    }
    good
}
