//! A description directory, read-only.

mod files;
mod known;
pub mod real;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub use files::{AllowedPaths, Files};
pub use known::{Ignored, KNOWN_NAMES, KnownName};

use crate::failure::{Failure, Kind};
use description::{Conversion, Description, Dialect, Format, SchemaVersion, SourceFile};

/// A description on the disk.
#[derive(Debug, Clone)]
pub struct Source {
    files: Files,
    config: PathBuf,
    text: String,
}

impl Source {
    /// Reads the description in `directory`: the first of `config.xml`, `image/config.xml`, the first `*.kiwi` by name,
    /// `config.yaml`, `config.yml`, `config.toml` and `config.json`. A file may be named directly.
    pub fn open(directory: &Path, allowed: &AllowedPaths) -> Result<Self> {
        if directory.is_file() {
            // The user may name a link.
            let opened = fs::File::open(directory).map_err(|error| reason(&error));
            let text = unless_wrong(directory, opened)?;
            let files = Files { directory: directory_of(directory)?, allowed: allowed.clone() };
            return Ok(Self { files, config: directory.to_owned(), text });
        }
        if !directory.is_dir() {
            let message = format!("there is no description at {}: no such directory", directory.display());
            return Err(Failure::new(Kind::File, message).into());
        }
        let mut candidates = vec![directory.join("config.xml"), directory.join("image/config.xml")];
        let mut named: Vec<PathBuf> = fs::read_dir(directory)
            .with_context(|| format!("reading the description directory {}", directory.display()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "kiwi"))
            .collect();
        named.sort();
        candidates.extend(named);
        candidates
            .extend(["yaml", "yml", "toml", "json"].map(|format| directory.join(format!("config.{format}"))));
        match candidates.into_iter().find(|path| path.is_file()) {
            Some(config) => {
                let files = Files { directory: directory_of(&config)?, allowed: allowed.clone() };
                let real = files.follow(&files.directory.join(config.file_name().unwrap_or_default()))?;
                let text = unless_wrong(&config, real::open(&real).map_err(|error| error.to_string()))?;
                Ok(Self { files, config, text })
            }
            None => {
                let message = format!(
                    "there is no description at {}: it has neither config.xml (or .yaml, .toml, .json), image/config.xml \
                 nor a *.kiwi file",
                    directory.display()
                );
                Err(Failure::new(Kind::File, message).into())
            }
        }
    }

    /// Returns the description with another text of its configuration file, which an editor has not saved yet.
    #[must_use]
    pub fn with_text(self, text: String) -> Self {
        Self { text, ..self }
    }

    /// Returns the configuration file in the form that the description crate expects.
    pub fn file(&self) -> SourceFile {
        SourceFile { name: self.config.display().to_string(), text: self.text.clone() }
    }

    /// Returns a file that the configuration file includes, by its path below the directory.
    ///
    /// # Errors
    ///
    /// Returns the reason, worded to follow "including PATH:".
    pub fn included(&self, path: &str) -> Result<SourceFile, String> {
        let location = self.directory().join(path);
        let real = location.canonicalize().map_err(|error| reason(&error))?;
        if !self.files.contains(&real) {
            return Err(self.files.leads_out(&location, &real).to_string());
        }
        let shown =
            self.config.parent().map_or_else(|| PathBuf::from(path), |directory| directory.join(path));
        let file = real::open(&real).map_err(|error| error.to_string())?;
        Ok(SourceFile { name: shown.display().to_string(), text: read_text(file)? })
    }

    /// Returns the absolute, link-free path of the directory of the configuration file; `this://` is relative to it.
    pub fn directory(&self) -> &Path {
        &self.files.directory
    }

    /// Returns the path of the configuration file, as the user specified it.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Returns the description as one XML text with all includes, as it is stored in a root tree.
    pub fn whole(&self) -> Result<String> {
        if self.format() == Format::Xml && !self.text.contains("<include") {
            return Ok(description::declare_utf_8(&self.text));
        }
        let mut included = |path: &str| self.included(path);
        let parsed = Description::load(self.file(), &mut included);
        let schema = parsed.description.map_or(SchemaVersion::NEWEST, |valid| valid.schema_version);
        let conversion = Conversion { schema, dialect: Dialect::Kiwi, format: Format::Xml, whole: true };
        match Description::convert(self.file(), conversion, &mut included) {
            Ok(converted) => Ok(converted.text),
            Err(_) => bail!("writing the description {} as one XML file", self.config.display()),
        }
    }

    /// Returns the format of the configuration file.
    pub fn format(&self) -> Format {
        Format::of(&self.file())
    }

    /// Returns the text of the configuration file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the files of the description.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Returns the path, without links, of a file or directory of the description; see [`Files::find`].
    pub fn find(&self, name: impl AsRef<Path>) -> Result<Option<PathBuf>> {
        self.files.find(name)
    }

    /// Like `find`, for a regular file.
    pub fn find_file(&self, name: impl AsRef<Path>) -> Result<Option<PathBuf>> {
        self.files.find_file(name)
    }
}

/// Returns the absolute, link-free path of the directory of a configuration file.
fn directory_of(config: &Path) -> Result<PathBuf> {
    let directory =
        config.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    directory
        .canonicalize()
        .with_context(|| format!("opening the description directory {}", directory.display()))
}

/// Returns the text of the configuration file, which was opened or not.
fn unless_wrong(config: &Path, opened: Result<fs::File, String>) -> Result<String> {
    Ok(opened.and_then(read_text).map_err(|why| {
        Failure::new(Kind::File, format!("reading the description {}: {why}", config.display()))
    })?)
}

/// Returns the text of a file that does not exceed the maximum size of a description.
fn read_text(file: fs::File) -> Result<String, String> {
    let kind = file.metadata().map_err(|error| reason(&error))?;
    if !kind.is_file() {
        return Err("it is not a file".to_owned());
    }
    let most = Format::MAX_SIZE as u64;
    if kind.len() > most {
        return Err(format!("it is larger than {} MiB, the maximum size of a description", most >> 20));
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(|error| reason(&error))?;
    description::decode(&bytes)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use super::*;

    #[test]
    fn finds_a_description_in_every_supported_file() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("image")).unwrap();
        // From the lowest to the highest precedence: each file is preferred to those before it.
        for name in [
            "config.json",
            "config.toml",
            "config.yml",
            "config.yaml",
            "b.kiwi",
            "a.kiwi",
            "image/config.xml",
            "config.xml",
        ] {
            let path = directory.path().join(name);
            fs::write(&path, name).unwrap();
            let source = Source::open(directory.path(), &AllowedPaths::default()).unwrap();
            assert_eq!(source.text(), name);
            assert_eq!(source.config(), path);
            assert_eq!(source.directory(), path.parent().unwrap().canonicalize().unwrap());
            assert_eq!(Source::open(&path, &AllowedPaths::default()).unwrap().text(), name);
        }
    }

    #[test]
    fn includes_stay_in_the_description() {
        let directory = tempfile::tempdir().unwrap();
        let description = directory.path().join("description");
        fs::create_dir_all(description.join("sub")).unwrap();
        fs::write(directory.path().join("outside.xml"), "<image/>").unwrap();
        fs::write(description.join("config.xml"), "<image/>").unwrap();
        fs::write(description.join("sub/more.xml"), "<image>more</image>").unwrap();
        std::os::unix::fs::symlink("../outside.xml", description.join("link.xml")).unwrap();
        fs::write(description.join("binary.xml"), b"a\n\xff").unwrap();
        fs::File::create(description.join("large.xml")).unwrap().set_len(100 << 20).unwrap();
        let source = Source::open(&description, &AllowedPaths::default()).unwrap();
        let more = source.included("sub/more.xml").unwrap();
        assert_eq!(more.text, "<image>more</image>");
        assert_eq!(more.name, description.join("sub/more.xml").display().to_string());
        for (path, why) in [
            ("none.xml", "it does not exist"),
            ("sub", "it is not a file"),
            ("large.xml", "it is larger than 2 MiB, the maximum size of a description"),
        ] {
            assert_eq!(source.included(path), Err(why.to_owned()), "{path}");
        }
        let error = source.included("binary.xml").unwrap_err();
        assert!(error.starts_with("line 2 is not UTF-8 text"), "{error}");
        let error = source.included("link.xml").unwrap_err();
        assert!(
            error.contains("link.xml leads out of the description: its target is ../outside.xml"),
            "{error}"
        );
        let allowed = AllowedPaths::new(&[directory.path().to_owned()]).unwrap();
        let source = Source::open(&description, &allowed).unwrap();
        assert_eq!(source.included("link.xml").unwrap().text, "<image/>");
    }
}
