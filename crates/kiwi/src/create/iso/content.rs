//! The layout of the system on a live medium.
//!
//! | layout | on the medium | at boot |
//! |---|---|---|
//! | plain | `/read-only-system/{boot,opt,usr ..}`, `N.gz` | the directories, bound into N in memory |
//! | compressed | R, a squashfs of those directories, `N.gz` | as plain |
//! | unified | R, a squashfs of the whole tree | a writable layer over R |
//! | overlay | `/LiveOS/squashfs.img`, the same file at the path of KIWI 8.5 | as unified |
//!
//! N is an ext2 file system with the rest of the tree, with `N.md5` beside it; R is `<name>-read-only.<arch>-<version>`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::{ImageName, LiveConfig, Union};
use description::{Iso, IsoLayout};
use ondisk::{Bytes, Filesystem};

use super::super::two_parts::{self, read_only_directories, rest_of};
use super::super::{TreeFacts, size};
use crate::artifact;
use crate::filesystem::{self, FilesystemJob, FilesystemPlan};
use crate::host::{Host, StageTask};
use crate::identity::Identity;
use crate::media::iso::Graft;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The planned content of a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ContentPlan {
    /// The whole tree, read-only below a writable layer.
    Union { system: FilesystemPlan, location: String },
    /// Two parts: a read-only one on the medium, and one that is copied to memory.
    Split { memory: FilesystemPlan, memory_name: ImageName, read_only: ReadOnly },
}

/// The read-only part of a system of two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadOnly {
    /// Plain directories.
    Directories,
    /// Packed, at this path.
    Squashfs { part: FilesystemPlan, location: String },
}

impl ContentPlan {
    /// Returns the configuration that linuxrc reads.
    pub(super) fn union(&self) -> Option<Union> {
        match self {
            Self::Union { .. } => Some(Union::Overlay),
            Self::Split { .. } => None,
        }
    }
}

pub(super) fn programs(live: &Iso) -> Vec<&'static str> {
    let mut programs = filesystem::programs(live.filesystem).to_vec();
    if matches!(live.layout, IsoLayout::Plain | IsoLayout::Compressed) {
        programs.extend(filesystem::programs(Filesystem::Ext2));
        programs.push("cp");
    }
    programs
}

pub(super) fn plan(live: &Iso, name: &ImageName, facts: &TreeFacts, identity: &Identity) -> ContentPlan {
    let part = |filesystem: Filesystem, purpose: &str| FilesystemPlan {
        filesystem,
        size: Bytes(0),
        uuid: identity.uuid_text(purpose),
        label: None,
        options: Vec::new(),
        compression: live.compression.clone(),
        entries: facts.measure.entries,
        epoch: identity.epoch,
    };
    let read_only = || part(live.filesystem, "read-only part");
    let location = format!("/{}", name.read_only());
    let split = |read_only| ContentPlan::Split {
        memory: part(Filesystem::Ext2, "root filesystem"),
        memory_name: name.clone(),
        read_only,
    };
    match live.layout {
        IsoLayout::Plain => split(ReadOnly::Directories),
        IsoLayout::Compressed => split(ReadOnly::Squashfs { part: read_only(), location }),
        IsoLayout::Unified => ContentPlan::Union { system: read_only(), location },
        // The two differ in the content of the file only, which does not matter here.
        IsoLayout::Overlay | IsoLayout::DmSquash => {
            ContentPlan::Union { system: read_only(), location: LiveConfig::LIVE_OS.to_owned() }
        }
    }
}

/// The files of a medium.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) grafts: Vec<Graft>,
    /// A file system that is still to be packed, with its path.
    pub(super) packed: Option<Packed>,
}

/// A read-only file system on a medium.
#[derive(Debug)]
pub(super) struct Packed {
    stage: &'static str,
    plan: FilesystemPlan,
    pub(super) location: String,
}

impl Packed {
    /// Writes the file system to the medium `output`, from byte `offset` on.
    pub(super) fn write(
        &self,
        tree: &RootTree,
        output: &Path,
        offset: u64,
        workspace: &Workspace,
        host: &Host,
    ) -> Result<()> {
        let stage = host.stage(StageTask::WriteFilesystem, self.stage);
        let job = FilesystemJob { plan: &self.plan, tree, workspace, host, helper: None, stage: &stage };
        job.create_behind(output, offset)?;
        stage.finish();
        Ok(())
    }

    /// Writes the file system to a file of its own.
    pub(super) fn graft(&self, tree: &RootTree, workspace: &Workspace, host: &Host) -> Result<Graft> {
        let file = workspace.scratch_file("read-only-part");
        self.write(tree, &file, 0, workspace, host)?;
        Ok(Graft::new(&self.location, file))
    }
}

/// Writes all parts but the packed one.
pub(super) fn create(
    plan: &ContentPlan,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Content> {
    let packed = |stage, plan, location: &String| Some(Packed { stage, plan, location: location.clone() });
    match plan {
        ContentPlan::Union { system, location } => Ok(Content {
            packed: packed("Packing the system", system.clone(), location),
            ..Content::default()
        }),
        ContentPlan::Split { memory, memory_name, read_only } => {
            let directories = read_only_directories(tree)?;
            let mut content = Content::default();
            match read_only {
                ReadOnly::Directories => {
                    tree.warn_of_attributes("a medium of plain directories", &[], host)?;
                    let location = |name: &&str| format!("{}/{name}", LiveConfig::DIRECTORIES);
                    content.grafts = directories
                        .iter()
                        .map(|name| Graft::new(location(name), tree.path().join(name)))
                        .collect();
                }
                ReadOnly::Squashfs { part, location } => {
                    let part = without(part, &rest_of(tree, &directories)?)?;
                    content.packed = packed("Packing the read-only part", part, location);
                }
            }
            content.grafts.extend(memory_part(memory, memory_name, &directories, tree, workspace, host)?);
            Ok(content)
        }
    }
}

/// Writes `<file>.md5`.
fn sum_of(file: &Path, workspace: &Workspace, host: &Host) -> Result<PathBuf> {
    let name = format!("{}.md5", file.file_name().unwrap_or_default().to_string_lossy());
    let path = workspace.scratch_file(&name);
    host.write_file(&path, artifact::checksum(file, host)?.to_string())
        .with_context(|| format!("cannot write {name}"))?;
    Ok(path)
}

/// Returns the read-only file system without these names at the top of the tree.
fn without(plan: &FilesystemPlan, names: &[String]) -> Result<FilesystemPlan> {
    let options = filesystem::exclude_options(plan.filesystem, names)?;
    Ok(FilesystemPlan { options, ..plan.clone() })
}

/// Writes the part that is copied to memory: N.gz and N.md5. N is an ext2 file system in which the read-only directories
/// are empty.
fn memory_part(
    plan: &FilesystemPlan,
    name: &ImageName,
    directories: &[&str],
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Graft>> {
    let stage = host.stage(StageTask::WriteFilesystem, "Writing the part that is copied to memory");
    let part = two_parts::copy(tree, &rest_of(tree, directories)?, "memory-part", workspace, host)?;
    for directory in directories {
        part.create_dir(directory, 0o755)?;
    }
    part.clamp_times(plan.epoch)?;
    let measure = part.measure()?;
    let needed = filesystem::needed(plan.filesystem, &measure);
    let plan =
        FilesystemPlan { size: size::decide(needed, None)?.into(), entries: measure.entries, ..plan.clone() };
    let image = workspace.scratch_file(&name.to_string());
    FilesystemJob { plan: &plan, tree: &part, workspace, host, helper: None, stage: &stage }
        .create(&image)?;
    stage.finish();
    let sum = sum_of(&image, workspace, host)?;
    let stage = host.stage(StageTask::Compress, "Compressing the part that is copied to memory");
    let packed = artifact::compress(&image, &stage, host)?;
    stage.finish();
    Ok(vec![
        Graft::new(format!("/{}", name.packed()), packed),
        Graft::new(format!("/{}", name.checksum_file()), sum),
    ])
}
