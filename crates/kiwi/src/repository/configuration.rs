//! The configuration file of the user or the machine: mirrors of repositories.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::distribution::debian::Mirrors;
use crate::host::Host;
use crate::runtime_configuration::is_runtime_configuration;

/// The settings of the configuration file, overridden by the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Configuration {
    /// `[debian]`
    #[serde(default)]
    pub debian: Mirrors,
}

impl Configuration {
    /// Parses the text of a file.
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Reads `KIWI_CONFIG`, or `~/.config/kiwi/config.toml`, or `/etc/kiwi.toml`; the first that exists.
    pub fn read(host: &Host) -> Result<Self> {
        let home = host.variable("HOME").map(|home| PathBuf::from(home).join(".config/kiwi/config.toml"));
        let named = host.variable("KIWI_CONFIG").map(PathBuf::from);
        let named = named.filter(|path| !is_runtime_configuration(path));
        let path = named.or_else(|| {
            [home, Some(PathBuf::from("/etc/kiwi.toml"))].into_iter().flatten().find(|path| path.is_file())
        });
        let mut configuration = match path {
            Some(path) => {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("reading the configuration {}", path.display()))?;
                Self::parse(&text).with_context(|| format!("reading the configuration {}", path.display()))?
            }
            None => Self::default(),
        };
        for (variable, setting) in [
            ("KIWI_DEBIAN_MIRROR", &mut configuration.debian.main),
            ("KIWI_DEBIAN_SECURITY_MIRROR", &mut configuration.debian.security),
        ] {
            if let Some(value) = host.variable(variable) {
                *setting = Some(value);
            }
        }
        Ok(configuration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mirrors_and_rejects_unknown_keys() {
        let text = "[debian]\nmirror = \"http://mirror.example/debian\"\n";
        let configuration = Configuration::parse(text).unwrap();
        assert_eq!(configuration.debian.main.as_deref(), Some("http://mirror.example/debian"));
        assert!(Configuration::parse("[debian]\nmiror = \"x\"\n").is_err());
    }
}
