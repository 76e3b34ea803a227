//! Kernel, initrd and system for the boot loader of another machine: `N.tar.xz`, or its members as single files
//! (docs/formats/image-files.md).

use anyhow::{Context, Result};
use bootconfig::ImageName;
use description::{Kis, Selection};

use super::{BootImageFiles, ImageContext, TreeFacts, filesystem, remove_build_files};
use crate::artifact::{Artifact, Role};
use crate::file_archive::{self, Member, Packing};
use crate::filesystem::{FilesystemJob, FilesystemPlan};
use crate::host::StageTask;
use crate::identity::Identity;
use crate::kernel::Kernel;

/// The plan of kernel, initrd and system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    system: Option<System>,
    boot: BootImageFiles,
    archive: bool,
    epoch: u64,
}

/// The system.
#[derive(Debug, Clone, PartialEq, Eq)]
struct System {
    content: FilesystemPlan,
    compressed: bool,
    /// Kernel parameters of its boot.
    parameters: String,
}

pub(super) fn plan(
    kis: &Kis,
    selection: &Selection,
    name: ImageName,
    facts: &TreeFacts,
    identity: &Identity,
) -> Result<Plan> {
    let boot = facts.boot.clone().context("the type kis needs a boot image")?;
    let system = match &kis.image {
        None => None,
        Some(image) => {
            let content = filesystem::content(image, Some(&kis.label), facts, identity)?;
            let root = match (image.filesystem.has_chosen_uuid(), image.filesystem.max_label_length()) {
                (true, _) => format!("root=UUID={} ", content.uuid),
                (false, Some(_)) => format!("root=LABEL={} ", kis.label),
                (false, None) => String::new(),
            };
            let own = kis.kernel_command_line.as_deref().unwrap_or_default();
            Some(System {
                content,
                compressed: selection.settings.compressed || image.compressed,
                parameters: format!("{root}rw {own}").trim_end().to_owned(),
            })
        }
    };
    Ok(Plan { name, system, boot, archive: kis.archive, epoch: identity.epoch })
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host, .. } = context;
    let name = &plan.name;
    let mut artifacts = context.package_list(name)?;
    let kernel = tree.read(&Kernel::find(tree)?.image)?;
    remove_build_files(tree)?;
    tree.clamp_times(plan.epoch)?;
    let mut files = Vec::new();
    if let Some(system) = &plan.system {
        files.extend(write_system(system, name, context)?);
    }
    let mut add = |role, file: String, bytes: Vec<u8>| -> Result<()> {
        let path = workspace.unfinished(&file);
        host.write_file(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        files.push(Artifact::new(role, file, path));
        Ok(())
    };
    let initrd = std::fs::read(&plan.boot.initrd)
        .with_context(|| format!("cannot read the boot image {}", plan.boot.initrd.display()))?;
    add(Role::Initrd, format!("{name}.initrd"), initrd)?;
    add(Role::Kernel, format!("{name}-{}.kernel", plan.boot.kernel_version), kernel)?;
    if !plan.archive {
        artifacts.extend(files);
        return Ok(artifacts);
    }
    let stage = host.stage(StageTask::WriteArchive, "Packing the archive");
    let file = format!("{name}.tar.xz");
    let path = workspace.unfinished(&file);
    let member = |artifact: &Artifact| Member { name: artifact.name.clone(), path: artifact.path.clone() };
    let members: Vec<Member> = files.iter().map(member).collect();
    file_archive::create(&members, Packing::Xz, plan.epoch, &path, &stage, host)?;
    for Member { path, .. } in &members {
        host.remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    stage.finish();
    artifacts.push(Artifact::new(Role::Image, file, path));
    Ok(artifacts)
}

/// Writes the system, its checksum and the kernel parameters with which it starts.
fn write_system(system: &System, name: &ImageName, context: ImageContext<'_>) -> Result<[Artifact; 3]> {
    let ImageContext { tree, workspace, host, helper } = context;
    let path = workspace.unfinished(&name.to_string());
    let keyword = system.content.filesystem.keyword();
    let stage = host.stage(StageTask::WriteFilesystem, format!("Writing the {keyword} file system"));
    let job = FilesystemJob { plan: &system.content, tree, workspace, host, helper, stage: &stage };
    job.create(&path)?;
    stage.finish();
    let (checksum, sums) = context.checksum(name, &path)?;
    let file = format!("{name}.append");
    let append = workspace.unfinished(&file);
    host.write_file(&append, format!("{}\n", system.parameters))
        .with_context(|| format!("cannot write {}", append.display()))?;
    let image = if system.compressed {
        let stage = host.stage(StageTask::Compress, "Compressing");
        let file = format!("{name}.xz");
        let packed = workspace.unfinished(&file);
        file_archive::compress(&path, &packed, &stage, host)?;
        host.remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        stage.finish();
        Artifact::new(Role::Image, file, packed)
    } else {
        Artifact { sha256: Some(sums.sha256), ..Artifact::new(Role::Image, name.to_string(), path) }
    };
    Ok([checksum, Artifact::new(Role::KernelParameters, file, append), image])
}
