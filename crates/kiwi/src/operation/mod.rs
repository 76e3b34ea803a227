//! The operations of kiwi, one file each: a `Request` and `run(&Request, &Context)`.

pub mod boot_cd;
mod boot_image;
mod boot_program;
mod boot_settings;
pub mod boot_stick;
pub mod boot_test;
mod boot_test_outcome;
pub mod boot_vm;
pub mod build;
pub mod bundle;
pub mod cache;
mod cached_artifacts;
pub mod check;
mod comparison;
pub mod convert;
pub mod create;
pub mod create_password;
mod deployed_disk;
pub mod diff;
mod explain;
mod image_build;
mod image_input;
mod image_stage;
mod images_script;
pub mod info;
mod inherited;
pub mod init;
mod install_archive;
pub mod install_cd;
mod install_medium;
pub mod install_stick;
mod installer;
pub mod language_server;
pub mod list;
pub mod list_profiles;
pub mod list_results;
mod load;
pub mod lock_update;
pub mod locking;
pub mod look;
mod machine;
pub mod origin;
mod origin_answer;
pub mod outcome;
mod overrides;
mod package_changes;
pub mod prepare;
pub mod pxe_client;
pub mod pxe_init;
mod pxe_outcome;
pub mod pxe_publish;
mod reports;
pub mod repro;
pub mod sbom;
pub mod shell;
mod space;
mod strip;
pub mod target;
pub mod upgrade;
pub mod virtual_disk;
#[cfg(test)]
mod words;

use anyhow::Result;

use crate::context::Context;
use crate::debugging;
use crate::error::Error;
use crate::host::BeforeNamespaces;

pub use crate::cache::{Limits, parse_size};
pub use crate::prepare::PackagePath;
pub use crate::prepare::Reuse;
pub use load::machine;
pub use outcome::Outcome;
pub use overrides::{IgnoreRepositories, ImageOptions, Overrides, RepositoryOptions};

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
    /// Serve an editor.
    LanguageServer(language_server::Request),
    /// Write a lock, or compare one with the repositories.
    Lock(lock_update::Request),
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
    /// Show files in an image.
    Look(look::Request),
    /// Show where a path of an image comes from.
    Origin(origin::Request),
    /// Write the bill of materials of an image.
    Sbom(sbom::Request),
    /// Compare trees or images.
    Diff(diff::Request),
    /// Open a shell in a tree.
    Shell(shell::Request),
    /// Build twice and compare.
    Repro(repro::Request),
    /// List what was built.
    ListResults(list_results::Request),
    /// Copy the results under names for a release.
    Bundle(bundle::Request),
    /// Make a directory for network boot.
    PxeInit(pxe_init::Request),
    /// Put images into it.
    PxePublish(pxe_publish::Request),
    /// Configure and list machines.
    PxeClient(pxe_client::Request),
    /// Make a virtual disk.
    VirtualDisk(virtual_disk::Request),
    /// Boot a disk or CD.
    BootVm(boot_vm::Request),
    /// Boot an image and check it.
    BootTest(boot_test::Request),
    /// List boot image descriptions.
    List(list::Request),
    /// List profiles.
    ListProfiles(list_profiles::Request),
    /// Hash a password.
    CreatePassword(create_password::Request),
}

impl Operation {
    /// Returns the devices of the machine that it opens inside of the private namespaces.
    pub fn devices(&self) -> &'static [&'static str] {
        if matches!(self, Self::BootTest(_)) { &["/dev/kvm"] } else { &[] }
    }

    /// Returns the verb, as the command line and `--json` name it, and whether the operation works on trees or images and so
    /// needs private namespaces.
    fn verb_and_namespaces(&self) -> (&'static str, bool) {
        match self {
            Self::Prepare(_) => ("prepare", true),
            Self::Create(_) => ("create", true),
            Self::Build(_) => ("build", true),
            Self::Upgrade(_) => ("upgrade", true),
            Self::Cache(cache::Request::List) => ("cache list", false),
            Self::Cache(cache::Request::Prune(_)) => ("cache prune", false),
            Self::Cache(cache::Request::Verify) => ("cache verify", false),
            Self::Check(_) => ("check", false),
            Self::LanguageServer(_) => ("language-server", false),
            Self::Lock(lock_update::Request { action: lock_update::Action::Outdated, .. }) => {
                ("outdated", true)
            }
            Self::Lock(_) => ("lock", true),
            Self::Init(_) => ("init", false),
            Self::Convert(_) => ("convert", false),
            Self::Info(request) => ("info", request.resolve),
            Self::BootCd(_) => ("boot-cd", true),
            Self::InstallCd(_) => ("install-cd", true),
            Self::InstallStick(_) => ("install-stick", true),
            Self::BootStick(_) => ("boot-stick", true),
            Self::Look(look::Request { what: look::What::Listing, .. }) => ("ls", true),
            Self::Look(look::Request { what: look::What::Content, .. }) => ("cat", true),
            Self::Origin(_) => ("explain", true),
            Self::Sbom(_) => ("sbom", true),
            Self::Diff(_) => ("diff", true),
            Self::Repro(_) => ("repro", false),
            Self::Shell(_) => ("shell", true),
            Self::ListResults(_) => ("result list", false),
            Self::Bundle(_) => ("result bundle", false),
            Self::PxeInit(_) => ("pxe init", true),
            Self::PxePublish(_) => ("pxe publish", false),
            Self::PxeClient(_) => ("pxe client", false),
            Self::VirtualDisk(_) => ("boot-vm", true),
            Self::BootVm(_) => ("run", false),
            Self::BootTest(request) => ("test", request.image.is_none()),
            Self::List(_) => ("list", false),
            Self::ListProfiles(_) => ("list-profiles", false),
            Self::CreatePassword(_) => ("create-password", false),
        }
    }

    /// Whether the operation needs private namespaces.
    pub fn needs_namespaces(&self) -> bool {
        self.verb_and_namespaces().1
    }

    /// Returns the verb, as the command line and `--json` name it.
    pub fn verb(&self) -> &'static str {
        self.verb_and_namespaces().0
    }

    /// Returns the exit code of a run that ends with `error`. Code 1 of a comparison means that there are differences.
    pub fn exit_code(&self, error: &Error) -> u8 {
        let is_outdated = self.verb() == "outdated";
        let is_comparison = is_outdated || matches!(self, Self::Diff(_) | Self::Repro(_));
        error.exit_code().max(if is_comparison { 2 } else { 0 })
    }

    /// Returns which shells the user asked for, and what happens with the tree of a build that fails.
    pub fn debugging(&self) -> debugging::Options {
        match self {
            Self::Prepare(request) => request.debugging.clone(),
            Self::Create(request) => request.debugging.clone(),
            Self::Build(request) => request.debugging.clone(),
            Self::Upgrade(_)
            | Self::Cache(_)
            | Self::Check(_)
            | Self::LanguageServer(_)
            | Self::Lock(_)
            | Self::Init(_)
            | Self::Convert(_)
            | Self::Info(_)
            | Self::BootCd(_)
            | Self::InstallCd(_)
            | Self::InstallStick(_)
            | Self::BootStick(_)
            | Self::Diff(_)
            | Self::Look(_)
            | Self::Origin(_)
            | Self::Sbom(_)
            | Self::Repro(_)
            | Self::Shell(_)
            | Self::ListResults(_)
            | Self::Bundle(_)
            | Self::PxeInit(_)
            | Self::PxePublish(_)
            | Self::PxeClient(_)
            | Self::VirtualDisk(_)
            | Self::BootVm(_)
            | Self::BootTest(_)
            | Self::List(_)
            | Self::ListProfiles(_)
            | Self::CreatePassword(_) => debugging::Options::default(),
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
            | Self::LanguageServer(_)
            | Self::Lock(_)
            | Self::Init(_)
            | Self::Convert(_)
            | Self::Info(_)
            | Self::BootCd(_)
            | Self::InstallCd(_)
            | Self::Diff(_)
            | Self::Look(_)
            | Self::Origin(_)
            | Self::Sbom(_)
            | Self::Repro(_)
            | Self::Shell(_)
            | Self::ListResults(_)
            | Self::Bundle(_)
            | Self::PxeInit(_)
            | Self::PxePublish(_)
            | Self::PxeClient(_)
            | Self::VirtualDisk(_)
            | Self::BootVm(_)
            | Self::BootTest(_)
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
            Self::LanguageServer(request) => language_server::run(request, context),
            Self::Lock(request) => lock_update::run(request, context),
            Self::Init(request) => init::run(request, context),
            Self::Convert(request) => convert::run(request, context),
            Self::ListResults(request) => list_results::run(request, context),
            Self::Bundle(request) => bundle::run(request, context),
            Self::Look(request) => look::run(request, context),
            Self::Origin(request) => origin::run(request, context),
            Self::Sbom(request) => sbom::run(request, context),
            Self::Diff(request) => diff::run(request, context),
            Self::Repro(request) => repro::run(request, context),
            Self::Shell(request) => shell::run(request, context),
            Self::Info(request) => info::run(request, context),
            Self::BootCd(request) => boot_cd::run(request, context),
            Self::BootStick(request) => boot_stick::run(request, context),
            Self::InstallCd(request) => install_cd::run(request, context),
            Self::InstallStick(request) => install_stick::run(request, context),
            Self::PxeInit(request) => pxe_init::run(request, context),
            Self::PxePublish(request) => pxe_publish::run(request, context),
            Self::PxeClient(request) => pxe_client::run(request, context),
            Self::VirtualDisk(request) => virtual_disk::run(request, context),
            Self::BootVm(request) => boot_vm::run(request, context),
            Self::BootTest(request) => boot_test::run(request, context),
            Self::List(request) => list::run(request, context),
            Self::ListProfiles(request) => list_profiles::run(request, context),
            Self::CreatePassword(request) => create_password::run(request, context),
        };
        result.map_err(Error::from)
    }
}
