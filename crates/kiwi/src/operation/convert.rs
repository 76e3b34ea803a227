//! `kiwi convert`: rewrites a description with the current keywords, or in another format.
//!
//! ```text
//! text -> description::convert (verified: both texts mean the same) -> standard output, a new file, or the old file
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use description::{Conversion, Description, Format, SchemaVersion};

use super::load;
use super::outcome::Outcome;
use crate::context::Context;
use crate::failure::{Failure, Invalid, Kind, fail};

/// The description and the target.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory or file of the description.
    pub description: PathBuf,
    /// `--to`, at most one schema and one format.
    pub to: Vec<Target>,
    /// Destination of the new text.
    pub output: Output,
}

/// One value of `--to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// This schema.
    Schema(SchemaVersion),
    /// This format.
    Format(Format),
}

/// Destination of the new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Print,
    /// This file, which must not exist.
    File(PathBuf),
    /// The file of the description itself.
    InPlace,
}

impl Target {
    /// Parses a value of `--to`.
    ///
    /// # Errors
    ///
    /// The value is none of those that the message lists.
    pub fn parse(keyword: &str) -> Result<Self, String> {
        if let Some(format) = Format::parse(keyword) {
            return Ok(Self::Format(format));
        }
        SchemaVersion::parse(keyword).map(Self::Schema).ok_or_else(|| {
            let formats: Vec<&str> = Format::ALL.iter().map(|format| format.keyword()).collect();
            format!(
                "expected a schema from {} to {}, or a format: {}",
                SchemaVersion::OLDEST,
                SchemaVersion::NEWEST,
                formats.join(", ")
            )
        })
    }
}

/// Rewrites the description.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let source = load::open(&request.description, context)?;
    let written_in = source.format();
    let conversion = conversion(&request.to, written_in)?;
    if request.output == Output::InPlace && conversion.format != written_in {
        fail!(
            Usage,
            "{} is {written_in} and --in-place does not change the format; name the new {} file with --output",
            source.config().display(),
            conversion.format
        );
    }
    let mut included = |path: &str| source.included(path);
    let converted = Description::convert(source.file(), conversion, &mut included).map_err(Invalid::new)?;
    load::warn(&converted.diagnostics, host);
    let location = match &request.output {
        Output::Print => {
            return Ok(Outcome::Converted {
                path: None,
                schema: conversion.schema.to_string(),
                format: conversion.format.to_string(),
                text: Some(converted.text),
            });
        }
        Output::File(path) => {
            refuse_existing(path)?;
            host.write_new_file(path, &converted.text)
                .with_context(|| format!("writing {}", path.display()))?;
            path
        }
        Output::InPlace if converted.text == source.text() => source.config(),
        Output::InPlace => {
            host.replace_file(source.config(), &converted.text)
                .with_context(|| format!("writing {}", source.config().display()))?;
            source.config()
        }
    };
    Ok(Outcome::Converted {
        path: Some(location.to_owned()),
        schema: conversion.schema.to_string(),
        format: conversion.format.to_string(),
        text: None,
    })
}

/// Returns schema and format of the result: the newest schema and the present format, unless `--to` specifies others.
fn conversion(to: &[Target], written_in: Format) -> Result<Conversion> {
    let schemas: Vec<SchemaVersion> = to
        .iter()
        .filter_map(|target| match target {
            Target::Schema(schema) => Some(*schema),
            Target::Format(_) => None,
        })
        .collect();
    let formats: Vec<Format> = to
        .iter()
        .filter_map(|target| match target {
            Target::Format(format) => Some(*format),
            Target::Schema(_) => None,
        })
        .collect();
    if schemas.len() > 1 || formats.len() > 1 {
        let message = "--to names more than one schema or more than one format; give one of each at most";
        return Err(Failure::new(Kind::Usage, message).into());
    }
    Ok(Conversion {
        schema: schemas.first().copied().unwrap_or(SchemaVersion::NEWEST),
        format: formats.first().copied().unwrap_or(written_in),
        whole: false,
    })
}

fn refuse_existing(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        fail!(
            Exists,
            "{} exists and is not overwritten; name another file, or use --in-place",
            path.display()
        );
    }
    Ok(())
}
