//! Package repositories.

use std::fmt;

use crate::Architecture;

/// The format of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepositoryType {
    /// An RPM repository with `repodata` (zypper's and dnf's format).
    RpmMd,
    /// A directory of RPM packages.
    RpmDir,
    /// SUSE media of the time of KIWI 1.x.
    Yast2,
    /// An apt repository (`apt-deb`, `deb`).
    AptDeb,
    /// A directory of Debian packages.
    DebDir,
    /// Other types of the smart package manager: `apt-rpm`, `mirrors`, `red-carpet`, `slack-site`, `up2date-mirrors`, `urpmi`.
    Smart,
}

/// Whether the system description's repositories replace a boot image's repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepositoryStatus {
    /// It is kept.
    #[default]
    Fixed,
    /// Replaced by the list of the system description.
    Replaceable,
}

/// A source path by its scheme; `%arch` is already replaced.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SourcePath {
    /// An absolute path, or `dir:`/`file:` with one.
    Local(String),
    /// `this://`: relative to the description directory.
    This(String),
    /// `http://`, `https://` or `ftp://`: the URL as written.
    Url(String),
    /// `opensuse://Project-Name`.
    OpenSuse(String),
    /// `obs://Project/Repository`.
    Obs(String),
    /// `debian://SUITE`: main, updates and security of that suite from the host's own mirror.
    Debian(String),
}

impl SourcePath {
    /// Describes a valid source path, for diagnostics.
    pub const EXPECTED: &'static str = "an absolute path, `dir:/...`, `this://...`, `http://...`, `https://...`, `ftp://...`, \
         `opensuse://Project`, `obs://Project/Repository` or `debian://suite`";

    /// Reads a source path; `%arch` is replaced by the machine name of `architecture`.
    pub fn parse(text: &str, architecture: &Architecture) -> Option<Self> {
        let text = text.trim().replace("%arch", architecture.path_keyword());
        if text.contains(['\0', '\n']) {
            return None;
        }
        if text.starts_with('/') {
            return Some(Self::Local(text));
        }
        let (scheme, rest) = text.split_once(':')?;
        let below = rest.strip_prefix("//").unwrap_or(rest);
        match scheme {
            "dir" | "file" => below.starts_with('/').then(|| Self::Local(below.to_owned())),
            "this" => {
                let path = below.trim_start_matches('/');
                (!path.is_empty()).then(|| Self::This(path.to_owned()))
            }
            "http" | "https" | "ftp" => {
                let host = rest.strip_prefix("//")?.split('/').next().unwrap_or("");
                (!host.is_empty() && !text.contains(char::is_whitespace)).then_some(Self::Url(text))
            }
            "opensuse" => {
                let project = rest.strip_prefix("//")?.trim_end_matches('/');
                is_path_of_keywords(project).then(|| Self::OpenSuse(project.to_owned()))
            }
            "obs" => {
                let project = rest.strip_prefix("//")?.trim_end_matches('/');
                (is_path_of_keywords(project) && project.contains('/')).then(|| Self::Obs(project.to_owned()))
            }
            "debian" => {
                let suite = rest.strip_prefix("//")?.trim_end_matches('/');
                (is_path_of_keywords(suite) && !suite.contains('/')).then(|| Self::Debian(suite.to_owned()))
            }
            _ => None,
        }
    }
}

impl fmt::Display for SourcePath {
    /// Writes it as a description does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) | Self::Url(path) => f.write_str(path),
            Self::This(path) => write!(f, "this://{path}"),
            Self::OpenSuse(project) => write!(f, "opensuse://{project}"),
            Self::Obs(project) => write!(f, "obs://{project}"),
            Self::Debian(suite) => write!(f, "debian://{suite}"),
        }
    }
}

/// Accepts parts made of letters, digits and `_ - . : +`, separated by `/`.
fn is_path_of_keywords(text: &str) -> bool {
    text.split('/').all(|part| {
        !part.is_empty()
            && part != ".."
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b'+'))
    })
}

impl RepositoryType {
    /// Every keyword with its meaning.
    pub const WORDS: [(&'static str, RepositoryType); 12] = [
        ("rpm-md", Self::RpmMd),
        ("rpm-dir", Self::RpmDir),
        ("yast2", Self::Yast2),
        ("apt-deb", Self::AptDeb),
        ("deb", Self::AptDeb),
        ("deb-dir", Self::DebDir),
        ("apt-rpm", Self::Smart),
        ("mirrors", Self::Smart),
        ("red-carpet", Self::Smart),
        ("slack-site", Self::Smart),
        ("up2date-mirrors", Self::Smart),
        ("urpmi", Self::Smart),
    ];

    /// Returns the type for a keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == keyword).map(|(_, kind)| *kind)
    }

    /// Returns the first keyword of the type.
    pub fn keyword(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("smart", |(keyword, _)| *keyword)
    }
}

/// One `<repository>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its format; none if not specified (optional in today's schema).
    pub kind: Option<RepositoryType>,
    /// `status=`.
    pub status: RepositoryStatus,
    /// Its location.
    pub source: SourcePath,
    /// `alias=`, a name for messages and files.
    pub alias: Option<String>,
    /// `priority=`.
    pub priority: Option<i64>,
    /// `distribution=`, the suite of an apt repository.
    pub distribution: Option<String>,
    /// `components=`, separated by blanks (default `main`).
    pub components: Vec<String>,
    /// `architectures=`, as Debian names them.
    pub architectures: Vec<String>,
    /// `repository_gpgcheck=`; none: signatures are checked.
    pub check_repository: Option<bool>,
    /// `package_gpgcheck=`.
    pub check_packages: Option<bool>,
    /// `<signing key=>`: keys as URIs (`file:`, `this:`, `http:` ...).
    pub signing_keys: Vec<String>,
    /// `imageinclude=` or `imageonly=`: written to the image's own configuration.
    pub in_image: bool,
    /// `imageonly=`: not used for the build.
    pub image_only: bool,
    /// `username=` and `password=`.
    pub credentials: Option<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<SourcePath> {
        SourcePath::parse(text, &Architecture::new("i686"))
    }

    #[test]
    fn every_scheme_has_its_variant() {
        use SourcePath::{Debian, Local, Obs, OpenSuse, This, Url};
        let cases = [
            ("/image/CDs/full-%arch", Local("/image/CDs/full-i386".into())),
            ("dir:///srv/repo", Local("/srv/repo".into())),
            ("dir:/srv/repo", Local("/srv/repo".into())),
            ("file:///srv/repo", Local("/srv/repo".into())),
            ("this://repo/%arch", This("repo/i386".into())),
            ("http://example.org/debian", Url("http://example.org/debian".into())),
            ("https://example.org/%arch", Url("https://example.org/i386".into())),
            ("ftp://example.org/x", Url("ftp://example.org/x".into())),
            ("opensuse://openSUSE:10.2", OpenSuse("openSUSE:10.2".into())),
            ("obs://Virtualization:Appliances/Leap/", Obs("Virtualization:Appliances/Leap".into())),
            ("debian://bookworm", Debian("bookworm".into())),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn invalid_source_paths_are_refused() {
        for text in [
            "",
            "repo",
            "debian:bookworm",
            "debian://",
            "debian://../x",
            "debian://a/b",
            "http://",
            "http:///x",
            "http://a b",
            "obs://project",
            "smb://host/share",
            "dir:relative",
            "this://",
            "/a\0b",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
