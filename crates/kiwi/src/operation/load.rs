//! Loads the description at a path of the user and selects one build.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use description::{
    Architecture, Choice, Description, Diagnostic, Diagnostics, Parsed, Selection, Severity, SourcePath,
};

use super::Overrides;
use super::locking::Locking;
use crate::context::Context;
use crate::error::position_of;
use crate::failure::{Failure, Invalid, Kind, REPLACED, fail};
use crate::host::Host;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::source::{AllowedPaths, Source};

/// A description with its directory.
pub(super) struct Loaded {
    pub(super) source: Source,
    pub(super) description: Description,
    pub(super) warnings: Diagnostics,
    /// How this build uses the lock beside the description.
    pub(super) locking: Locking,
}

/// Reads the description at `path`: a directory, its file, or the name of a boot image description as in `kiwi list`.
/// Inherited descriptions are merged before it.
pub(super) fn load(path: &Path, context: &Context) -> Result<Loaded> {
    let source = open(path, context)?;
    let (mut description, warnings) = read(&source)?;
    inherit(&mut description, &source, context)?;
    Ok(Loaded { source, description, warnings, locking: Locking::default() })
}

/// Finds the description that `path` names.
pub(super) fn open(path: &Path, context: &Context) -> Result<Source> {
    let ours = context.share.image(path);
    open_source(if !path.exists() && path.is_relative() && ours.exists() { &ours } else { path }, context)
}

/// Opens the description at `path`. Boot image descriptions of kiwi and of the user share files with each other.
fn open_source(path: &Path, context: &Context) -> Result<Source> {
    let images = context.share.image_directories();
    let allowed =
        images.iter().fold(context.allowed.clone(), |allowed, images| allowed.with_parent_of(path, images));
    Source::open(path, &allowed)
}

/// Reads the description in a prepared tree. It inherits nothing: the inherited packages are in the tree.
pub(super) fn load_prepared(tree: &RootTree) -> Result<Loaded> {
    let directory = tree.path().join(DESCRIPTION);
    if let Ok(target) = directory.read_link() {
        fail!(
            File,
            "{} is a symbolic link to {}, but must be the directory that kiwi prepare creates",
            directory.display(),
            target.display()
        );
    }
    let source = Source::open(&directory, &AllowedPaths::default())?;
    let (description, warnings) = read(&source)?;
    Ok(Loaded { source, description, warnings, locking: Locking::default() })
}

/// Reports diagnostics as warnings, separated by empty lines for a person.
pub(super) fn warn(diagnostics: &Diagnostics, host: &Host) {
    for (number, one) in diagnostics.0.iter().enumerate() {
        let shown = crate::diagnostic::render(&Diagnostics(vec![one.clone()]), host.is_colored());
        let shown = if number == 0 { shown } else { format!("\n{shown}") };
        host.warn_of_description(one.rule, &one.message, position_of(one), shown);
    }
}

/// Loads like `load` and shows the warnings.
pub(super) fn load_and_warn(path: &Path, context: &Context) -> Result<Loaded> {
    let loaded = load(path, context)?;
    warn(&loaded.warnings, &context.host);
    Ok(loaded)
}

fn read(source: &Source) -> Result<(Description, Diagnostics)> {
    let parsed = parse(source);
    match parsed.description {
        Some(description) => Ok((description, parsed.diagnostics)),
        None => Err(Invalid::new(parsed.diagnostics).into()),
    }
}

/// Reads the text of a description and all its diagnostics.
pub(super) fn parse(source: &Source) -> Parsed {
    Description::load(source.file(), &mut |path: &str| source.included(path))
}

/// Reads like [`parse`] and adds the texts of included files to `included`.
pub(super) fn parse_with(source: &Source, included: &mut Vec<String>) -> Parsed {
    Description::load(source.file(), &mut |path: &str| {
        let file = source.included(path)?;
        included.push(file.text.clone());
        Ok(file)
    })
}

/// Follows the chain of `inherit`; every description is merged once (docs/formats/description.md).
pub(super) fn inherit(description: &mut Description, source: &Source, context: &Context) -> Result<()> {
    let mut seen: Vec<PathBuf> = vec![source.directory().to_owned()];
    let mut directory = source.directory().to_owned();
    let mut next = description.inherit.as_ref().map(|inherit| inherit.path.clone());
    while let Some(written) = next {
        let path =
            if written.contains('/') { directory.join(&written) } else { context.share.image(&written) };
        let base = open_source(&path, context).with_context(|| {
            format!("reading what {} inherits (inherit=\"{written}\")", directory.display())
        })?;
        if seen.iter().any(|directory| directory == base.directory()) {
            return Ok(());
        }
        let (other, _) = read(&base)?;
        description.prepend_packages(&other);
        seen.push(base.directory().to_owned());
        directory = base.directory().to_owned();
        next = other.inherit.as_ref().map(|inherit| inherit.path.clone());
    }
    Ok(())
}

/// Selects one build of the description and applies the changes of the command line to it.
pub(super) fn select(
    loaded: &Loaded,
    profiles: &[String],
    image_type: Option<&str>,
    overrides: &Overrides,
    host: &Host,
) -> Result<Selection> {
    let choice = Choice {
        profiles: profiles.to_vec(),
        image_type: image_type.map(str::to_owned),
        architecture: Some(machine()),
    };
    let mut selection = loaded.description.select(&choice).map_err(Invalid::new)?;
    from_environment(&mut selection, host)?;
    overrides.apply(&mut selection)?;
    Ok(selection)
}

/// Replaces each source `{NAME}` by the value of the environment variable, if it is set.
pub(super) fn from_environment(selection: &mut Selection, host: &Host) -> Result<()> {
    for repository in &mut selection.repositories {
        let SourcePath::Placeholder(text) = &repository.source else { continue };
        let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else { continue };
        let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            continue;
        }
        let Some(value) = host.variable(name) else { continue };
        match SourcePath::parse(&value, &selection.architecture) {
            Some(source) if !matches!(source, SourcePath::Placeholder(_)) => repository.source = source,
            Some(_) | None => fail!(
                Configuration,
                "the variable {name}, which replaces the repository {text}, is {value:?}: expected {}",
                SourcePath::EXPECTED
            ),
        }
    }
    Ok(())
}

/// Returns an error at the position of every element of this selection that this version does not build.
pub(super) fn unsupported(description: &Description, selection: &Selection) -> Vec<Diagnostic> {
    let manager_span = description.package_manager_span().unwrap_or(description.span());
    let keyword = selection.image_type.keyword();
    let type_entry = description.types().find(|entry| entry.keyword == keyword);
    let type_span = type_entry.map_or(description.span(), |entry| &entry.span);
    let patterns = crate::package_manager::check_patterns(selection).map_err(anyhow::Error::from);
    let settings = crate::package_manager::check_settings(selection).map_err(anyhow::Error::from);
    let of_type = crate::create::check(selection);
    let refused = [(patterns, manager_span), (settings, manager_span), (of_type, type_span)];
    let readable = refused.iter().all(|(result, _)| result.is_ok());
    let repositories = selection.repositories.iter().filter(|_| readable).map(|repository| {
        let checked = crate::package_manager::check_repository(selection, repository);
        let span = description.source_span(&repository.source, &selection.architecture);
        (checked.map_err(anyhow::Error::from), span.unwrap_or(description.span()))
    });
    let refused: Vec<_> = refused.into_iter().chain(repositories).collect();
    let mut found = Vec::new();
    for (result, span) in refused {
        let Err(error) = result else { continue };
        // A program that is missing on this machine is not a mistake of the description.
        let Some(failure) = error.downcast_ref::<Failure>().filter(|failure| failure.kind == Kind::NotBuilt)
        else {
            continue;
        };
        let diagnostic = Diagnostic::error(span.clone(), failure.message.clone());
        let diagnostic = diagnostic.rule(description::NOT_BUILT).label("not built yet");
        found.push(match &failure.remedy {
            Some(remedy) => diagnostic.help(remedy),
            None => diagnostic,
        });
    }
    found
}

/// Returns a diagnostic at each source of packages that only stands for a repository; `severity` is that of the diagnostic.
pub(super) fn placeholders(
    description: &Description,
    selection: &Selection,
    severity: Severity,
) -> Vec<Diagnostic> {
    let sources = selection.repositories.iter().filter(|repository| !repository.image_only);
    let placeholders = sources.filter_map(|repository| {
        let SourcePath::Placeholder(text) = &repository.source else { return None };
        let span = description.source_span(&repository.source, &selection.architecture);
        let span = span.unwrap_or(description.span()).clone();
        let message = format!("`{text}` names no repository from which this machine can take packages");
        let diagnostic = Diagnostic::error(span, message).rule(REPLACED).label("stands for repositories of a build");
        let help = if text.starts_with("iso:") {
            "mount the image, and build with `--set-repo dir:/MOUNT_POINT`, or `--ignore-repos --add-repo dir:/MOUNT_POINT`"
        } else {
            "build with `--set-repo SOURCE`, `--add-repo SOURCE`, or `--ignore-repos --add-repo SOURCE`; a source `{NAME}` \
             can also come from the environment variable NAME"
        };
        Some(Diagnostic { severity, ..diagnostic.help(help) })
    });
    placeholders.collect()
}

/// Fails at the position of a source that the command line does not replace, before any work.
pub(super) fn refuse_placeholders(description: &Description, selection: &Selection) -> Result<()> {
    let found = placeholders(description, selection, Severity::Error);
    if found.is_empty() { Ok(()) } else { Err(Invalid::new(Diagnostics(found)).into()) }
}

/// Fails at the position of what this version does not build, before any work.
pub(super) fn refuse_unsupported(description: &Description, selection: &Selection) -> Result<()> {
    let found = unsupported(description, selection);
    if found.is_empty() { Ok(()) } else { Err(Invalid::new(Diagnostics(found)).into()) }
}

/// Returns the architecture of the host.
pub fn machine() -> Architecture {
    Architecture::new(std::env::consts::ARCH)
}
