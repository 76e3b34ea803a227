//! `kiwi.yml`, the configuration file of KIWI NG, for the system and for the user (docs/formats/command-lines.md).
//!
//! Files are read in NG's order; later ones override earlier ones. `SETTINGS` lists the effects: most settings of NG
//! select tools that kiwi does not use; they are accepted without effect. An unknown name causes a warning.

mod yaml;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::checked;
use crate::failure::fail;
use crate::host::{Host, Warning};

/// Files and directories of files, in the order in which they are read.
const SYSTEM: [(&str, &str); 2] =
    [("/usr/share/kiwi/kiwi.yml", "/usr/share/kiwi/kiwi.yml.d"), ("/etc/kiwi.yml", "/etc/kiwi.yml.d")];

/// The most bytes of a file.
const LARGEST: u64 = 1 << 20;

/// The settings of all files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeConfiguration {
    /// `bundle.compress`: whether bundles compress raw images.
    pub compress_bundle: Option<bool>,
    /// `bundle.has_package_changes`: whether every build writes `N.changes`.
    pub package_changes: Option<bool>,
    /// `bundle.shasum_size`, else `shasum.size`: 256 or 512.
    pub sum: Sum,
    /// `xz.options`
    pub xz: XzOptions,
    /// `build_constraints.max_size`: maximum size of an image in bytes.
    pub max_size: Option<u64>,
    /// `cache.max_size`, a setting of this kiwi: maximum size of finished stages in the cache in bytes.
    pub cache_size: Option<u64>,
    /// `obs.download_url`: base URL of `obs://` and `opensuse://`.
    pub download_url: Option<String>,
    /// `debian.mirror`, `debian.security`, `debian.snapshot`, settings of this kiwi: base URLs of `debian://`.
    pub debian: DebianMirrors,
    /// `proxy.http`, `proxy.https`, `proxy.no_proxy`, settings of this kiwi: proxies of repositories.
    pub proxy: ProxySettings,
    /// `repositories.valid_until`, a setting of this kiwi: whether a repository must not be older than its release file says.
    pub valid_until: Option<bool>,
    /// Unknown names with their positions and the most similar known name.
    pub warnings: Vec<String>,
}

/// The base URLs of the archives of Debian.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DebianMirrors {
    /// The archive.
    pub main: Option<String>,
    /// The security archive.
    pub security: Option<String>,
    /// The directory of the archives of a snapshot mirror.
    pub snapshot: Option<String>,
}

/// The proxies of repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// For `http://`.
    pub http: Option<String>,
    /// For `https://`.
    pub https: Option<String>,
    /// Hosts that are reached without a proxy, separated by commas or blanks.
    pub no_proxy: Option<String>,
}

/// The checksum beside each file of a bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sum {
    /// SHA-256
    #[default]
    Sha256,
    /// SHA-512
    Sha512,
}

/// Options of xz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XzOptions {
    /// 0 to 9, with xz's bit for `--extreme`.
    pub preset: u32,
    /// `None`: all processors.
    pub threads: Option<u32>,
}

impl Default for XzOptions {
    fn default() -> Self {
        Self { preset: 6, threads: None }
    }
}

type Apply = fn(&mut RuntimeConfiguration, &str) -> Result<(), String>;

/// Section, name and effect; `None`: accepted without effect.
const SETTINGS: &[(&str, &str, Option<Apply>)] = &[
    ("build_constraints", "max_size", Some(max_size)),
    ("bundle", "compress", Some(compress)),
    ("bundle", "has_package_changes", Some(package_changes)),
    ("bundle", "shasum_size", Some(shasum)),
    ("cache", "max_size", Some(cache_size)),
    ("container", "compress", None),
    ("credentials", "verification_metadata_signing_key_file", None),
    ("debian", "mirror", Some(|settings, value| url(&mut settings.debian.main, value))),
    ("debian", "security", Some(|settings, value| url(&mut settings.debian.security, value))),
    ("debian", "snapshot", Some(|settings, value| url(&mut settings.debian.snapshot, value))),
    ("iso", "media_tag_tool", None),
    ("iso", "tool_category", None),
    ("mapper", "part_mapper", None),
    ("obs", "api_url", None),
    ("obs", "download_url", Some(download_url)),
    ("obs", "public", None),
    ("oci", "archive_tool", None),
    ("proxy", "http", Some(|settings, value| proxy(&mut settings.proxy.http, value))),
    ("proxy", "https", Some(|settings, value| proxy(&mut settings.proxy.https, value))),
    ("proxy", "no_proxy", Some(no_proxy)),
    ("repositories", "valid_until", Some(valid_until)),
    ("runtime_checks", "disable", None),
    ("shasum", "size", Some(shasum)),
    ("sync", "sparse", None),
    ("xz", "options", Some(xz_options)),
];

impl RuntimeConfiguration {
    /// Reads every existing file; `KIWI_CONFIG` names one more, which must exist.
    pub fn read(host: &Host) -> Result<Self> {
        let mut configuration = Self::default();
        for path in files(host) {
            let reading = || format!("reading the configuration {}", path.display());
            let text = checked::read(&path, LARGEST).with_context(reading)?;
            let text = String::from_utf8(text).with_context(reading)?;
            configuration.add(&path, &text)?;
        }
        Ok(configuration)
    }

    /// Reads like `read` and warns of unknown names.
    pub fn read_and_warn(host: &Host) -> Result<Self> {
        let configuration = Self::read(host)?;
        for warning in &configuration.warnings {
            host.warn(Warning::Configuration, warning);
        }
        Ok(configuration)
    }

    /// Applies the settings of one file.
    pub(crate) fn add(&mut self, path: &Path, text: &str) -> Result<()> {
        let settings = match yaml::settings(path, text) {
            Ok(settings) => settings,
            Err((line, what)) => fail!(Configuration, "{}:{line}: {what}", path.display()),
        };
        for setting in settings {
            let location = format!("{}:{}", path.display(), setting.line);
            let sections = || SETTINGS.iter().filter(|(section, ..)| *section == setting.section);
            if sections().next().is_none() {
                let near =
                    description::nearest(&setting.section, SETTINGS.iter().map(|(section, ..)| *section));
                let location = format!("{}:{}", path.display(), setting.section_line);
                let warning = unknown(&location, "unknown section", &setting.section, near);
                if !self.warnings.contains(&warning) {
                    self.warnings.push(warning);
                }
                continue;
            }
            let Some(key) = setting.key else { continue };
            match sections().find(|(_, name, _)| *name == key) {
                Some((section, _, Some(apply))) => {
                    let value = setting.values.join(" ");
                    if let Err(expected) = apply(self, &value) {
                        fail!(
                            Configuration,
                            "{location}: `{value}` is not a value of `{section}.{key}`: expected {expected}"
                        );
                    }
                }
                Some((.., None)) => {}
                None => {
                    let near = description::nearest(&key, sections().map(|(_, name, _)| *name));
                    self.warnings.push(unknown(
                        &location,
                        &format!("`{}` has no setting", setting.section),
                        &key,
                        near,
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Returns the warning about an unknown name.
fn unknown(location: &str, what: &str, name: &str, near: Option<&str>) -> String {
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("{location}: {what} `{name}`{hint}")
}

/// Returns every file that is read, in order.
fn files(host: &Host) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (file, directory) in SYSTEM {
        files.push(PathBuf::from(file));
        files.extend(directory_of_files(Path::new(directory)));
    }
    files.extend(host.variable("HOME").map(|home| PathBuf::from(home).join(".config/kiwi/config.yml")));
    files.retain(|path| path.is_file());
    files.extend(named(host));
    files
}

/// Returns the file that `KIWI_CONFIG` or `--config` names, if it is of this kind.
fn named(host: &Host) -> Option<PathBuf> {
    let path = PathBuf::from(host.variable("KIWI_CONFIG")?);
    is_runtime_configuration(&path).then_some(path)
}

/// Returns whether a configuration file is of this kind, by its name; the other kind is TOML.
pub fn is_runtime_configuration(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
}

fn directory_of_files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = directory.read_dir() else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    files
}

fn boolean(value: &str) -> Result<bool, String> {
    match value {
        "true" | "True" | "yes" => Ok(true),
        "false" | "False" | "no" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

fn compress(configuration: &mut RuntimeConfiguration, value: &str) -> Result<(), String> {
    configuration.compress_bundle = Some(boolean(value)?);
    Ok(())
}

fn package_changes(configuration: &mut RuntimeConfiguration, value: &str) -> Result<(), String> {
    configuration.package_changes = Some(boolean(value)?);
    Ok(())
}

fn valid_until(configuration: &mut RuntimeConfiguration, value: &str) -> Result<(), String> {
    configuration.valid_until = Some(boolean(value)?);
    Ok(())
}

fn no_proxy(configuration: &mut RuntimeConfiguration, value: &str) -> Result<(), String> {
    configuration.proxy.no_proxy = Some(value.to_owned());
    Ok(())
}

/// An empty value switches a proxy of the host off.
fn proxy(setting: &mut Option<String>, value: &str) -> Result<(), String> {
    if value.contains(|c: char| c.is_control() || c.is_whitespace() || c == '"') {
        return Err("a URL, or an empty text for none".to_owned());
    }
    *setting = Some(value.to_owned());
    Ok(())
}

fn url(setting: &mut Option<String>, value: &str) -> Result<(), String> {
    if !value.contains("://") || value.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("a URL".to_owned());
    }
    *setting = Some(value.trim_end_matches('/').to_owned());
    Ok(())
}

fn shasum(configuration: &mut RuntimeConfiguration, value: &str) -> Result<(), String> {
    configuration.sum = match value {
        "256" => Sum::Sha256,
        "512" => Sum::Sha512,
        _ => return Err("256 or 512".to_owned()),
    };
    Ok(())
}

fn download_url(configuration: &mut RuntimeConfiguration, value: &str) -> Result<(), String> {
    url(&mut configuration.download_url, value)
}

fn max_size(configuration: &mut RuntimeConfiguration, value: &str) -> Result<(), String> {
    configuration.max_size = Some(size(value)?);
    Ok(())
}

fn cache_size(configuration: &mut RuntimeConfiguration, value: &str) -> Result<(), String> {
    configuration.cache_size = Some(size(value)?);
    Ok(())
}

fn size(value: &str) -> Result<u64, String> {
    let (digits, shift) = match value.to_lowercase() {
        text if text.ends_with('m') => (text.trim_end_matches('m').to_owned(), 20),
        text if text.ends_with('g') => (text.trim_end_matches('g').to_owned(), 30),
        text => (text, 0),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| "a number of bytes, or a number with m or g".to_owned())
}

fn xz_options(configuration: &mut RuntimeConfiguration, value: &str) -> Result<(), String> {
    const EXTREME: u32 = 1 << 31;
    const MAX_THREADS: u32 = 4096;
    let mut options = XzOptions::default();
    for keyword in value.split_whitespace() {
        let threads = keyword.strip_prefix("--threads=").or_else(|| keyword.strip_prefix("-T"));
        let level =
            keyword.strip_prefix('-').and_then(|digit| digit.parse::<u32>().ok()).filter(|level| *level <= 9);
        match (threads.map(str::parse::<u32>), level) {
            (Some(Ok(0)), _) => options.threads = None,
            (Some(Ok(threads)), _) if threads <= MAX_THREADS => options.threads = Some(threads),
            (Some(Ok(_)), _) => return Err(format!("at most {MAX_THREADS} threads, not {keyword}")),
            (None, Some(level)) => options.preset = level | (options.preset & EXTREME),
            (None, None) if matches!(keyword, "--extreme" | "-e") => options.preset |= EXTREME,
            (Some(Err(_)), _) | (None, None) => {
                return Err(format!("-0 to -9, --extreme or --threads=N, not {keyword}"));
            }
        }
    }
    configuration.xz = options;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RuntimeConfiguration, String> {
        let mut configuration = RuntimeConfiguration::default();
        configuration.add(Path::new("kiwi.yml"), text).map_err(|error| error.to_string())?;
        Ok(configuration)
    }

    #[test]
    fn later_settings_override_earlier_ones() {
        let mut configuration = read("shasum:\n  size: 512\nxz:\n  options: --threads=2 -9 -e\n").unwrap();
        assert_eq!(configuration.sum, Sum::Sha512);
        assert_eq!(configuration.xz, XzOptions { preset: 9 | 1 << 31, threads: Some(2) });
        let more = "bundle:\n  - shasum_size: 256\n  - compress: false\n  - has_package_changes: true\nbuild_constraints:\n  - max_size: 2g\ncache:\n  max_size: 0\nobs:\n  - download_url: http://x.example/r/\n";
        configuration.add(Path::new("more.yml"), more).unwrap();
        assert_eq!(configuration.sum, Sum::Sha256);
        assert_eq!(configuration.compress_bundle, Some(false));
        assert_eq!(configuration.package_changes, Some(true));
        assert_eq!(configuration.max_size, Some(2 << 30));
        assert_eq!(configuration.cache_size, Some(0));
        assert_eq!(configuration.download_url.as_deref(), Some("http://x.example/r"));
        assert_eq!(configuration.warnings, Vec::<String>::new());
    }

    #[test]
    fn warns_of_unknown_names_with_a_suggestion() {
        let configuration =
            read("bundel:\n  compress: true\nxz:\n  option: -9\nmapper:\n  part_mapper: partx\n").unwrap();
        let expected = [
            "kiwi.yml:1: unknown section `bundel`; did you mean `bundle`?",
            "kiwi.yml:4: `xz` has no setting `option`; did you mean `options`?",
        ];
        assert_eq!(configuration.warnings, expected);
    }

    #[test]
    fn wrong_values_name_their_position_and_what_was_expected() {
        for (text, said) in [
            (
                "bundle:\n  compress: maybe\n",
                "kiwi.yml:2: `maybe` is not a value of `bundle.compress`: expected true or false",
            ),
            ("shasum:\n  size: 1\n", "kiwi.yml:2: `1` is not a value of `shasum.size`: expected 256 or 512"),
            (
                "build_constraints:\n  max_size: big\n",
                "kiwi.yml:2: `big` is not a value of `build_constraints.max_size`: expected a number of bytes, or a number \
                 with m or g",
            ),
            (
                "xz:\n  options: -q\n",
                "kiwi.yml:2: `-q` is not a value of `xz.options`: expected -0 to -9, --extreme or --threads=N, not -q",
            ),
            ("- a\n", "kiwi.yml:1: expected sections such as `bundle:`"),
        ] {
            assert_eq!(read(text).unwrap_err(), said);
        }
    }
}
