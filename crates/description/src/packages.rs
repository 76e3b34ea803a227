//! Package lists of one build.

use std::fmt;

use crate::diagnostic::Span;
use crate::{PackageName, PatternName};

/// Which related packages a pattern includes (`patternType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize)]
pub enum PatternType {
    /// Only what it requires.
    #[default]
    OnlyRequired,
    /// With what it recommends.
    PlusRecommended,
    /// With what it suggests.
    PlusSuggested,
}

impl PatternType {
    /// Returns the pattern type for a keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        match keyword {
            "onlyRequired" => Some(Self::OnlyRequired),
            "plusRecommended" => Some(Self::PlusRecommended),
            "plusSuggested" => Some(Self::PlusSuggested),
            _ => None,
        }
    }
}

/// A package of a section, already filtered by profile and architecture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Package {
    /// Its name.
    pub name: PackageName,
}

/// `<archive>`: a tar archive of the description that is unpacked after the packages.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DescriptionArchive {
    /// Its path in the description.
    pub name: String,
    /// `target_dir`: the directory of the tree in which it is unpacked.
    pub target: String,
}

/// `<file>`: a file of the description that is copied into the tree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DescriptionFile {
    /// Its path in the description.
    pub name: String,
    /// Its path in the tree.
    pub target: String,
    /// Its owner, in the notation of chown; none: root.
    pub owner: Option<String>,
    /// Its permissions, in the notation of chmod; none: those it has.
    pub permissions: Option<String>,
}

/// All sections of one kind (bootstrap, image, ...) merged: unique, sorted, without ignored names.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct PackageSet {
    /// The packages, sorted by name.
    pub packages: Vec<Package>,
    /// Patterns, in document order.
    pub patterns: Vec<PatternName>,
    /// Products, in document order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<PackageName>,
    /// Names that must not be installed, also not through a pattern or a recommendation.
    pub ignored: Vec<PackageName>,
    /// The handling of patterns and recommendations.
    pub pattern_type: PatternType,
    /// Archives of the description.
    pub archives: Vec<DescriptionArchive>,
    /// Files of the description.
    pub files: Vec<DescriptionFile>,
}

impl PackageSet {
    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
            && self.patterns.is_empty()
            && self.products.is_empty()
            && self.archives.is_empty()
            && self.files.is_empty()
    }
}

/// The positions of the names of packages in a description, for messages. They decide nothing: all are equal.
#[derive(Clone, Default)]
pub struct Positions(Vec<(PackageName, Span)>);

impl Positions {
    /// Returns the first position of a name.
    pub fn of(&self, name: &str) -> Option<&Span> {
        self.0.iter().find(|(known, _)| known.as_str() == name).map(|(_, span)| span)
    }

    /// Returns the names that are among these words, each with its first position.
    pub fn among<'p>(&'p self, words: &[&str]) -> Vec<(&'p PackageName, &'p Span)> {
        let mut found: Vec<(&PackageName, &Span)> = Vec::new();
        for (name, span) in &self.0 {
            if words.contains(&name.as_str()) && found.iter().all(|(known, _)| *known != name) {
                found.push((name, span));
            }
        }
        found
    }
}

impl FromIterator<(PackageName, Span)> for Positions {
    fn from_iter<T: IntoIterator<Item = (PackageName, Span)>>(positions: T) -> Self {
        Self(positions.into_iter().collect())
    }
}

impl PartialEq for Positions {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Positions {}

impl fmt::Debug for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
