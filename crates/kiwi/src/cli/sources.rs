//! The options for the repositories and packages of one run that mean the same in kiwi's own command line and in that of KIWI NG.

use clap::Args;

use crate::operation::IgnoreRepositories;

/// Repositories for this run only.
#[derive(Debug, Args, Clone, Default)]
pub(super) struct Repositories {
    /// Ignore all repositories of the description.
    #[arg(long)]
    ignore_repos: bool,
    /// Use one more repository in this run (may be repeated).
    #[arg(long = "add-repo", value_name = "REPOSITORY")]
    pub(super) add_repo: Vec<String>,
}

impl Repositories {
    /// Returns which repositories of the description are ignored.
    pub(super) fn ignored(&self) -> IgnoreRepositories {
        if self.ignore_repos { IgnoreRepositories::All } else { IgnoreRepositories::None }
    }
}

/// A repository instead of the first one.
#[derive(Debug, Args, Clone, Default)]
pub(super) struct Replacement {
    /// Use this repository instead of the first one of the description.
    #[arg(long = "set-repo", value_name = "REPOSITORY")]
    pub(super) set_repo: Option<String>,
}

/// Packages for this run only.
#[derive(Debug, Args, Clone, Default)]
pub(super) struct Packages {
    /// Install one more package (may be repeated).
    #[arg(long = "add-package", value_name = "NAME")]
    pub(super) add_package: Vec<String>,
}
