//! The operations of kiwi, one file each: a `Request` and `run(&Request, &Context)`.

pub mod boot_cd;
mod boot_image;
mod boot_program;
pub mod boot_stick;
pub mod boot_vm;
pub mod build;
pub mod bundle;
pub mod cache;
mod cached_artifacts;
pub mod check;
pub mod convert;
pub mod create;
pub mod create_password;
mod deployed_disk;
pub mod diff;
mod explain;
mod image_build;
mod image_stage;
mod images_script;
pub mod info;
pub mod init;
pub mod install_cd;
mod install_medium;
pub mod install_stick;
pub mod list;
pub mod list_profiles;
pub mod list_results;
mod load;
pub mod locking;
pub mod outcome;
mod overrides;
pub mod prepare;
pub mod repro;
pub mod target;
pub mod upgrade;

use anyhow::Result;

use crate::context::Context;
use crate::error::Error;
use crate::host::BeforeNamespaces;

pub use crate::cache::{Limits, parse_size};
pub use crate::prepare::PackagePath;
pub use crate::prepare::Reuse;
pub use load::machine;
pub use outcome::Outcome;
pub use overrides::{IgnoreRepositories, Overrides, RepositoryOptions};

/// An operation with its request.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Build a root tree.
    Prepare(prepare::Request),
    /// Build images from a root tree.
    Create(create::Request),
    /// Prepare and create.
    Build(build::Request),
    /// Upgrade a root tree.
    Upgrade(upgrade::Request),
    /// Manage the cache.
    Cache(cache::Request),
    /// Check a description.
    Check(check::Request),
    /// Create a new description.
    Init(init::Request),
    /// Rewrite a description.
    Convert(convert::Request),
    /// Show what a description offers.
    Info(info::Request),
    /// Make a bootable CD.
    BootCd(boot_cd::Request),
    /// Make a CD that installs a system.
    InstallCd(install_cd::Request),
    /// Make a stick that installs a system.
    InstallStick(install_stick::Request),
    /// Make a bootable stick.
    BootStick(boot_stick::Request),
    /// Compare trees or images.
    Diff(diff::Request),
    /// Build twice and compare.
    Repro(repro::Request),
    /// List what was built.
    ListResults(list_results::Request),
    /// Copy the results under names for a release.
    Bundle(bundle::Request),
    /// Boot a disk or CD.
    BootVm(boot_vm::Request),
    /// List boot image descriptions.
    List(list::Request),
    /// List profiles.
    ListProfiles(list_profiles::Request),
    /// Hash a password.
    CreatePassword(create_password::Request),
}

impl Operation {
    /// Whether the operation works on trees or images and so needs private namespaces.
    pub fn needs_namespaces(&self) -> bool {
        match self {
            Self::Prepare(_)
            | Self::Create(_)
            | Self::Build(_)
            | Self::Upgrade(_)
            | Self::BootCd(_)
            | Self::BootStick(_)
            | Self::InstallCd(_)
            | Self::InstallStick(_)
            | Self::Diff(_) => true,
            Self::Info(request) => request.resolve,
            Self::Cache(_)
            | Self::Check(_)
            | Self::Convert(_)
            | Self::Init(_)
            | Self::ListResults(_)
            | Self::Bundle(_)
            | Self::BootVm(_)
            | Self::Repro(_)
            | Self::List(_)
            | Self::ListProfiles(_)
            | Self::CreatePassword(_) => false,
        }
    }

    /// Returns the verb, as the command line and `--json` name it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Prepare(_) => "prepare",
            Self::Create(_) => "create",
            Self::Build(_) => "build",
            Self::Upgrade(_) => "upgrade",
            Self::Cache(cache::Request::List) => "cache list",
            Self::Cache(cache::Request::Prune(_)) => "cache prune",
            Self::Cache(cache::Request::Verify) => "cache verify",
            Self::Check(_) => "check",
            Self::Init(_) => "init",
            Self::Convert(_) => "convert",
            Self::Info(_) => "info",
            Self::BootCd(_) => "boot-cd",
            Self::InstallCd(_) => "install-cd",
            Self::InstallStick(_) => "install-stick",
            Self::BootStick(_) => "boot-stick",
            Self::Diff(_) => "diff",
            Self::Repro(_) => "repro",
            Self::ListResults(_) => "result list",
            Self::Bundle(_) => "result bundle",
            Self::BootVm(_) => "run",
            Self::List(_) => "list",
            Self::ListProfiles(_) => "list-profiles",
            Self::CreatePassword(_) => "create-password",
        }
    }

    /// Returns the exit code of a run that ends with `error`. Code 1 of a comparison means that there are differences.
    pub fn exit_code(&self, error: &Error) -> u8 {
        match self {
            Self::Diff(_) | Self::Repro(_) => error.exit_code().max(2),
            Self::Prepare(_)
            | Self::Create(_)
            | Self::Build(_)
            | Self::Upgrade(_)
            | Self::Cache(_)
            | Self::Check(_)
            | Self::Init(_)
            | Self::Convert(_)
            | Self::Info(_)
            | Self::BootCd(_)
            | Self::InstallCd(_)
            | Self::InstallStick(_)
            | Self::BootStick(_)
            | Self::ListResults(_)
            | Self::Bundle(_)
            | Self::BootVm(_)
            | Self::List(_)
            | Self::ListProfiles(_)
            | Self::CreatePassword(_) => error.exit_code(),
        }
    }

    /// Opens the devices that the operation writes to, before the program enters its namespaces.
    pub fn reach(&mut self, outside: &BeforeNamespaces) -> Result<()> {
        match self {
            Self::BootStick(request) => request.reach(outside),
            Self::InstallStick(request) => request.reach(outside),
            Self::Prepare(_)
            | Self::Create(_)
            | Self::Build(_)
            | Self::Upgrade(_)
            | Self::Cache(_)
            | Self::Check(_)
            | Self::Init(_)
            | Self::Convert(_)
            | Self::Info(_)
            | Self::BootCd(_)
            | Self::InstallCd(_)
            | Self::Diff(_)
            | Self::Repro(_)
            | Self::ListResults(_)
            | Self::Bundle(_)
            | Self::BootVm(_)
            | Self::List(_)
            | Self::ListProfiles(_)
            | Self::CreatePassword(_) => Ok(()),
        }
    }

    /// Runs the operation.
    pub fn run(&self, context: &Context) -> Result<Outcome, Error> {
        let result = match self {
            Self::Prepare(request) => prepare::run(request, context),
            Self::Create(request) => create::run(request, context),
            Self::Build(request) => build::run(request, context),
            Self::Cache(request) => cache::run(request, context),
            Self::Upgrade(request) => upgrade::run(request, context),
            Self::Check(request) => return check::run(request, context),
            Self::Init(request) => init::run(request, context),
            Self::Convert(request) => convert::run(request, context),
            Self::ListResults(request) => list_results::run(request, context),
            Self::Bundle(request) => bundle::run(request, context),
            Self::Diff(request) => diff::run(request, context),
            Self::Repro(request) => repro::run(request, context),
            Self::Info(request) => info::run(request, context),
            Self::BootCd(request) => boot_cd::run(request, context),
            Self::BootStick(request) => boot_stick::run(request, context),
            Self::InstallCd(request) => install_cd::run(request, context),
            Self::InstallStick(request) => install_stick::run(request, context),
            Self::BootVm(request) => boot_vm::run(request, context),
            Self::List(request) => list::run(request, context),
            Self::ListProfiles(request) => list_profiles::run(request, context),
            Self::CreatePassword(request) => create_password::run(request, context),
        };
        result.map_err(Error::from)
    }
}
