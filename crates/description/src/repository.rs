//! Where packages come from.

/// The format of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepositoryType {
    /// An RPM repository with `repodata` (zypper's and dnf's format).
    RpmMd,
    /// A directory of RPM packages.
    RpmDir,
    /// SUSE media of the chapter's time.
    Yast2,
    /// An apt repository (`apt-deb`, `deb`).
    AptDeb,
    /// A directory of Debian packages.
    DebDir,
    /// Other types of the smart package manager: `apt-rpm`, `mirrors`, `red-carpet`, `slack-site`, `up2date-mirrors`, `urpmi`.
    Smart,
}

/// Whether a boot image's repository gives way to the system image's (spec 2.7.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepositoryStatus {
    /// Kept.
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

/// One `<repository>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its format; none when not said (today's words make it optional).
    pub kind: Option<RepositoryType>,
    /// `status=`.
    pub status: RepositoryStatus,
    /// Where it is.
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
    /// `repository_gpgcheck=`; none: checked.
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
