//! `debian://SUITE`: a Debian release on the mirror of the build host.
//!
//! The mirror is the one that the host's apt uses, read from its source lists; the configuration and the environment
//! take precedence. `debian://SUITE@TIME` uses a snapshot mirror, which must be configured. The image gets the public
//! archive, because a mirror of the build host may be unreachable elsewhere.

use std::path::Path;

use anyhow::Result;

use super::{KEYRING, login};
use crate::deb822::{self, Comments};
use crate::failure::fail;

/// Files in which Debian's apt documents the public archives, the default if no other file names one.
const DOCUMENTED: [&str; 2] =
    ["usr/share/doc/apt/examples/debian.sources", "usr/share/doc/apt/examples/sources.list"];
/// Placeholders for the public archives in the repositories of an image, until its own apt documents their URLs.
const PUBLIC: &str = "@archive@";
const PUBLIC_SECURITY: &str = "@security@";
/// Suites without updates and security archives.
const ROLLING: [&str; 3] = ["sid", "unstable", "experimental"];

/// The URLs of Debian's archives in a configuration file.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mirrors {
    /// The archive.
    #[serde(rename = "mirror")]
    pub main: Option<String>,
    /// The security archive.
    pub security: Option<String>,
    /// The directory of the archives `debian` and `debian-security` of a snapshot mirror.
    pub snapshot: Option<String>,
}

/// A URL and what specifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The URL.
    pub(crate) url: String,
    /// A file, variable or setting, for messages.
    pub(crate) from: String,
}

impl Address {
    /// Returns an address.
    pub(crate) fn new(url: impl Into<String>, from: impl Into<String>) -> Self {
        Self { url: url.into(), from: from.into() }
    }
}

/// The archives that the user configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ConfiguredMirrors {
    /// The archive.
    pub(crate) main: Option<Address>,
    /// The security archive.
    pub(crate) security: Option<Address>,
    /// The directory of the archives of a snapshot mirror.
    pub(crate) snapshot: Option<Address>,
}

/// One archive of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseArchive {
    /// The mirror that the build uses.
    pub(crate) address: Address,
    /// The placeholder for the URL of the public archive in the image.
    pub(crate) public: &'static str,
    /// The suites of the release in this archive.
    pub(crate) suites: Vec<String>,
    /// The keyring that signs it.
    pub(crate) keyring: &'static str,
    /// User and password that the host's apt uses for the mirror.
    pub(crate) login: Option<(String, String)>,
}

/// Returns the archives of a release: main and updates from one, security from another; `time` selects a snapshot.
pub(crate) fn release(
    suite: &str,
    time: Option<&str>,
    configured: &ConfiguredMirrors,
) -> Result<Vec<ReleaseArchive>> {
    if !Path::new(KEYRING).is_file() {
        fail!(
            MissingProgram,
            "the signing keys of the Debian archive ({KEYRING}) are missing; install the package that provides \
             them: debian-archive-keyring"
        );
    }
    let (main, security) = match time {
        Some(time) => snapshot(suite, time, configured)?,
        None => mirrors(suite, configured)?,
    };
    let archive = |address: Address, public, suites| {
        let login = address.from.starts_with('/').then(|| login::of_host(&address.url)).flatten();
        ReleaseArchive { address, public, suites, keyring: KEYRING, login }
    };
    if ROLLING.contains(&suite) {
        return Ok(vec![archive(main, PUBLIC, vec![suite.to_owned()])]);
    }
    Ok(vec![
        archive(main, PUBLIC, vec![suite.to_owned(), format!("{suite}-updates")]),
        archive(security, PUBLIC_SECURITY, vec![format!("{suite}-security")]),
    ])
}

/// Returns the archive and the security archive of today.
fn mirrors(suite: &str, configured: &ConfiguredMirrors) -> Result<(Address, Address)> {
    let host = addresses(&host_lists(Path::new("/etc/apt")));
    let documented =
        addresses(&documented_lists(|path| std::fs::read_to_string(Path::new("/").join(path)).ok()));
    // With a configured mirror and no configured security archive, uses the public one: that of the host belongs to
    // another mirror.
    let host_security = if configured.main.is_some() { None } else { host.security };
    let main = configured.main.clone().or(host.main).or(documented.main);
    let security = configured.security.clone().or(host_security).or(documented.security);
    let (Some(main), Some(security)) = (main, security) else {
        fail!(
            NoRepository,
            "no mirror for debian://{suite}: the source lists of this host contain none; set KIWI_DEBIAN_MIRROR and \
             KIWI_DEBIAN_SECURITY_MIRROR, or in /etc/kiwi.toml: [debian] mirror = \"URL\", security = \"URL\""
        );
    };
    Ok((main, security))
}

/// Returns both archives as they were at a time.
fn snapshot(suite: &str, time: &str, configured: &ConfiguredMirrors) -> Result<(Address, Address)> {
    let Some(Address { url, from }) = &configured.snapshot else {
        fail!(
            NoRepository,
            "no snapshot mirror for debian://{suite}@{time}; set KIWI_DEBIAN_SNAPSHOT_MIRROR, `debian.snapshot` in kiwi.yml, \
             or in /etc/kiwi.toml: [debian] snapshot = \"URL\", where URL/debian/{time}/dists/{suite} exists"
        );
    };
    let url = url.trim_end_matches('/');
    let archive = |name: &str| Address::new(format!("{url}/{name}/{time}"), from.clone());
    Ok((archive("debian"), archive("debian-security")))
}

/// Returns the lists in which apt documents the public archives; `read` reads a file of the system.
fn documented_lists(read: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    DOCUMENTED.iter().filter_map(|path| Some((format!("/{path}"), read(path)?))).collect()
}

/// Returns the lists of an image with the public archives that its apt documents; `read` reads a file of the image.
/// Returns `None` if the image has no such file.
pub(super) fn with_public_archives(lists: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    if !lists.contains(PUBLIC) {
        return Some(lists.to_owned());
    }
    let found = addresses(&documented_lists(read));
    let (main, security) = (found.main?, found.security?);
    Some(lists.replace(PUBLIC, &main.url).replace(PUBLIC_SECURITY, &security.url))
}

/// Returns the source lists of the host, each with its path.
fn host_lists(directory: &Path) -> Vec<(String, String)> {
    let mut paths = vec![directory.join("sources.list")];
    if let Ok(entries) = directory.join("sources.list.d").read_dir() {
        paths.extend(entries.filter_map(|entry| entry.ok().map(|entry| entry.path())));
    }
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let text = std::fs::read_to_string(&path).ok()?;
            Some((path.to_string_lossy().into_owned(), text))
        })
        .collect()
}

/// Returns the first entry whose suite is a Debian release, and the first of a security suite.
fn addresses(lists: &[(String, String)]) -> ConfiguredMirrors {
    let mut found = ConfiguredMirrors::default();
    for (name, text) in lists {
        let entries = if name.ends_with(".sources") {
            deb822_entries(text)
        } else if name.ends_with(".list") {
            line_entries(text)
        } else {
            continue;
        };
        for (uri, suites) in entries {
            let address = Address::new(uri, name.clone());
            if suites.iter().any(|suite| suite.ends_with("-security")) {
                found.security.get_or_insert(address);
            } else if suites.iter().any(|suite| is_release(suite)) {
                found.main.get_or_insert(address);
            }
        }
    }
    found
}

/// Reads a text as each kind of source list.
#[cfg(feature = "fuzzing")]
pub(crate) fn source_lists(text: &str) {
    for name in ["a.list", "a.sources"] {
        let _ = addresses(&[(name.to_owned(), text.to_owned())]);
    }
}

/// Returns whether a suite has one of the usual names of a Debian release.
fn is_release(suite: &str) -> bool {
    const NAMES: [&str; 14] = [
        "buster",
        "bullseye",
        "bookworm",
        "trixie",
        "forky",
        "duke",
        "sid",
        "stable",
        "oldstable",
        "oldoldstable",
        "testing",
        "unstable",
        "experimental",
        "stable-backports",
    ];
    NAMES.contains(&suite)
}

/// Returns the entries of `deb [options] URI SUITE COMPONENT...` lines.
fn line_entries(text: &str) -> Vec<(String, Vec<String>)> {
    let lines =
        text.lines().map(str::trim).filter(|line| line.starts_with("deb ") || line.starts_with("deb\t"));
    lines
        .filter_map(|line| {
            let rest = line[3..].trim_start();
            let rest = match rest.strip_prefix('[') {
                Some(options) => options.split_once(']')?.1,
                None => rest,
            };
            let mut words = rest.split_whitespace();
            Some((words.next()?.to_owned(), vec![words.next()?.to_owned()]))
        })
        .collect()
}

/// Returns the entries of a deb822 file.
fn deb822_entries(text: &str) -> Vec<(String, Vec<String>)> {
    deb822::paragraphs(text, Comments::Skipped)
        .iter()
        .filter(|paragraph| paragraph.value("Enabled") != Some("no"))
        .filter(|paragraph| paragraph.value("Types").is_some_and(|types| types.contains("deb")))
        .filter_map(|paragraph| {
            let uri = paragraph.value("URIs")?.split_whitespace().next()?.to_owned();
            Some((uri, paragraph.value("Suites")?.split_whitespace().map(str::to_owned).collect()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirrors(name: &str, text: &str) -> (Option<String>, Option<String>) {
        let found = addresses(&[(name.to_owned(), text.to_owned())]);
        (found.main.map(|address| address.url), found.security.map(|address| address.url))
    }

    #[test]
    fn reads_mirrors_from_deb822() {
        let text = "Types: deb\n# http://snapshot.example\nURIs: http://a.example/debian\nSuites: bookworm bookworm-updates\n\
                    Components: main\n\nTypes: deb\nURIs: http://s.example/x\nSuites: bookworm-security\nComponents: main\n";
        let expected = (Some("http://a.example/debian".to_owned()), Some("http://s.example/x".to_owned()));
        assert_eq!(mirrors("debian.sources", text), expected);
        assert_eq!(mirrors("debian.sources.off", text), (None, None));
    }

    #[test]
    fn a_snapshot_is_below_the_configured_mirror_and_needs_one() {
        let address = Address::new("http://s.example/archive/", "a test");
        let configured = ConfiguredMirrors { snapshot: Some(address), ..ConfiguredMirrors::default() };
        let time = "20260101T000000Z";
        let (main, security) = snapshot("bookworm", time, &configured).unwrap();
        assert_eq!(main.url, "http://s.example/archive/debian/20260101T000000Z");
        assert_eq!(security.url, "http://s.example/archive/debian-security/20260101T000000Z");
        assert!(snapshot("bookworm", time, &ConfiguredMirrors::default()).is_err());
    }

    #[test]
    fn an_image_gets_the_archives_that_its_own_apt_documents() {
        let example = "deb http://a.example/debian bookworm main\ndeb http://s.example/security bookworm-security main\n";
        let lists = "URIs: @archive@\nSuites: bookworm\n\nURIs: @security@\n";
        let read = |path: &str| path.ends_with("sources.list").then(|| example.to_owned());
        let expected = "URIs: http://a.example/debian\nSuites: bookworm\n\nURIs: http://s.example/security\n";
        assert_eq!(with_public_archives(lists, read).as_deref(), Some(expected));
        assert_eq!(with_public_archives(lists, |_| None), None);
    }

    #[test]
    fn reads_mirrors_from_lines_and_ignores_foreign_ones() {
        let text = "deb https://other.example/apt stable-2 main\ndeb [arch=amd64 signed-by=/x] http://a.example/debian \
                    trixie main\n#deb http://no.example/d trixie main\ndeb http://s.example trixie-security main\n";
        let expected = (Some("http://a.example/debian".to_owned()), Some("http://s.example".to_owned()));
        assert_eq!(mirrors("sources.list", text), expected);
    }
}
