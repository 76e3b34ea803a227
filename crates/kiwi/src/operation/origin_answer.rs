//! The answer of `kiwi explain`.

use std::fmt;

use serde::Serialize;

/// Where a path comes from.
#[derive(Debug, Serialize)]
pub struct OriginAnswer {
    /// The path in the image.
    pub path: String,
    /// `file`, `directory`, `link` or `special`.
    pub file_kind: &'static str,
    /// Where a link leads.
    pub target: Option<String>,
    /// Packages first, then the steps of the build in their order.
    pub steps: Vec<OriginStep>,
    /// What is not known, and why.
    pub notes: Vec<String>,
}

/// One source of a path.
#[derive(Debug, Serialize)]
pub struct OriginStep {
    /// Keyword of the stage of the build; `None`: not known.
    pub stage: Option<&'static str>,
    /// The source.
    #[serde(flatten)]
    pub source: Source,
}

/// What wrote a path. `files_below` is the number of files that it wrote in a directory.
#[derive(Debug, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum Source {
    /// A package.
    Package {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// Its architecture.
        architecture: String,
        /// Whether it marks the file as configuration.
        configuration: bool,
        /// Whether the content differs from that of the package, if that is known.
        changed: Option<bool>,
        /// Whether apt marks it as installed because another package needs it, if that is known.
        dependency: Option<bool>,
    },
    /// update-alternatives.
    Alternative {
        /// The group.
        name: String,
    },
    /// An archive of the description.
    Archive {
        /// Its name.
        name: String,
        /// For a directory.
        files_below: Option<usize>,
    },
    /// An overlay of the description.
    Overlay {
        /// The file in the description, or the name of the overlay.
        name: String,
        /// For a directory.
        files_below: Option<usize>,
    },
    /// `<users>` of the description.
    Users {
        /// For a directory.
        files_below: Option<usize>,
    },
    /// `<file>` of the description.
    File {
        /// For a directory.
        files_below: Option<usize>,
    },
    /// Settings of the description.
    Settings {
        /// For a directory.
        files_below: Option<usize>,
    },
    /// A script of the description.
    Script {
        /// Its name.
        name: String,
        /// For a directory.
        files_below: Option<usize>,
    },
    /// The removal of packages.
    Removal {
        /// For a directory.
        files_below: Option<usize>,
    },
}

impl Source {
    /// Returns what it is, for a person.
    pub fn title(&self) -> String {
        match self {
            Self::Package { name, version, architecture, configuration: _, changed: _, dependency: _ } => {
                format!("package {name} {version} {architecture}")
            }
            Self::Alternative { name } => format!("update-alternatives, group {name}"),
            Self::Archive { name, .. } => format!("archive {name}"),
            Self::Overlay { name, .. } => format!("overlay {name}"),
            Self::Users { .. } => "<users>".to_owned(),
            Self::File { .. } => "<file>".to_owned(),
            Self::Settings { .. } => "settings in <preferences>".to_owned(),
            Self::Script { name, .. } => format!("script {name}"),
            Self::Removal { .. } => "the removal of packages".to_owned(),
        }
    }

    fn facts(&self) -> Vec<String> {
        let fact = |is: bool, text: &str| is.then(|| text.to_owned());
        match self {
            Self::Package { configuration, changed, dependency, .. } => [
                fact(*configuration, "configuration file"),
                fact(*changed == Some(true), "its content was changed later"),
                fact(*dependency == Some(true), "installed as a dependency"),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Self::Alternative { .. } => Vec::new(),
            Self::Archive { files_below, .. }
            | Self::Overlay { files_below, .. }
            | Self::Users { files_below }
            | Self::File { files_below }
            | Self::Settings { files_below }
            | Self::Script { files_below, .. }
            | Self::Removal { files_below } => match files_below {
                Some(1) => vec!["1 file below".to_owned()],
                Some(count) => vec![format!("{count} files below")],
                None => Vec::new(),
            },
        }
    }
}

impl fmt::Display for OriginStep {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.source.title())?;
        self.source.facts().iter().try_for_each(|fact| write!(to, ", {fact}"))?;
        self.stage.map_or(Ok(()), |stage| write!(to, " (stage {stage})"))
    }
}
