//! The end of `prepare`, which is never restored from the cache: writes the description for `create` and sets times.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use description::{BootScript, DescriptionKind, Selection};
use ondisk::digest::{Digest, Sha256};

use super::{clean, password_days, secrets};
use crate::failure::{Failure, Kind, fail};
use crate::host::{Host, StageTask};
use crate::origins::Origins;
use crate::package_manager::{Installed, PackagePlan};
use crate::record::Record;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::script::check_line_ends;
use crate::source::{Source, real};
use crate::stage::{self, Inputs};

/// Files of a description that are copied into the tree for `create`.
const CARRIED: [&str; 5] = ["images.sh", "pre_disk_sync.sh", "disk.sh", "exclude_files.yaml", "cdboot"];
/// Scripts among them, which can read the description.
const SCRIPTS: [&str; 5] =
    ["images.sh", "pre_disk_sync.sh", "disk.sh", BootScript::EDIT_CONFIG, BootScript::EDIT_INSTALL];
/// How the name of an archive begins whose files are added to a live medium.
const MEDIUM_ARCHIVE: &str = "config-cdroot.t";

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
    let mut names: Vec<String> = CARRIED.map(str::to_owned).to_vec();
    let beside = real::names(source.directory())?.into_iter().filter_map(|name| name.into_string().ok());
    let archives: Vec<String> = beside.filter(|name| name.starts_with(MEDIUM_ARCHIVE)).collect();
    if archives.len() > 1 {
        fail!(
            InvalidDescription,
            "the description has several archives for a medium: {}; keep one",
            archives.join(", ")
        );
    }
    names.extend(archives);
    for BootScript { attribute, script, kept } in selection.image_type.boot_scripts() {
        let missing = || {
            let message = format!(
                "the script {script} of {attribute} does not exist in {}",
                source.directory().display()
            );
            Failure::new(Kind::File, message)
        };
        let path = source.find_file(script)?.with_context(missing)?;
        let bytes = real::read(&path)?;
        check_line_ends(&path.display().to_string(), &bytes)?;
        let mode = real::metadata(&path)?.permissions().mode() & 0o755;
        carried.push((kept.to_owned(), bytes, mode));
    }
    names.extend(selection.vagrantfiles.iter().cloned());
    for name in names {
        let Some(path) = source.find(&name)? else { continue };
        if path.is_file() {
            let mode = real::metadata(&path)?.permissions().mode() & 0o755;
            let bytes = real::read(&path)?;
            if SCRIPTS.contains(&name.as_str()) {
                check_line_ends(&path.display().to_string(), &bytes)?;
            }
            carried.push((name, bytes, mode));
        } else if SCRIPTS.contains(&name.as_str()) {
            fail!(
                InvalidDescription,
                "{} is not a file, but kiwi runs {name} as a script; rename it",
                path.display()
            );
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
        if carried.iter().any(|(name, ..)| SCRIPTS.contains(&name.as_str())) {
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
    if let Some(mut origins) = Origins::read(tree)? {
        origins.forget_missing(tree);
        origins.write(tree)?;
    }
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

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test writes a description of its own")]
mod tests {
    use description::{Choice, Description};

    use super::*;
    use crate::source::AllowedPaths;

    #[test]
    fn the_scripts_of_the_boot_loader_are_carried() {
        let directory = tempfile::tempdir().unwrap();
        let text = "<image schemaversion=\"8.5\" name=\"n\"><description type=\"system\"><author>A</author>\
            <contact>C</contact><specification>S</specification></description><preferences><version>1.0.0</version>\
            <packagemanager>apt</packagemanager><type image=\"oem\" filesystem=\"ext4\" editbootconfig=\"a/b.sh\" editbootinstall=\"a/b.sh\"/>\
            </preferences><repository><source path=\"debian://bookworm\"/></repository>\
            <packages type=\"image\"><package name=\"p\"/></packages></image>";
        std::fs::write(directory.path().join("config.xml"), text).unwrap();
        let planned = || {
            let source = Source::open(directory.path(), &AllowedPaths::default()).unwrap();
            let description = Description::parse(source.file()).description.unwrap();
            plan(&description.select(&Choice::default()).unwrap(), &source).map(|plan| plan.carried)
        };
        let error = planned().unwrap_err();
        assert_eq!(error.downcast_ref::<Failure>().map(|failure| failure.kind), Some(Kind::File));
        std::fs::create_dir(directory.path().join("a")).unwrap();
        std::fs::write(directory.path().join("a/b.sh"), "true\n").unwrap();
        let expected = [BootScript::EDIT_CONFIG, BootScript::EDIT_INSTALL]
            .map(|name| (name.to_owned(), b"true\n".to_vec(), 0o644));
        assert_eq!(planned().unwrap(), expected);
    }
}
