//! A description directory, read-only.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use description::Format;

/// A description as it lies on the disk.
#[derive(Debug, Clone)]
pub struct Source {
    folder: PathBuf,
    config: PathBuf,
    text: String,
}

impl Source {
    /// Reads the description in `folder`: the first of `config.xml`, `image/config.xml`, the first `*.kiwi` by name,
    /// `config.yaml`, `config.yml`, `config.toml` and `config.json`. A file may be named directly.
    pub fn open(folder: &Path) -> Result<Self> {
        if folder.is_file() {
            return Self::read(folder);
        }
        if !folder.is_dir() {
            bail!("there is no description at {}: no such directory", folder.display());
        }
        let mut candidates = vec![folder.join("config.xml"), folder.join("image/config.xml")];
        let mut named: Vec<PathBuf> = fs::read_dir(folder)
            .with_context(|| format!("reading the description directory {}", folder.display()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "kiwi"))
            .collect();
        named.sort();
        candidates.extend(named);
        candidates
            .extend(["yaml", "yml", "toml", "json"].map(|format| folder.join(format!("config.{format}"))));
        match candidates.into_iter().find(|path| path.is_file()) {
            Some(config) => Self::read(&config),
            None => bail!(
                "there is no description at {}: it has neither config.xml (or .yaml, .toml, .json), image/config.xml \
                 nor a *.kiwi file",
                folder.display()
            ),
        }
    }

    fn read(config: &Path) -> Result<Self> {
        let bytes =
            fs::read(config).with_context(|| format!("reading the description {}", config.display()))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            anyhow::anyhow!("{}:{line}: the description is not UTF-8 text", config.display())
        })?;
        let folder =
            config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder
            .canonicalize()
            .with_context(|| format!("opening the description directory {}", folder.display()))?;
        Ok(Self { folder, config: config.to_owned(), text })
    }

    /// The absolute, link-free path of the directory of that file; `this://` is relative to it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of the configuration file, as the user named it.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The format of the configuration file: what its name ends in, else XML.
    pub fn format(&self) -> Format {
        let extension = self.config.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("yml") => Format::parse("yaml"),
            Some(word) => Format::parse(word),
            None => None,
        }
        .unwrap_or(Format::Xml)
    }

    /// The text of the configuration file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A file or folder of the description (`config.sh`, `root`, ...), when it is there.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let path = self.folder.join(name);
        path.symlink_metadata().is_ok().then_some(path)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_found_where_it_may_be() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("image")).unwrap();
        // From the last place looked at to the first: each goes before those there already.
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
            let path = folder.path().join(name);
            fs::write(&path, name).unwrap();
            let source = Source::open(folder.path()).unwrap();
            assert_eq!(source.text(), name);
            assert_eq!(source.config(), path);
            assert_eq!(source.folder(), path.parent().unwrap().canonicalize().unwrap());
            assert_eq!(Source::open(&path).unwrap().text(), name);
        }
    }
}
