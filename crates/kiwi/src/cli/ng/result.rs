//! `kiwi result list|bundle`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::refused::{Keyword, Keywords, Refused, flag, option};
use crate::operation::{Operation, bundle, list_results};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Results {
    /// List what was built in a directory.
    List(List),
    /// Copy the results under names for a release, compressed and with checksums.
    Bundle(Bundle),
}

impl Results {
    pub(super) fn operation(self) -> Operation {
        match self {
            Self::List(command) => {
                Operation::ListResults(list_results::Request { target_dir: command.target_dir })
            }
            Self::Bundle(command) => Operation::Bundle(bundle::Request {
                target_dir: command.target_dir,
                bundle_dir: command.bundle_dir,
                id: command.id,
                name_format: command.bundle_format,
                compress: !command.no_compress,
            }),
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Directory of the images.
    #[arg(long, value_name = "DIR")]
    target_dir: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Bundle {
    /// Directory of the images.
    #[arg(long, value_name = "DIR")]
    target_dir: PathBuf,
    /// An identifier of this release, which becomes part of the names.
    #[arg(long, value_name = "TEXT")]
    id: String,
    /// Directory of the bundle; created if it does not exist.
    #[arg(long, value_name = "DIR")]
    bundle_dir: PathBuf,
    /// Format of the names: %N name, %P profiles, %A machine, %I id, %T type, %v version, %M %m %p its parts.
    #[arg(long, value_name = "FORMAT")]
    bundle_format: Option<String>,
    /// Copy raw images as they are instead of compressing them with xz.
    #[arg(long)]
    no_compress: bool,
    #[command(flatten)]
    refused: Refused<BundleOptions>,
}

#[derive(Debug, Clone)]
struct BundleOptions;

impl Keywords for BundleOptions {
    const WORDS: &'static [Keyword] = &[
        option("zsync-source", "run zsyncmake on the files of the bundle"),
        flag("package-as-rpm", "the bundle is a directory of files"),
    ];
}
