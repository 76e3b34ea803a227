//! The tree in two file systems, which a network client combines: N with what is written to, and R, the read-only part
//! (docs/formats/image-files.md).
//!
//! N has an empty directory for each directory of R; the client replaces it by a link to the mounted R. `<split>` moves paths
//! (`parts`), which leaves links.

mod moved;
mod parts;

use anyhow::Result;
use bootconfig::{ClientConfig, ImageName};
use description::{Selection, Split, SplitFiles};
use ondisk::Bytes;

use self::moved::Trees;
use self::parts::Parts;
use super::client_settings::{self, System};
use super::{ImageContext, TreeFacts, remove_build_files, size, two_parts};
use crate::artifact::{self, Artifact, Role};
use crate::filesystem::{self, FilesystemJob, FilesystemPlan};
use crate::host::StageTask;
use crate::identity::Identity;
use crate::root_tree::RootTree;

/// The plan of a split image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    name: ImageName,
    read_write: FilesystemPlan,
    read_only: FilesystemPlan,
    compressed: bool,
    config: Option<ClientConfig>,
    /// Paths that can be written to.
    files: SplitFiles,
}

/// Returns the host programs that are needed.
pub(super) fn programs(split: &Split) -> Vec<&'static str> {
    let mut programs = vec!["cp"];
    for program in [split.read_write, split.read_only].into_iter().flat_map(filesystem::programs) {
        if !programs.contains(program) {
            programs.push(program);
        }
    }
    programs
}

pub(super) fn plan(
    split: &Split,
    selection: &Selection,
    name: ImageName,
    facts: &TreeFacts,
    identity: &Identity,
) -> Result<Plan> {
    let part = |filesystem, purpose| FilesystemPlan {
        filesystem,
        size: Bytes(0),
        uuid: identity.uuid_text(purpose),
        label: None,
        options: Vec::new(),
        compression: None,
        entries: facts.measure.entries,
        epoch: identity.epoch,
    };
    let compressed = selection.settings.compressed;
    let read_only = name.read_only();
    let system = System {
        name: &name,
        size: size::decide(Bytes(facts.measure.bytes), None)?,
        compressed,
        read_only: Some(&read_only),
        client: None,
    };
    Ok(Plan {
        config: client_settings::plan(selection, &system)?,
        read_write: part(split.read_write, "root filesystem"),
        read_only: part(split.read_only, "read-only part"),
        compressed,
        files: split.files.clone().unwrap_or_default(),
        name,
    })
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host, .. } = context;
    let mut artifacts = context.package_list(&plan.name)?;
    if let Some(config) = &plan.config {
        artifacts.push(client_settings::create(config, &plan.name, workspace, host)?);
    }
    remove_build_files(tree)?;
    let parts = Parts::of(tree, &plan.files, &two_parts::read_only_directories(tree)?)?;
    let directories = parts.read_only_directories();
    anyhow::ensure!(!directories.is_empty(), "`<split>` leaves nothing for the read-only part");
    let rest = two_parts::rest_of(tree, &directories)?;
    let named: Vec<String> = directories.iter().map(|name| (*name).to_owned()).collect();
    let writable = two_parts::copy(tree, &rest, "writable part", workspace, host)?;
    for directory in &directories {
        writable.create_dir(directory, 0o755)?;
    }
    let read_only = two_parts::copy(tree, &named, "read-only part", workspace, host)?;
    Trees { whole: tree, writable: &writable, read_only: &read_only, host }.divide(&parts)?;
    artifacts.extend(write(&plan.read_only, &read_only, &plan.name.read_only(), plan.compressed, context)?);
    artifacts.extend(write(&plan.read_write, &writable, &plan.name, plan.compressed, context)?);
    Ok(artifacts)
}

/// Writes one part: its checksum and its image.
fn write(
    plan: &FilesystemPlan,
    part: &RootTree,
    name: &ImageName,
    compressed: bool,
    context: ImageContext<'_>,
) -> Result<[Artifact; 2]> {
    let ImageContext { workspace, host, helper, .. } = context;
    part.clamp_times(plan.epoch)?;
    let measure = part.measure()?;
    let needed = filesystem::needed(plan.filesystem, &measure);
    let plan =
        FilesystemPlan { size: size::decide(needed, None)?.into(), entries: measure.entries, ..plan.clone() };
    let path = workspace.unfinished(&name.to_string());
    let stage = host
        .stage(StageTask::WriteFilesystem, format!("Writing the {} file system", plan.filesystem.keyword()));
    let job = FilesystemJob { plan: &plan, tree: part, workspace, host, helper, stage: &stage };
    job.create(&path)?;
    stage.finish();
    let (checksum, sums) = context.checksum(name, &path)?;
    // A squashfs is compressed already, but a client unpacks every image in the same way.
    let image = if compressed {
        let stage = host.stage(StageTask::Compress, "Compressing");
        let packed = artifact::compress(&path, &stage, host)?;
        stage.finish();
        Artifact::new(Role::Image, name.packed(), packed)
    } else {
        Artifact { sha256: Some(sums.sha256), ..Artifact::new(Role::Image, name.to_string(), path) }
    };
    Ok([checksum, image])
}

#[cfg(test)]
mod tests;
