//! `<include from="..."/>`: other files replace the element that names them.
//!
//! ```text
//! main file -> tree, checked against its own schema -> each include: path below the description, text from the caller
//!           -> tree, checked against its own schema, upgraded to that of the main file -> its elements replace the include
//! ```
//!
//! An included file has an `<image>` of its own, of which only the child elements count. It may have another format and an
//! older schema (without `schemaversion` it has that of the including file), and may include others. Paths are relative to
//! the file that contains them, or, with `this://`, to the description, and never leave the description.

use std::sync::Arc;

use crate::document::{Element, Text};
use crate::schema::IMAGE;
use crate::{
    Diagnostic, Diagnostics, Format, SchemaVersion, Severity, SourceFile, check, decode, deprecated, format,
};

/// Returns the text of a file that a description includes; the path is relative to the directory of the description,
/// without `.` and `..`. An error gives the reason why it cannot be read.
pub type Loader<'a> = dyn FnMut(&str) -> Result<SourceFile, String> + 'a;

/// Limits on the number and nesting of included files, higher than any description needs.
const MAX_FILES: usize = 1_000;
const MAX_DEPTH: usize = 32;

/// A description with everything it includes.
pub(crate) struct Whole {
    /// The tree, upgraded to `schema`, without `<include>`.
    pub(crate) root: Element,
    pub(crate) schema: SchemaVersion,
    /// Included files with the schema of the main file, because they specify none.
    pub(crate) without_schema: Vec<Arc<SourceFile>>,
    /// Deprecated keywords, each file checked against its own schema.
    pub(crate) deprecated: Diagnostics,
}

/// Reads and checks a description. None only if it cannot be read at all, which was reported.
pub(crate) fn read(
    file: &Arc<SourceFile>,
    loader: &mut Loader,
    diagnostics: &mut Diagnostics,
) -> Option<Whole> {
    let mut root = format::read(file).map_err(|error| diagnostics.push(*error)).ok()?;
    let schema = decode::schema_version(&root, diagnostics)?;
    let name = file.name.rsplit('/').next().unwrap_or(&file.name).to_owned();
    let mut deprecated = deprecated::deprecated(&root, schema);
    let mut reader =
        Reader { loader, diagnostics, files: 0, bytes: 0, without_schema: Vec::new(), complete: true };
    check::keywords(&root, schema, reader.diagnostics);
    reader.include(&mut root, Schema { version: schema, of_main: true }, &mut vec![name], &mut deprecated);
    let Reader { without_schema, complete, .. } = reader;
    // An element of a file that was not read is not reported as missing.
    if complete {
        check::cardinality(&root, schema, diagnostics);
    }
    if diagnostics.is_full() {
        return None;
    }
    Some(Whole { root, schema, without_schema, deprecated })
}

/// The schema of a file.
#[derive(Clone, Copy)]
struct Schema {
    version: SchemaVersion,
    /// Whether it follows that of the main file.
    of_main: bool,
}

struct Reader<'a, 'l> {
    loader: &'a mut Loader<'l>,
    diagnostics: &'a mut Diagnostics,
    files: usize,
    bytes: usize,
    without_schema: Vec<Arc<SourceFile>>,
    /// Whether every include was read.
    complete: bool,
}

impl Reader<'_, '_> {
    /// Replaces the includes of one file; `chain` is the path of that file and of the files that include it.
    fn include(
        &mut self,
        root: &mut Element,
        schema: Schema,
        chain: &mut Vec<String>,
        deprecated: &mut Diagnostics,
    ) {
        if root.child("include").is_none() {
            return;
        }
        let mut children = Vec::new();
        for mut child in std::mem::take(&mut root.children) {
            if child.name != "include" || child.foreign {
                children.push(child);
                continue;
            }
            let from = child.value("from").cloned();
            let included = from.and_then(|from| self.part(&from, schema, chain, deprecated));
            self.complete &= included.is_some();
            let mut included = included.unwrap_or_default();
            if let Some(first) = included.first_mut() {
                first.layout.comments.splice(..0, std::mem::take(&mut child.layout.comments));
                first.layout.blank_line |= child.layout.blank_line;
            }
            children.append(&mut included);
        }
        root.children = children;
    }

    /// Returns the elements of one included file, upgraded to `schema`.
    fn part(
        &mut self,
        from: &Text,
        schema: Schema,
        chain: &mut Vec<String>,
        deprecated: &mut Diagnostics,
    ) -> Option<Vec<Element>> {
        let location = chain.last().map(String::as_str).unwrap_or_default();
        let path = match path_below(&from.text, location) {
            Ok(path) => path,
            Err(why) => return self.refuse(from, &format!("`{}` cannot be included", from.text), why, HELP),
        };
        if chain.contains(&path) {
            let chain = [chain.as_slice(), std::slice::from_ref(&path)].concat().join(" -> ");
            let message = format!("`{path}` includes itself");
            return self.refuse(from, &message, "endless", &format!("the chain is {chain}"));
        }
        if chain.len() > MAX_DEPTH || self.files >= MAX_FILES {
            let message = format!("more than {MAX_FILES} included files, or more than {MAX_DEPTH} levels");
            return self.refuse(from, &message, "too many", "merge some of the files");
        }
        let file = match (self.loader)(&path) {
            Ok(file) => Arc::new(file),
            Err(why) => return self.refuse(from, &format!("including `{path}`: {why}"), "not read", HELP),
        };
        self.files += 1;
        self.bytes += file.text.len();
        if self.bytes > Format::MAX_SIZE {
            let message = format!("the included files have more than {} MiB", Format::MAX_SIZE >> 20);
            return self.refuse(from, &message, "too large", "no description is that large");
        }
        let mut root = format::read(&file).map_err(|error| self.diagnostics.push(*error)).ok()?;
        let own = self.schema_of_part(&root, schema, &file)?;
        check::keywords(&root, own.version, self.diagnostics);
        deprecated.0.extend(deprecated::deprecated(&root, own.version).0);
        chain.push(path);
        self.include(&mut root, own, chain, deprecated);
        chain.pop();
        crate::upgrade::upgrade_to(&mut root, own.version, schema.version);
        Some(root.children)
    }

    fn schema_of_part(&mut self, root: &Element, schema: Schema, file: &Arc<SourceFile>) -> Option<Schema> {
        let version = root.attribute("schemaversion").or_else(|| root.attribute("schemeversion"));
        let Some(version) = version.filter(|_| root.name == IMAGE.name && !root.foreign) else {
            if root.name != IMAGE.name || root.foreign {
                decode::schema_version(root, self.diagnostics);
                return None;
            }
            if schema.of_main {
                self.without_schema.push(Arc::clone(file));
            }
            return Some(schema);
        };
        let own = decode::schema_version(root, self.diagnostics)?;
        if own > schema.version {
            let diagnostic = Diagnostic::error(
                version.value.span.clone(),
                format!("a file of schema {own} is included by one of schema {}", schema.version),
            )
            .rule("include")
            .label("newer than the including file")
            .help("convert the including file to today's schema with `kiwi convert`");
            // Since then keywords have only been renamed, and the new names are used as they are.
            if schema.version < SchemaVersion::V7_4 {
                self.diagnostics.push(diagnostic);
                return None;
            }
            self.diagnostics.push(Diagnostic { severity: Severity::Warning, ..diagnostic });
        }
        Some(Schema { version: own, of_main: false })
    }

    fn refuse<T>(&mut self, from: &Text, message: &str, label: &str, help: &str) -> Option<T> {
        self.diagnostics
            .push(Diagnostic::error(from.span.clone(), message).rule("include").label(label).help(help));
        None
    }
}

const HELP: &str =
    "name a file of the description, relative to this file, or with `this://` to the description";

/// Returns the path below the description that `from` names in the file at `location`.
fn path_below(from: &str, location: &str) -> Result<String, &'static str> {
    let (from, location) = match from.split_once(':') {
        Some(("this", path)) => (path.strip_prefix("//").unwrap_or(path), ""),
        Some(("file" | "dir", path)) => (path.strip_prefix("//").unwrap_or(path), location),
        Some((scheme, rest)) if rest.starts_with("//") && !scheme.contains('/') => {
            return Err("not a file of the description");
        }
        _ => (from, location),
    };
    if from.starts_with('/') && location.is_empty() {
        return path_below(from.trim_start_matches('/'), "");
    }
    if from.starts_with('/') {
        return Err("an absolute path leaves the description");
    }
    let directory = location.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in from.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return Err("this path leaves the description"),
            ".." => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() || matches!(from.rsplit('/').next(), Some("" | "." | "..")) {
        Err("not a file name")
    } else {
        Ok(parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_description() {
        let good = [
            ("more.xml", "config.xml", "more.xml"),
            ("./a/../more.xml", "config.xml", "more.xml"),
            ("this://more.xml", "sub/a.xml", "more.xml"),
            ("this://./sub/b.xml", "sub/a.xml", "sub/b.xml"),
            ("this:///more.xml", "sub/a.xml", "more.xml"),
            ("file://more.xml", "sub/a.xml", "sub/more.xml"),
            ("../more.xml", "sub/a.xml", "more.xml"),
            ("a:b.xml", "config.xml", "a:b.xml"),
        ];
        for (from, location, path) in good {
            assert_eq!(path_below(from, location).as_deref(), Ok(path), "{from} in {location}");
        }
        for (from, location) in [
            ("../more.xml", "config.xml"),
            ("a/../../more.xml", "config.xml"),
            ("this://../more.xml", "sub/a.xml"),
            ("/etc/passwd", "config.xml"),
            ("file:///etc/passwd", "config.xml"),
            ("https://example.org/a.xml", "config.xml"),
            ("", "config.xml"),
            (".", "sub/a.xml"),
            ("sub/", "config.xml"),
        ] {
            assert!(path_below(from, location).is_err(), "{from} in {location}");
        }
    }
}
