//! The package managers that this version of kiwi supports.

use description::{PackageManager as Keyword, Repository, RepositoryType, Selection, SourcePath};
use serde::Serialize;

use super::{PackageForm, PackageManager, PackagePath, PackagePlan, apt, rpm};
use crate::distribution::Distribution;

/// A supported package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Manager {
    /// apt
    Apt,
    /// zypper
    Zypper,
    /// dnf 4
    Dnf,
}

impl Manager {
    /// Returns the one that carries out a selection.
    pub(super) fn of(selection: &Selection) -> Self {
        match selection.package_manager {
            Keyword::Apt => Self::Apt,
            Keyword::Zypper => Self::Zypper,
            Keyword::Dnf | Keyword::Dnf5 | Keyword::Microdnf | Keyword::Yum => Self::Dnf,
            Keyword::Smart if selection.repositories.iter().any(is_debian) => Self::Apt,
            Keyword::Smart => Self::Zypper,
        }
    }

    /// Returns what to tell the user if another program than the description's one does the work.
    pub(super) fn substitution(self, keyword: Keyword) -> Option<String> {
        let reason = match keyword {
            Keyword::Apt | Keyword::Zypper | Keyword::Dnf => return None,
            Keyword::Smart => "which fits its repositories",
            Keyword::Dnf5 | Keyword::Microdnf | Keyword::Yum => "which reads the same repositories",
        };
        let keyword = keyword.keyword();
        Some(format!("the description names {keyword}; kiwi uses {}, {reason}", self.title()))
    }

    /// Returns its name for people.
    fn title(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Zypper => "zypper",
            Self::Dnf => "dnf 4",
        }
    }

    /// Returns the family whose packages it installs for this selection.
    pub(super) fn distribution(self, selection: &Selection) -> Distribution {
        match self {
            Self::Apt => Distribution::Debian,
            Self::Zypper => rpm::distribution(selection, Distribution::Suse),
            Self::Dnf => rpm::distribution(selection, Distribution::Fedora),
        }
    }

    /// Returns the form of the packages that it installs.
    pub(super) fn form(self) -> PackageForm {
        match self {
            Self::Apt => PackageForm::Deb,
            Self::Zypper | Self::Dnf => PackageForm::Rpm,
        }
    }

    /// Returns the name of its program, for messages.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Zypper => "zypper",
            Self::Dnf => "dnf",
        }
    }

    /// Returns whether it supports patterns, named groups of packages.
    pub(super) fn has_patterns(self) -> bool {
        match self {
            Self::Apt => false,
            Self::Zypper | Self::Dnf => true,
        }
    }

    /// Returns whether it can leave out files of other languages.
    pub(super) fn filters_locales(self) -> bool {
        self.has_patterns()
    }

    /// Returns whether it reads repositories of this type.
    pub(super) fn reads(self, kind: RepositoryType) -> bool {
        match self {
            Self::Apt => matches!(kind, RepositoryType::AptDeb | RepositoryType::DebDir),
            Self::Zypper => {
                matches!(kind, RepositoryType::RpmMd | RepositoryType::RpmDir | RepositoryType::Yast2)
            }
            Self::Dnf => matches!(kind, RepositoryType::RpmMd | RepositoryType::RpmDir),
        }
    }

    /// Returns what to write instead of a type of repository that it does not read.
    pub(super) fn repository_remedy(self) -> &'static str {
        match self {
            Self::Apt => "Write type=\"apt-deb\", or type=\"deb-dir\" for a local directory of packages.",
            Self::Zypper | Self::Dnf => {
                "Write type=\"rpm-md\", or type=\"rpm-dir\" for a local directory of packages."
            }
        }
    }

    /// Returns whether it installs packages in layers, which the cache saves one by one.
    pub(super) fn has_layers(self, path: PackagePath) -> bool {
        match self {
            Self::Apt => path == PackagePath::Native,
            Self::Zypper | Self::Dnf => true,
        }
    }

    /// Returns the package manager that carries out a plan.
    pub(super) fn open(self, plan: &PackagePlan) -> Box<dyn PackageManager + '_> {
        match self {
            Self::Apt => Box::new(apt::Apt::new(plan)),
            Self::Zypper => Box::new(rpm::Rpm::zypper(plan)),
            Self::Dnf => Box::new(rpm::Rpm::dnf(plan)),
        }
    }
}

/// Returns whether a repository has Debian packages.
fn is_debian(repository: &Repository) -> bool {
    matches!(repository.kind, Some(RepositoryType::AptDeb | RepositoryType::DebDir))
        || matches!(repository.source, SourcePath::Debian(_) | SourcePath::DebianSnapshot { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(manager: &str, repository: &str) -> (Manager, bool) {
        let text = format!(
            "<image schemeversion=\"1.4\" name=\"x\"><description type=\"system\"><author>A</author><contact>C</contact>\
             <specification>S</specification></description><preferences><version>1.0.0</version>\
             <packagemanager>{manager}</packagemanager><type>ext3</type></preferences>\
             <repository type=\"{repository}\"><source path=\"http://example.org\"/></repository>\
             <packages type=\"image\"><package name=\"a\"/></packages></image>"
        );
        let file = description::SourceFile { name: "config.xml".to_owned(), text };
        let parsed = description::Description::parse(file);
        let description = parsed.description.expect("a description");
        let selection = description.select(&description::Choice::default()).expect("a selection");
        let manager = Manager::of(&selection);
        (manager, manager.substitution(selection.package_manager).is_some())
    }

    #[test]
    fn every_keyword_has_a_program() {
        assert_eq!(chosen("apt", "apt-deb"), (Manager::Apt, false));
        assert_eq!(chosen("zypper", "rpm-md"), (Manager::Zypper, false));
        assert_eq!(chosen("dnf", "rpm-md"), (Manager::Dnf, false));
        // Newer schemas write dnf for it.
        assert_eq!(chosen("yum", "rpm-md").0, Manager::Dnf);
        for keyword in ["dnf5", "microdnf"] {
            assert_eq!(chosen(keyword, "rpm-md"), (Manager::Dnf, true), "{keyword}");
        }
    }

    #[test]
    fn smart_is_carried_out_by_what_reads_the_repositories() {
        for (kind, manager) in [
            ("apt-deb", Manager::Apt),
            ("deb-dir", Manager::Apt),
            ("rpm-md", Manager::Zypper),
            ("yast2", Manager::Zypper),
        ] {
            assert_eq!(chosen("smart", kind), (manager, true), "{kind}");
        }
    }
}
