//! The verbs; the arguments of a verb are in the file of its group.

use clap::Subcommand;

use super::{Problem, build, cache, compare, description, documentation, lock, media, ng, pxe, run, shell};
use crate::operation::{Operation, create_password, language_server, list, look};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Create a new description from options and, on a terminal, questions.
    Init(description::Init),
    /// Build the root tree of a description.
    Prepare(build::Prepare),
    /// Build images from a prepared root tree.
    Create(build::Create),
    /// Prepare and create in one run; the root tree is kept only with --root.
    Build(build::Build),
    /// Manage the cache of finished stages: list, prune, verify.
    Cache(cache::Cache),
    /// Upgrade the packages of a prepared root tree.
    Upgrade(build::Upgrade),
    /// Open a shell, or run a command, in a root tree or in the last stage of a build that the cache has.
    Shell(shell::Shell),
    /// Build a description twice in different environments and compare the results.
    Repro(compare::Repro),
    /// List the files in an image: of a file system, a disk, a CD, an archive; without root.
    Ls(compare::Look),
    /// Print a file in an image.
    Cat(compare::Look),
    /// Show where a path of an image comes from: its package, overlay, archive, script or setting.
    Explain(compare::Explain),
    /// Print the bill of materials of a root tree or an image: its packages and their licences.
    Sbom(compare::Sbom),
    /// Compare two root trees, images or directories of images.
    Diff(compare::Diff),
    /// Check a description and report every problem with its position.
    Check(description::Check),
    /// Write kiwi.lock, the exact packages of a build, or take newer versions into it.
    Lock(lock::Lock),
    /// Show which packages of kiwi.lock, or of a root tree, have other versions in the repositories.
    Outdated(lock::Outdated),
    /// Serve an editor over standard input and output: diagnostics, completion, explanations, quick fixes.
    LanguageServer,
    /// Rewrite a description with the current keywords or in another format.
    Convert(description::Convert),
    /// Show what a description offers and what one build uses: types, profiles, repositories, packages.
    Info(description::DescriptionInfo),
    /// Make a bootable stick from a boot image and, optionally, a system.
    BootStick(media::BootStick),
    /// Make a bootable CD from a boot image.
    BootCd(media::BootCd),
    /// Make a CD that installs a system on a machine.
    InstallCd(media::InstallCd),
    /// Make a stick that installs a system on a machine.
    InstallStick(media::InstallStick),
    /// Make a virtual disk from a boot image and a system.
    BootVm(media::BootVm),
    /// Boot machines over the network: make a directory for the servers, publish images in it, configure machines.
    Pxe(pxe::Pxe),
    /// Boot a finished disk or CD in QEMU, with its console on this terminal.
    Run(run::Run),
    /// Boot the image of a description in QEMU and check what its test.yaml expects.
    Test(run::Test),
    /// List the boot image descriptions that are supplied with kiwi.
    List,
    /// List the profiles of a description.
    ListProfiles(description::ListProfiles),
    /// Ask for a password and print its hash for a description.
    CreatePassword,
    /// Commands of KIWI NG for systems: build, prepare, create, update.
    System(ng::System),
    /// Commands of KIWI NG for descriptions: info.
    Image(ng::Image),
    /// Commands of KIWI NG for results: list, bundle.
    Result(ng::Results),
    /// Print the schema of descriptions for editors: RELAX NG or JSON Schema.
    Schema(documentation::Schema),
    /// Print a completion script for a shell.
    Completions(documentation::Completions),
    /// Write the manual pages into a directory.
    ManPages(documentation::ManPages),
}

impl Verb {
    /// Whether this is a service of KIWI NG, which has options before it.
    pub(super) fn is_service(&self) -> bool {
        matches!(self, Self::System(_) | Self::Image(_) | Self::Result(_))
    }

    /// Returns the operation; `before` are the options before a service.
    pub(super) fn operation(self, before: ng::Before) -> Result<Operation, Problem> {
        Ok(match self {
            Self::System(service) => return service.operation(before),
            Self::Image(service) => return service.operation(before),
            Self::Result(service) => service.operation(),
            Self::Init(verb) => verb.operation(),
            Self::Prepare(verb) => verb.operation(),
            Self::Create(verb) => verb.operation(),
            Self::Build(verb) => verb.operation(),
            Self::Cache(verb) => verb.operation(),
            Self::Upgrade(verb) => verb.operation(),
            Self::Shell(verb) => verb.operation(),
            Self::Repro(verb) => verb.operation(),
            Self::Ls(verb) => verb.operation(look::What::Listing),
            Self::Cat(verb) => verb.operation(look::What::Content),
            Self::Explain(verb) => verb.operation(),
            Self::Sbom(verb) => verb.operation(),
            Self::Diff(verb) => verb.operation(),
            Self::Check(verb) => verb.operation(),
            Self::Lock(verb) => verb.operation(),
            Self::Outdated(verb) => verb.operation(),
            Self::LanguageServer => Operation::LanguageServer(language_server::Request),
            Self::Convert(verb) => verb.operation(),
            Self::Info(verb) => verb.operation(),
            Self::BootStick(verb) => verb.operation(),
            Self::BootCd(verb) => verb.operation(),
            Self::InstallCd(verb) => verb.operation(),
            Self::InstallStick(verb) => verb.operation(),
            Self::BootVm(verb) => verb.operation(),
            Self::Pxe(verb) => verb.operation()?,
            Self::Run(verb) => verb.operation(),
            Self::Test(verb) => verb.operation(),
            Self::List => Operation::List(list::Request),
            Self::ListProfiles(verb) => verb.operation(),
            Self::CreatePassword => Operation::CreatePassword(create_password::Request),
            Self::Schema(verb) => verb.print(),
            Self::Completions(verb) => verb.print(),
            Self::ManPages(verb) => verb.write(),
        })
    }
}
