//! From a path the user gave to a valid description and the selection of one build.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use description::{
    Architecture, Choice, Description, Diagnostics, Package, PackageName, Parsed, Repository,
    RepositoryStatus, RepositoryType, Selection, Severity, SourceFile, SourcePath,
};

use super::Overrides;
use crate::host::Host;
use crate::share::Share;
use crate::source::Source;

/// A description that is wrong; the diagnostics say where.
#[derive(Debug, thiserror::Error)]
#[error("{}", count(diagnostics))]
pub struct Invalid {
    /// All of them, warnings too.
    pub diagnostics: Diagnostics,
    /// Whether the operation has shown them already, in a form of its own.
    pub told: bool,
}

impl Invalid {
    pub(super) fn new(diagnostics: Diagnostics) -> Self {
        Self { diagnostics, told: false }
    }
}

fn count(diagnostics: &Diagnostics) -> String {
    match diagnostics.0.iter().filter(|one| one.severity == Severity::Error).count() {
        1 => "1 error in the description".to_owned(),
        errors => format!("{errors} errors in the description"),
    }
}

/// A description with the directory it came from.
pub(super) struct Loaded {
    pub(super) source: Source,
    pub(super) description: Description,
    pub(super) warnings: Diagnostics,
}

/// Reads the description at `path`: a directory, its file, or a word that names a boot image description. What it
/// inherits is put before it.
pub(super) fn load(path: &Path, share: &Share) -> Result<Loaded> {
    let source = open(path, share)?;
    let (mut description, warnings) = read(&source)?;
    inherit(&mut description, &source, share)?;
    Ok(Loaded { source, description, warnings })
}

/// Finds the description `path` means.
pub(super) fn open(path: &Path, share: &Share) -> Result<Source> {
    let place = match path.components().count() {
        1 if !path.exists() => share.images().join(path),
        _ => path.to_owned(),
    };
    Source::open(if place.exists() { &place } else { path })
}

/// As `load`, and warnings are shown.
pub(super) fn load_and_warn(path: &Path, share: &Share, host: &Host) -> Result<Loaded> {
    let loaded = load(path, share)?;
    if !loaded.warnings.0.is_empty() {
        host.say(&crate::diagnostic::render(&loaded.warnings, false));
    }
    Ok(loaded)
}

fn read(source: &Source) -> Result<(Description, Diagnostics)> {
    let parsed = parse(source);
    match parsed.description {
        Some(description) => Ok((description, parsed.diagnostics)),
        None => Err(Invalid::new(parsed.diagnostics).into()),
    }
}

/// Reads the text of a description, and all there is to say about it.
pub(super) fn parse(source: &Source) -> Parsed {
    Description::parse(SourceFile {
        name: source.config().display().to_string(),
        text: source.text().to_owned(),
    })
}

/// Follows the chain of `inherit`; every description is merged once (spec 2.12).
pub(super) fn inherit(description: &mut Description, source: &Source, share: &Share) -> Result<()> {
    let mut seen: Vec<PathBuf> = vec![source.folder().to_owned()];
    let mut folder = source.folder().to_owned();
    let mut next = description.inherit.as_ref().map(|inherit| inherit.path.clone());
    while let Some(written) = next {
        let path = if written.contains('/') { folder.join(&written) } else { share.images().join(&written) };
        let base = Source::open(&path)
            .with_context(|| format!("reading what {} inherits (inherit=\"{written}\")", folder.display()))?;
        if seen.iter().any(|folder| folder == base.folder()) {
            return Ok(());
        }
        let (other, _) = read(&base)?;
        description.prepend_packages(&other);
        seen.push(base.folder().to_owned());
        folder = base.folder().to_owned();
        next = other.inherit.as_ref().map(|inherit| inherit.path.clone());
    }
    Ok(())
}

/// Chooses one build of the description and applies the changes of the command line to it.
pub(super) fn select(
    loaded: &Loaded,
    profiles: &[String],
    image_type: Option<&str>,
    overrides: &Overrides,
) -> Result<Selection> {
    let choice = Choice {
        profiles: profiles.to_vec(),
        image_type: image_type.map(str::to_owned),
        architecture: Some(machine()),
    };
    let mut selection = loaded.description.select(&choice).map_err(Invalid::new)?;
    apply(overrides, &mut selection)?;
    Ok(selection)
}

/// The architecture kiwi runs on.
pub(super) fn machine() -> Architecture {
    Architecture::new(std::env::consts::ARCH)
}

/// `--set-repo`, then `--add-repo`, then `--add-package` (spec 1.2.2).
fn apply(overrides: &Overrides, selection: &mut Selection) -> Result<()> {
    if let Some(path) = &overrides.set_repository {
        let Some(first) = selection.repositories.first_mut() else {
            bail!(
                "--set-repo replaces the first repository of the description, but it has none; use --add-repo"
            );
        };
        first.source = source_path("--set-repo", path, &selection.architecture)?;
        if let Some(word) = &overrides.set_repository_type {
            first.kind = Some(repository_type("--set-repotype", word)?);
        }
    }
    for (index, written) in overrides.add_repositories.iter().enumerate() {
        selection.repositories.push(added(
            written,
            overrides.add_repository_types.get(index).map(String::as_str),
            &selection.architecture,
        )?);
    }
    for name in &overrides.add_packages {
        let Some(name) = PackageName::parse(name) else {
            bail!("--add-package {name}: expected {}", PackageName::EXPECTED);
        };
        selection.image.packages.push(Package { name });
    }
    selection.image.packages.sort();
    selection.image.packages.dedup();
    Ok(())
}

fn source_path(option: &str, path: &str, architecture: &Architecture) -> Result<SourcePath> {
    match SourcePath::parse(path, architecture) {
        Some(source) => Ok(source),
        None => bail!(
            "{option} {path}: expected an absolute path, dir:PATH, this://PATH, http(s)://, ftp://, opensuse://, \
             obs:// or debian://SUITE"
        ),
    }
}

/// A repository of the command line: `SOURCE`, for apt also `SOURCE DISTRIBUTION COMPONENT...`.
fn added(written: &str, word: Option<&str>, architecture: &Architecture) -> Result<Repository> {
    let mut words = written.split_whitespace();
    let source = source_path("--add-repo", words.next().unwrap_or_default(), architecture)?;
    let kind = match (word, &source) {
        (Some(word), _) => repository_type("--add-repotype", word)?,
        (None, SourcePath::Debian(_)) => RepositoryType::AptDeb,
        (None, _) => {
            bail!("--add-repo {written} needs its type: give one --add-repotype for each --add-repo")
        }
    };
    Ok(Repository {
        kind: Some(kind),
        status: RepositoryStatus::Fixed,
        source,
        alias: None,
        priority: None,
        distribution: words.next().map(str::to_owned),
        components: words.map(str::to_owned).collect(),
        architectures: Vec::new(),
        check_repository: None,
        check_packages: None,
        signing_keys: Vec::new(),
        in_image: false,
        image_only: false,
        credentials: None,
    })
}

fn repository_type(option: &str, word: &str) -> Result<RepositoryType> {
    match RepositoryType::parse(word) {
        Some(kind) => Ok(kind),
        None => {
            let words: Vec<&str> = RepositoryType::WORDS.iter().map(|(word, _)| *word).collect();
            bail!("{option} {word}: expected one of {}", words.join(", "))
        }
    }
}
