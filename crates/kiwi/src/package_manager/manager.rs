//! The package managers that this version of kiwi builds with.

use description::PackageManager as Keyword;
use serde::Serialize;

use super::{PackageManager, PackagePath, PackagePlan, apt};
use crate::distribution::Distribution;
use crate::failure::{Failure, Kind};

/// A package manager that can be used. What is not built cannot be constructed from a description.
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
                "packages are installed with {} here, which this version of kiwi does not build with yet; \
                 <packagemanager>{}</packagemanager> it can",
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

    /// Returns the keyword of a description.
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

    /// Returns whether it knows groups of packages that have a name.
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
    fn refuses_a_package_manager_that_is_not_built_by_name() {
        assert_eq!(Manager::try_from(Keyword::Apt).unwrap(), Manager::Apt);
        for keyword in [Keyword::Smart, Keyword::Zypper, Keyword::Dnf] {
            let error = Manager::try_from(keyword).unwrap_err();
            assert_eq!(error.kind, Kind::NotBuilt);
            let expected = format!(
                "packages are installed with {} here, which this version of kiwi does not build with yet; \
                 <packagemanager>apt</packagemanager> it can",
                keyword.keyword()
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}
