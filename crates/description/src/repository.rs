//! Package repositories.

use std::fmt;

use crate::Architecture;
use crate::diagnostic::Span;

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

/// What a source path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceType {
    /// The repository.
    #[default]
    BaseUrl,
    /// A list of its mirrors in Metalink's format, with checksums.
    Metalink,
    /// A list of its mirrors, one in each line.
    MirrorList,
}

impl SourceType {
    /// Every keyword with its meaning.
    pub const WORDS: [(&'static str, Self); 3] =
        [("baseurl", Self::BaseUrl), ("metalink", Self::Metalink), ("mirrorlist", Self::MirrorList)];

    /// Returns the type for a keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == keyword).map(|(_, kind)| *kind)
    }

    /// Returns its keyword, which is also the name of the option in a `.repo` file.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::BaseUrl => "baseurl",
            Self::Metalink => "metalink",
            Self::MirrorList => "mirrorlist",
        }
    }
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
    /// `debian://SUITE@TIME`: the same archives as they were at that time, from a snapshot mirror.
    DebianSnapshot {
        /// The suite.
        suite: String,
        /// `YYYYMMDDTHHMMSSZ`.
        time: String,
    },
    /// A text that stands for repositories which the command line names, or a build service: `obsrepositories:/`,
    /// `obs://inherited_...`, `iso://...`, schemes of earlier KIWI (`ibs:`, `suse:`, `smb:`), or a path with `{...}`.
    Placeholder(String),
}

impl SourcePath {
    /// Describes a valid source path, for diagnostics.
    pub const EXPECTED: &'static str = "an absolute path, `dir:/...`, `this://...`, `http://...`, `https://...`, `ftp://...`, \
         `opensuse://Project`, `obs://Project/Repository`, `obsrepositories:/`, `debian://suite` or \
         `debian://suite@20260101T000000Z`";

    /// Reads a source path; `%arch` is replaced by the machine name of `architecture`.
    pub fn parse(text: &str, architecture: &Architecture) -> Option<Self> {
        let text = text.trim().replace("%arch", architecture.path_keyword());
        if text.contains(['\0', '\n']) {
            return None;
        }
        if is_placeholder(&text) {
            return Some(Self::Placeholder(text));
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
                let whole = rest.strip_prefix("//")?.trim_end_matches('/');
                let (suite, time) = match whole.split_once('@') {
                    Some((suite, time)) => (suite, Some(time)),
                    None => (whole, None),
                };
                let is_suite = is_path_of_keywords(suite) && !suite.contains('/');
                if !is_suite || !time.is_none_or(is_snapshot_time) {
                    return None;
                }
                let suite = suite.to_owned();
                Some(match time {
                    Some(time) => Self::DebianSnapshot { suite, time: time.to_owned() },
                    None => Self::Debian(suite),
                })
            }
            _ => None,
        }
    }
}

impl SourcePath {
    /// Returns the text of the source without user and password of a URL, for messages and reports.
    pub fn without_login(&self) -> String {
        let text = self.to_string();
        let Self::Url(url) = self else { return text };
        let Some((scheme, rest)) = url.split_once("://") else { return text };
        let end = rest.find('/').unwrap_or(rest.len());
        let host = rest[..end].rsplit('@').next().unwrap_or(rest);
        format!("{scheme}://{host}{}", &rest[end..])
    }
}

impl fmt::Display for SourcePath {
    /// Writes it as a description does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) | Self::Url(path) | Self::Placeholder(path) => f.write_str(path),
            Self::This(path) => write!(f, "this://{path}"),
            Self::OpenSuse(project) => write!(f, "opensuse://{project}"),
            Self::Obs(project) => write!(f, "obs://{project}"),
            Self::Debian(suite) => write!(f, "debian://{suite}"),
            Self::DebianSnapshot { suite, time } => write!(f, "debian://{suite}@{time}"),
        }
    }
}

/// Accepts a time of the form `YYYYMMDDTHHMMSSZ`.
fn is_snapshot_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or(u32::MAX);
    bytes.len() == 16
        && bytes[8] == b'T'
        && bytes[15] == b'Z'
        && digits(0..8)
        && digits(9..15)
        && (1..=12).contains(&number(4..6))
        && (1..=31).contains(&number(6..8))
        && number(9..11) < 24
        && number(11..13) < 60
        && number(13..15) < 60
}

/// Returns whether a source names no repository, but the position of one.
fn is_placeholder(text: &str) -> bool {
    let template = text.split_once('{').is_some_and(|(_, rest)| rest.contains('}'));
    template
        || ["obsrepositories:", "obs://inherited", "iso:", "ibs:", "suse:", "smb:"]
            .iter()
            .any(|start| text.starts_with(start))
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

/// Where a repository was specified. It decides nothing: all origins are equal.
#[derive(Clone, Default)]
pub enum Origin {
    /// Nowhere that a user could change.
    #[default]
    None,
    /// A position in a description.
    Description(Span),
    /// An option of the command line.
    Option(&'static str),
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Origin {}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl fmt::Display for Origin {
    /// Writes `FILE:LINE:COLUMN` or the option.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("of this build"),
            Self::Description(span) => {
                let (line, column) = span.line_and_column();
                write!(f, "{}:{line}:{column}", span.file.name)
            }
            Self::Option(option) => f.write_str(option),
        }
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
    /// `sourcetype=`: what the location leads to.
    pub source_type: SourceType,
    /// `customize=`: a script of the description that edits the file of the package manager for it.
    pub customize: Option<String>,
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
    /// Whether it must not be older than its release file allows; no description decides that.
    pub valid_until: bool,
    /// Where it was specified.
    pub origin: Origin,
}

impl Repository {
    /// Returns whether the repositories of the system replace that of a boot image.
    pub fn is_replaceable(&self) -> bool {
        self.status == RepositoryStatus::Replaceable || self.is_placeholder()
    }

    /// Returns whether the source only stands for repositories.
    pub fn is_placeholder(&self) -> bool {
        matches!(self.source, SourcePath::Placeholder(_))
    }
}

#[cfg(test)]
mod tests;
