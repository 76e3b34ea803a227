//! `kiwi convert`: a description in today's keywords, or in another format.
//!
//! ```text
//! text -> description::convert (checked: both texts mean the same) -> standard output, a new file, or the old file
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use description::{Conversion, Description, Format, SchemaVersion};

use super::load;
use super::outcome::Outcome;
use crate::context::Context;
use crate::failure::{Failure, Invalid, Kind};

/// What to convert, and where to.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory or file.
    pub description: PathBuf,
    /// `--to`, several times: a schema, a format, or one of each.
    pub to: Vec<Target>,
    /// Where the new text goes.
    pub output: Output,
}

/// One keyword of `--to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The keywords of this schema.
    Schema(SchemaVersion),
    /// This format.
    Format(Format),
}

/// Where the new text goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// To standard output.
    Print,
    /// Into this file, which must not exist.
    File(PathBuf),
    /// Into the file it came from.
    InPlace,
}

impl Target {
    /// Reads a keyword of `--to`.
    ///
    /// # Errors
    ///
    /// What keywords there are.
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

/// Writes the description anew.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let source = load::open(&request.description, &context.share)?;
    let written_in = source.format();
    let conversion = conversion(&request.to, written_in)?;
    if request.output == Output::InPlace && conversion.format != written_in {
        bail!(
            "{} is {written_in} and stays so with --in-place; name the new {} file with --output",
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

/// Today's keywords and the format it has, unless `--to` says otherwise.
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
        bail!(
            "{} is there already and is not overwritten; name another file, or convert with --in-place",
            path.display()
        );
    }
    Ok(())
}
