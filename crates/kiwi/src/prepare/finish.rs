//! The end of `prepare`, which is never restored from the cache: writes the description for `create` and sets times.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use description::{DescriptionKind, Selection};
use ondisk::digest::{Digest, Sha256};

use super::{clean, password_days, secrets};
use crate::host::{Host, StageTask};
use crate::package_manager::{Installed, PackagePlan};
use crate::record::Record;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::source::{Source, real};
use crate::stage::{self, Inputs};

/// Files of a description that are copied into the tree for `create`.
const CARRIED: [&str; 3] = ["images.sh", "config-cdroot.tgz", "cdboot"];

/// The steps, with all files already read.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    name: String,
    version: String,
    kind: DescriptionKind,
    profiles: Vec<String>,
    source: PathBuf,
    /// The text of `image/config.xml`.
    description: String,
    /// Path below `image/`, content, mode.
    carried: Vec<(String, Vec<u8>, u32)>,
}

pub(super) fn plan(selection: &Selection, source: &Source) -> Result<Plan> {
    let mut carried = Vec::new();
    for name in CARRIED {
        let Some(path) = source.find(name)? else { continue };
        if path.is_file() {
            let mode = real::metadata(&path)?.permissions().mode() & 0o755;
            carried.push((name.to_owned(), real::read(&path)?, mode));
        } else if path.is_dir() {
            for entry in real::names(&path)? {
                let below = format!("{name}/{}", entry.to_string_lossy());
                carried.push((below, real::read(&source.files().follow(&path.join(entry))?)?, 0o644));
            }
        }
    }
    carried.sort();
    Ok(Plan {
        name: selection.name.to_string(),
        version: selection.version.to_string(),
        kind: selection.kind,
        profiles: selection.profiles.iter().map(ToString::to_string).collect(),
        source: source.directory().to_owned(),
        description: source.whole()?,
        carried,
    })
}

impl Plan {
    /// Adds the values of the plan that affect images. Images contain nothing else of the description, so the text of
    /// the description is an input only if `images.sh` can read it.
    pub(super) fn inputs(&self, epoch: u64, inputs: &mut Inputs) -> Result<()> {
        // Name, version and kind are inputs of the stage `Image` itself; no image contains the path of the description.
        let Self { name: _, version: _, kind: _, profiles, source: _, description, carried } = self;
        for (name, bytes, mode) in carried {
            inputs.value(name, &(stage::Digest::of(bytes), mode))?;
        }
        if carried.iter().any(|(name, ..)| name == "images.sh") {
            inputs.bytes("the text of the description", description);
        }
        inputs.value("the date of the repositories", &epoch)?;
        inputs.value("the profiles", profiles)
    }
}

/// Finishes the tree; returns its record and the installed packages. Secrets that the description provides (`brought`)
/// are kept.
pub(super) fn create(
    plan: &Plan,
    packages: &PackagePlan,
    brought: &dyn Fn(&str) -> bool,
    epoch: u64,
    tree: &RootTree,
    host: &Host,
) -> Result<(Record, Vec<Installed>)> {
    let stage = host.stage(StageTask::FinishTree, "Finishing the tree");
    let facts = packages.distribution.facts();
    clean::clean(&facts.leftovers, tree)?;
    let secrets = match plan.kind {
        DescriptionKind::System => secrets::renew(facts.secrets, tree, brought)?,
        DescriptionKind::Boot => Vec::new(),
    };
    let packages = packages.manager().installed(tree, host)?;
    let record = Record {
        epoch,
        name: plan.name.clone(),
        version: plan.version.clone(),
        packages: digest(&packages),
        profiles: plan.profiles.clone(),
        description: Some(plan.source.clone()),
        secrets,
    };
    // It may contain passwords of repositories.
    tree.write(format!("{DESCRIPTION}/config.xml"), &plan.description, 0o600)?;
    for (name, bytes, mode) in &plan.carried {
        tree.write(format!("{DESCRIPTION}/{name}"), bytes, *mode)?;
    }
    write_packages(&packages, tree)?;
    password_days::clamp(epoch, tree)?;
    record.write(tree)?;
    tree.clamp_times(epoch)?;
    stage.finish();
    Ok((record, packages))
}

/// Returns `SOURCE_DATE_EPOCH`, or the date of the newest repository index, which is the same for every build from it.
pub(super) fn epoch(newest: u64, host: &Host) -> Result<u64> {
    match host.variable("SOURCE_DATE_EPOCH") {
        Some(text) => text.trim().parse().with_context(|| format!("reading SOURCE_DATE_EPOCH=\"{text}\"")),
        None => Ok(newest),
    }
}

/// Returns the digest of the installed packages.
pub(super) fn digest(packages: &[Installed]) -> String {
    let mut digest = Sha256::new();
    for package in packages {
        digest.update(format!("{}={}:{}\n", package.name, package.version, package.architecture));
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Writes `image/packages`: name, version, architecture and licences of every package, separated by `|`.
pub(super) fn write_packages(packages: &[Installed], tree: &RootTree) -> Result<()> {
    let lines = packages.iter().map(|package| {
        format!("{}|{}|{}|{}\n", package.name, package.version, package.architecture, package.licences)
    });
    tree.write(format!("{DESCRIPTION}/packages"), lines.collect::<String>(), 0o644)
}
