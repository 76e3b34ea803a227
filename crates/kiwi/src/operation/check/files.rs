//! Files beside a description: those that a build needs and does not find, and those that it ignores.

use description::{Description, Diagnostic, ProfileName, Repository, Selection};

use crate::failure::Failure;
use crate::prepare;
use crate::source::Source;

/// Returns a warning for each archive that does not exist; it may be added before the build.
pub(super) fn missing_archives(
    description: &Description,
    selection: &Selection,
    source: &Source,
) -> Vec<Diagnostic> {
    let names = selection.bootstrap.archives.iter().chain(&selection.image.archives);
    let names = names.map(|archive| archive.name.as_str());
    let missing = names.filter(|name| source.find(name).is_ok_and(|found| found.is_none()));
    let told = missing.map(|name| {
        let span = description.archive_span(name).unwrap_or(description.span()).clone();
        Diagnostic::warning(span, format!("the archive `{name}` does not exist: a build stops here"))
            .rule("missing-archive")
            .label("not beside the description")
            .help(format!("put it into {}", source.directory().display()))
    });
    told.collect()
}

/// Returns an error for each script that a build refuses before it runs.
pub(super) fn wrong_scripts(
    description: &Description,
    selection: &Selection,
    source: &Source,
) -> Vec<Diagnostic> {
    let diagnostic = |failure: Failure| {
        let diagnostic = Diagnostic::error(description.span().clone(), failure.message).rule("script");
        diagnostic.label("a script beside this description").help(failure.remedy.unwrap_or_default())
    };
    prepare::script_mistakes(selection, source).into_iter().map(diagnostic).collect()
}

/// Returns a warning for each file of a signing key that does not exist; it may be added before the build.
pub(super) fn missing_keys(
    description: &Description,
    selection: &Selection,
    source: &Source,
) -> Vec<Diagnostic> {
    let warning = |(repository, key): (&Repository, &str)| {
        let span = description.source_span(&repository.source, &selection.architecture);
        let span = span.unwrap_or(description.span()).clone();
        Diagnostic::warning(span, format!("the signing key `{key}` does not exist: a build stops here"))
            .rule("missing-key")
            .label("a key of this repository")
            .help("put the public key of the repository there, armoured or binary")
    };
    prepare::missing_keys(selection, source).into_iter().map(warning).collect()
}

/// Returns a warning about the files that a build ignores, one for each kind.
pub(super) fn ignored(description: &Description, source: &Source, included: &[String]) -> Vec<Diagnostic> {
    let texts: Vec<&str> =
        std::iter::once(source.text()).chain(included.iter().map(String::as_str)).collect();
    let profiles: Vec<&str> =
        description.profiles.iter().map(|profile| ProfileName::as_str(&profile.name)).collect();
    let ignored = source.ignored(&texts, &profiles);
    let mut told = Vec::new();
    let warning = |message: String| {
        Diagnostic::warning(description.span().clone(), message)
            .rule("file-that-nothing-reads")
            .label("files beside this description")
    };
    if !ignored.not_read.is_empty() {
        let message = format!("this version of kiwi does not use {}", ignored.not_read.join(", "));
        told.push(warning(message).help("KIWI NG does: an image that needs them is not complete"));
    }
    if !ignored.unknown.is_empty() {
        let message = format!("a build does not read {}", ignored.unknown.join(", "));
        told.push(
            warning(message).help("check the names, and what the description and its scripts refer to"),
        );
    }
    told
}
