//! The tree in two file systems, which a network client combines: N with what is written to, and R, the read-only part
//! (docs/formats/image-files.md).
//!
//! N has an empty directory for each directory of R; the client replaces it by a link to the mounted R. Paths of `<persistent>` that
//! belong to R are in N, below [`PERSISTENT`], and R has links to them.

use anyhow::{Context, Result};
use bootconfig::{ClientConfig, ImageName};
use description::{Selection, Split};
use ondisk::Bytes;

use super::client_settings::{self, System};
use super::{ImageContext, TreeFacts, remove_build_files, size, two_parts};
use crate::artifact::{self, Artifact, Role};
use crate::filesystem::{self, FilesystemJob, FilesystemPlan};
use crate::host::{Host, StageTask};
use crate::identity::Identity;
use crate::root_tree::RootTree;

/// The directory of the writable part with files whose paths are in the read-only part.
const PERSISTENT: &str = "var/lib/kiwi/persistent";

/// The plan of a split image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    name: ImageName,
    read_write: FilesystemPlan,
    read_only: FilesystemPlan,
    compressed: bool,
    config: Option<ClientConfig>,
    /// Paths that can be written to.
    persistent: Vec<String>,
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
        persistent: split.persistent.clone(),
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
    let directories = two_parts::read_only_directories(tree)?;
    let rest = two_parts::rest_of(tree, &directories)?;
    let named: Vec<String> = directories.iter().map(|name| (*name).to_owned()).collect();
    let writable = two_parts::copy(tree, &rest, "writable part", workspace, host)?;
    for directory in &directories {
        writable.create_dir(directory, 0o755)?;
    }
    let read_only = two_parts::copy(tree, &named, "read-only part", workspace, host)?;
    for path in &plan.persistent {
        let path = inside(tree, path);
        let is_in = |directory: &&str| {
            path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if directories.iter().any(is_in) {
            keep_writable(&path, &read_only, &writable, host)?;
        }
    }
    artifacts.extend(write(&plan.read_only, &read_only, &plan.name.read_only(), plan.compressed, context)?);
    artifacts.extend(write(&plan.read_write, &writable, &plan.name, plan.compressed, context)?);
    Ok(artifacts)
}

/// Returns the path in the tree that `path` of a description means: `DIR/*` is all of a directory, and a link at the top of the tree
/// is followed (`bin` to `usr/bin`).
fn inside(tree: &RootTree, path: &str) -> String {
    let path = path.trim_matches('/').trim_end_matches("/*");
    let (top, rest) = path.split_once('/').unwrap_or((path, ""));
    match tree.path().join(top).read_link() {
        Ok(target) => format!("{}/{rest}", target.display()).trim_matches('/').to_owned(),
        Err(_) => path.to_owned(),
    }
}

/// Moves what is at `path` of the read-only part to the writable part, and links it. What is missing may be created later.
fn keep_writable(path: &str, read_only: &RootTree, writable: &RootTree, host: &Host) -> Result<()> {
    let kept = format!("{PERSISTENT}/{path}");
    let above = |path: &str| path.rsplit_once('/').map_or(String::new(), |(above, _)| above.to_owned());
    writable.create_dir(above(&kept), 0o755)?;
    let source = read_only.path().join(path);
    if source.symlink_metadata().is_ok() {
        let target = writable.path().join(above(&kept));
        host.command("cp")
            .arg("--archive")
            .arg(source)
            .arg(&target)
            .writable(target)
            .run()
            .with_context(|| format!("cannot copy /{path} to the writable part"))?;
        read_only.remove(path)?;
    }
    read_only.symlink(path, format!("/{kept}"))
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
    FilesystemJob { plan: &plan, tree: part, workspace, host, helper }.create(&path)?;
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
