//! A description directory, read-only.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A description as it lies on the disk.
#[derive(Debug, Clone)]
pub struct Source {
    folder: PathBuf,
    config: PathBuf,
    text: String,
}

impl Source {
    /// Reads the description in `folder`: `config.xml`, else the first `*.kiwi`. A file may be named directly.
    pub fn open(folder: &Path) -> Result<Self> {
        if folder.is_file() {
            return Self::read(folder.parent().unwrap_or(Path::new(".")), folder.to_owned());
        }
        if !folder.is_dir() {
            bail!("there is no description at {}: no such directory", folder.display());
        }
        let mut candidates = vec![folder.join("config.xml")];
        let mut named: Vec<PathBuf> = fs::read_dir(folder)
            .with_context(|| format!("reading the description directory {}", folder.display()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "kiwi"))
            .collect();
        named.sort();
        candidates.extend(named);
        let Some(config) = candidates.into_iter().find(|path| path.is_file()) else {
            bail!(
                "there is no description at {}: it has neither config.xml nor a *.kiwi file",
                folder.display()
            );
        };
        Self::read(folder, config)
    }

    fn read(folder: &Path, config: PathBuf) -> Result<Self> {
        let bytes =
            fs::read(&config).with_context(|| format!("reading the description {}", config.display()))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            anyhow::anyhow!("{}:{line}: the description is not UTF-8 text", config.display())
        })?;
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let folder = folder
            .canonicalize()
            .with_context(|| format!("opening the description directory {}", folder.display()))?;
        Ok(Self { folder, config, text })
    }

    /// The absolute, link-free path of the directory; `this://` is relative to it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of the configuration file, as the user named it.
    pub fn config(&self) -> &Path {
        &self.config
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
