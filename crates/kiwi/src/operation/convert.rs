//! `kiwi convert`: rewrites a description with the current keywords, or in another format.
//!
//! ```text
//! text -> description::convert (verified: both texts mean the same) -> standard output, a new file, or the old file
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use description::{Conversion, Description, Dialect, Format, SchemaVersion};

use super::load;
use super::outcome::Outcome;
use crate::context::Context;
use crate::failure::{Failure, Invalid, Kind, fail};

/// The description and the target.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory or file of the description.
    pub description: PathBuf,
    /// `--to`, at most one schema and one format; `kiwi` is a schema.
    pub to: Vec<Target>,
    /// Destination of the new text.
    pub output: Output,
}

/// One value of `--to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// This schema; the newest as KIWI NG defines it.
    Schema(SchemaVersion),
    /// The newest schema with the keywords of older ones that kiwi keeps.
    Kiwi,
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
        if keyword == "kiwi" {
            return Ok(Self::Kiwi);
        }
        SchemaVersion::parse(keyword).map(Self::Schema).ok_or_else(|| {
            let formats: Vec<&str> = Format::ALL.iter().map(|format| format.keyword()).collect();
            format!(
                "expected a schema from {} to {}, `kiwi`, or a format: {}",
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
    if let Output::File(path) = &request.output {
        refuse_existing(path)?;
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
    let mut conversion = Conversion { format: written_in, ..Conversion::default() };
    let (mut schemas, mut formats) = (0, 0);
    for target in to {
        match target {
            Target::Schema(schema) => {
                schemas += 1;
                conversion.schema = *schema;
            }
            Target::Kiwi => {
                schemas += 1;
                conversion.dialect = Dialect::Kiwi;
            }
            Target::Format(format) => {
                formats += 1;
                conversion.format = *format;
            }
        }
    }
    if schemas > 1 || formats > 1 {
        let message = "--to names more than one schema or more than one format; give one of each at most";
        return Err(Failure::new(Kind::Usage, message).into());
    }
    Ok(conversion)
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
