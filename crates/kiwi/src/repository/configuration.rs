//! The configuration file of the user or the machine: mirrors of repositories.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::distribution::debian::{Address, ConfiguredMirrors, Mirrors};
use crate::host::Host;
use crate::runtime_configuration::{RuntimeConfiguration, is_runtime_configuration};

/// The settings of the configuration file.
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

    /// Reads `KIWI_CONFIG`, or `~/.config/kiwi/config.toml`, or `/etc/kiwi.toml`; the first that exists. Returns it with
    /// its path.
    fn read(host: &Host) -> Result<(Self, PathBuf)> {
        let home = host.variable("HOME").map(|home| PathBuf::from(home).join(".config/kiwi/config.toml"));
        let named = host.variable("KIWI_CONFIG").map(PathBuf::from);
        let named = named.filter(|path| !is_runtime_configuration(path));
        let path = named.or_else(|| {
            [home, Some(PathBuf::from("/etc/kiwi.toml"))].into_iter().flatten().find(|path| path.is_file())
        });
        let Some(path) = path else { return Ok((Self::default(), PathBuf::new())) };
        let reading = || format!("reading the configuration {}", path.display());
        let text = std::fs::read_to_string(&path).with_context(reading)?;
        Ok((Self::parse(&text).with_context(reading)?, path))
    }
}

/// Returns the mirrors that the user configured: in the environment, else in `kiwi.yml`, else in `kiwi.toml`.
pub(super) fn mirrors(runtime: &RuntimeConfiguration, host: &Host) -> Result<ConfiguredMirrors> {
    let (Configuration { debian: Mirrors { main, security, snapshot } }, path) = Configuration::read(host)?;
    let chosen = |variable: &str, yaml: &Option<String>, key: &str, toml: Option<String>| {
        let of_yaml = || Some(Address::new(yaml.clone()?, format!("`debian.{key}` in kiwi.yml")));
        let of_toml = || Some(Address::new(toml?, format!("[debian] {key} in {}", path.display())));
        let of_environment =
            host.variable(variable).map(|url| Address::new(url, format!("the variable {variable}")));
        of_environment.or_else(of_yaml).or_else(of_toml)
    };
    let yaml = &runtime.debian;
    Ok(ConfiguredMirrors {
        main: chosen("KIWI_DEBIAN_MIRROR", &yaml.main, "mirror", main),
        security: chosen("KIWI_DEBIAN_SECURITY_MIRROR", &yaml.security, "security", security),
        snapshot: chosen("KIWI_DEBIAN_SNAPSHOT_MIRROR", &yaml.snapshot, "snapshot", snapshot),
    })
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
