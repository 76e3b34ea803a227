//! The tree in one file system: N, N.md5 and, when compressed, N.gz instead of N; N.config when there is a `<deploy>`.

use anyhow::Result;
use bootconfig::{ClientConfig, ImageName};
use description::{FilesystemImage, Pxe, Selection};

use super::client_settings::{self, System};
use super::{ImageContext, TreeFacts, remove_build_files, size};
use crate::artifact::{self, Artifact, Role};
use crate::bootloader::grub2;
use crate::filesystem::{self, FilesystemJob, FilesystemPlan};
use crate::host::StageTask;
use crate::identity::Identity;

/// The plan of a file system image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    content: FilesystemPlan,
    compressed: bool,
    config: Option<ClientConfig>,
    /// Whether the system gets the boot loader's code for the disk of a network client.
    carries_boot_code: bool,
}

/// Plans the image; with `client` for a network client.
pub(super) fn plan(
    image: &FilesystemImage,
    client: Option<&Pxe>,
    selection: &Selection,
    name: ImageName,
    facts: &TreeFacts,
    identity: &Identity,
) -> Result<Plan> {
    let needed = filesystem::needed(image.filesystem, &facts.measure);
    let content = FilesystemPlan {
        filesystem: image.filesystem,
        size: size::decide(needed, image.size)?.into(),
        uuid: identity.uuid_text("root filesystem"),
        label: client
            .filter(|_| image.filesystem.max_label_length().is_some())
            .map(|client| client.label.clone()),
        options: image.create_options.clone(),
        compression: image.squashfs_compression.clone(),
        entries: facts.measure.entries,
        epoch: identity.epoch,
    };
    let compressed = selection.settings.compressed || image.compressed;
    let system =
        System { name: &name, size: content.size.to_mebibytes_up(), compressed, read_only: None, client };
    let config = client_settings::plan(selection, &system)?;
    // The menu is written when the client installs the system.
    let carries_boot_code =
        client.is_some() && !image.filesystem.is_read_only() && selection.architecture.machine() == "x86_64";
    Ok(Plan { name, content, compressed, config, carries_boot_code })
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host } = context;
    let mut others = context.package_list(&plan.name)?;
    if let Some(config) = &plan.config {
        others.push(client_settings::create(config, &plan.name, workspace, host)?);
    }
    remove_build_files(tree)?;
    if plan.carries_boot_code {
        grub2::carry(plan.content.filesystem, &plan.content.uuid, tree, workspace, host)?;
    }
    tree.clamp_times(plan.content.epoch)?;
    let name = plan.name.to_string();
    let path = workspace.unfinished(&name);
    let stage = host.stage(
        StageTask::WriteFilesystem,
        format!("Writing the {} file system", plan.content.filesystem.keyword()),
    );
    FilesystemJob { plan: &plan.content, tree, workspace, host }.create(&path)?;
    stage.finish();
    let stage = host.stage(StageTask::ComputeDigests, "Checking sums");
    let (checksum, sums) = context.checksum(&plan.name, &path)?;
    stage.finish();
    let mut artifacts = vec![checksum];
    artifacts.extend(others);
    artifacts.push(match plan.compressed {
        false => Artifact { sha256: Some(sums.sha256), ..Artifact::new(Role::Image, name, path) },
        true => {
            let stage = host.stage(StageTask::Compress, "Compressing");
            let packed = artifact::compress(&path, host)?;
            stage.finish();
            Artifact::new(Role::Image, format!("{name}.gz"), packed)
        }
    });
    Ok(artifacts)
}
