//! Package lists of one build.

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

/// All sections of one kind (bootstrap, image, ...) merged: unique, sorted, without ignored names.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct PackageSet {
    /// The packages, sorted by name.
    pub packages: Vec<Package>,
    /// Patterns, in document order.
    pub patterns: Vec<PatternName>,
    /// Names that must not be installed, also not through a pattern or a recommendation.
    pub ignored: Vec<PackageName>,
    /// The handling of patterns and recommendations.
    pub pattern_type: PatternType,
    /// `<archive name=>`: archives of the description unpacked after the packages.
    pub archives: Vec<String>,
}

impl PackageSet {
    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.patterns.is_empty() && self.archives.is_empty()
    }
}
