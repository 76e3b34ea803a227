//! Arguments of the verbs that compare and look into images: diff, repro, ls, cat, explain, sbom.

use std::path::PathBuf;

use clap::Args;

use super::location::Location;
use crate::operation::{Operation, diff, look, origin, repro, sbom};
use crate::sbom::Form;

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// A root tree, a directory of images or a file.
    one: PathBuf,
    /// The other one.
    other: PathBuf,
    /// Ignore the modification times of files.
    #[arg(long)]
    no_times: bool,
}

impl Diff {
    pub(super) fn operation(self) -> Operation {
        Operation::Diff(diff::Request { one: self.one, other: self.other, times: !self.no_times })
    }
}

#[derive(Debug, Args)]
pub(super) struct Repro {
    #[command(flatten)]
    location: Location,
    /// Directory for trees and images of both builds; it must be new or empty.
    #[arg(long, short = 'd', value_name = "DIR")]
    destdir: PathBuf,
    /// Build this image type of the description (default: the primary one).
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    image_type: Option<String>,
    /// Activate a profile of the description (may be repeated).
    #[arg(long = "add-profile", visible_alias = "profile", value_name = "NAME")]
    profiles: Vec<String>,
}

impl Repro {
    pub(super) fn operation(self) -> Operation {
        Operation::Repro(repro::Request {
            description: self.location.path(),
            destdir: self.destdir,
            image_type: self.image_type,
            profiles: self.profiles,
        })
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "In a disk, PATH is that of the first partition that has it; '/' lists the partitions."
)]
pub(super) struct Look {
    /// An image, or a root tree.
    image: PathBuf,
    /// The path in it.
    #[arg(default_value = "/")]
    path: String,
}

impl Look {
    pub(super) fn operation(self, what: look::What) -> Operation {
        Operation::Look(look::Request { image: self.image, path: self.path, what })
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "The packages are those of the image's own database. Archives, overlays, settings and scripts are recorded \
                  by the build: in a root tree, and for an image in kiwi.result.json beside it.\n\n'kiwi build --explain' is \
                  something else: it shows which stages a build would run, and why."
)]
pub(super) struct Explain {
    /// An image, or a root tree.
    image: PathBuf,
    /// The path in it.
    path: String,
}

impl Explain {
    pub(super) fn operation(self) -> Operation {
        Operation::Origin(origin::Request { image: self.image, path: self.path })
    }
}

#[derive(Debug, Args)]
pub(super) struct Sbom {
    /// An image, or a root tree.
    image: PathBuf,
    /// The form: SPDX 3.0.1 or CycloneDX 1.6.
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    form: SbomForm,
}

/// `--form`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum SbomForm {
    #[default]
    Spdx,
    #[value(name = "cyclonedx")]
    CycloneDx,
}

impl Sbom {
    pub(super) fn operation(self) -> Operation {
        let form = match self.form {
            SbomForm::Spdx => Form::Spdx,
            SbomForm::CycloneDx => Form::CycloneDx,
        };
        Operation::Sbom(sbom::Request { image: self.image, form })
    }
}
