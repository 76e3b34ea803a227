//! The package managers that this version of kiwi supports.

use description::PackageManager as Keyword;
use serde::Serialize;

use super::{PackageManager, PackagePath, PackagePlan, apt};
use crate::distribution::Distribution;
use crate::failure::{Failure, Kind};

/// A supported package manager. The others of a description cannot be constructed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Manager {
    /// apt
    Apt,
}

impl TryFrom<Keyword> for Manager {
    type Error = Failure;

    fn try_from(keyword: Keyword) -> Result<Self, Failure> {
        let found = Self::ALL.iter().copied().find(|manager| manager.keyword() == keyword);
        found.ok_or_else(|| {
            let built: Vec<&str> = Self::ALL.iter().map(|manager| manager.keyword().keyword()).collect();
            let message = format!(
                "the description uses the package manager {}, which this version of kiwi does not support yet; \
                 use <packagemanager>{}</packagemanager>",
                keyword.keyword(),
                built.join("|")
            );
            Failure::new(Kind::NotBuilt, message)
        })
    }
}

impl Manager {
    /// All of them.
    const ALL: &'static [Self] = &[Self::Apt];

    /// Returns its keyword in a description.
    fn keyword(self) -> Keyword {
        match self {
            Self::Apt => Keyword::Apt,
        }
    }

    /// Returns the family whose packages it installs.
    pub(super) fn distribution(self) -> Distribution {
        match self {
            Self::Apt => Distribution::Debian,
        }
    }

    /// Returns whether it supports patterns, named groups of packages.
    pub(super) fn has_patterns(self) -> bool {
        match self {
            Self::Apt => false,
        }
    }

    /// Returns whether it installs packages in layers, which the cache saves one by one.
    pub(super) fn has_layers(self, path: PackagePath) -> bool {
        match self {
            Self::Apt => path == PackagePath::Native,
        }
    }

    /// Returns the package manager that carries out a plan.
    pub(super) fn open(self, plan: &PackagePlan) -> Box<dyn PackageManager + '_> {
        match self {
            Self::Apt => Box::new(apt::Apt::new(plan)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_an_unsupported_package_manager() {
        assert_eq!(Manager::try_from(Keyword::Apt).unwrap(), Manager::Apt);
        for keyword in [Keyword::Smart, Keyword::Zypper, Keyword::Dnf] {
            let error = Manager::try_from(keyword).unwrap_err();
            assert_eq!(error.kind, Kind::NotBuilt);
            let expected = format!(
                "the description uses the package manager {}, which this version of kiwi does not support yet; \
                 use <packagemanager>apt</packagemanager>",
                keyword.keyword()
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}
