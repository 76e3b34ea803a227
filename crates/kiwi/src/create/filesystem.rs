//! The tree in one file system: N, N.md5 and, when compressed, N.gz instead of N; N.config when there is a `<deploy>`.

use anyhow::{Context as _, Result};
use bootconfig::{ClientConfig, ImageName};
use description::{FilesystemImage, Pxe, Selection, SizeRule};
use ondisk::Bytes;

use super::client_settings::{self, System};
use super::{ImageContext, TreeFacts, remove_build_files, size};
use crate::artifact::{self, Artifact, Role};
use crate::bootloader::esp::EspFile;
use crate::bootloader::grub2;
use crate::bootloader::platform::Platform;
use crate::filesystem::{self, FilesystemJob, FilesystemPlan};
use crate::host::StageTask;
use crate::identity::Identity;

/// The space for the boot loader's files of a network client.
const BOOT_CODE: Bytes = Bytes(3 << 20);

/// The plan of a file system image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    content: FilesystemPlan,
    compressed: bool,
    config: Option<ClientConfig>,
    /// The EFI system partition of a network client's disk; the system gets it, and the boot loader's code for BIOS.
    boot_code: Option<EspFile>,
    /// The size in the description of a file system whose size is known when it is written.
    most: Option<SizeRule>,
}

/// Whether the system of a client gets the boot loader for its disk.
fn carries_boot_code(client: &Pxe, selection: &Selection) -> bool {
    !client.image.filesystem.is_read_only() && selection.architecture.machine() == "x86_64"
}

/// Fails if the host does not have what the system of a client gets.
pub(super) fn check_boot_code(client: &Pxe, selection: &Selection) -> Result<()> {
    if !carries_boot_code(client, selection) {
        return Ok(());
    }
    [Platform::Pc, Platform::Efi64].into_iter().try_for_each(grub2::check)
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
    let mut content = content(image, client.map(|client| client.label.as_str()), facts, identity)?;
    let carries = client.is_some_and(|client| carries_boot_code(client, selection));
    if carries {
        let least = filesystem::needed(image.filesystem, &facts.measure).saturating_add(BOOT_CODE);
        content.size = content.size.max(least.to_mebibytes_up().into());
    }
    let compressed = selection.settings.compressed || image.compressed;
    let system =
        System { name: &name, size: content.size.to_mebibytes_up(), compressed, read_only: None, client };
    let config = client_settings::plan(selection, &system)?;
    // The menu is written when the client installs the system.
    let boot_code =
        carries.then(|| EspFile { id: identity.number("EFI system partition"), epoch: identity.epoch });
    let most = image.size.filter(|_| image.filesystem.is_read_only());
    Ok(Plan { name, content, compressed, config, boot_code, most })
}

/// Plans the file system of the tree, with a label where it has labels.
pub(super) fn content(
    image: &FilesystemImage,
    label: Option<&str>,
    facts: &TreeFacts,
    identity: &Identity,
) -> Result<FilesystemPlan> {
    let needed = filesystem::needed(image.filesystem, &facts.measure);
    let size = match image.filesystem.is_read_only() {
        true => size::before_compression(needed, image.size),
        false => size::decide(needed, image.size)?,
    };
    Ok(FilesystemPlan {
        filesystem: image.filesystem,
        size: size.into(),
        uuid: identity.uuid_text("root filesystem"),
        label: label.filter(|_| image.filesystem.max_label_length().is_some()).map(str::to_owned),
        options: image.create_options.clone(),
        compression: image.squashfs_compression.clone(),
        entries: facts.measure.entries,
        epoch: identity.epoch,
    })
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host, helper } = context;
    let mut others = context.package_list(&plan.name)?;
    if let Some(config) = &plan.config {
        others.push(client_settings::create(config, &plan.name, workspace, host)?);
    }
    remove_build_files(tree)?;
    if let Some(esp) = plan.boot_code {
        grub2::carry(plan.content.filesystem, &plan.content.uuid, esp, tree, workspace, host)?;
    }
    tree.clamp_times(plan.content.epoch)?;
    let name = plan.name.to_string();
    let path = workspace.unfinished(&name);
    let stage = host.stage(
        StageTask::WriteFilesystem,
        format!("Writing the {} file system", plan.content.filesystem.keyword()),
    );
    let job = FilesystemJob { plan: &plan.content, tree, workspace, host, helper, stage: &stage };
    job.create(&path)?;
    stage.finish();
    if let Some(rule) = plan.most {
        let written = path.metadata().with_context(|| format!("reading {}", path.display()))?.len();
        size::refuse_larger(Bytes(written), rule)?;
    }
    let stage = host.stage(StageTask::ComputeDigests, "Checking sums");
    let (checksum, sums) = context.checksum(&plan.name, &path)?;
    stage.finish();
    let mut artifacts = vec![checksum];
    artifacts.extend(others);
    artifacts.push(match plan.compressed {
        false => Artifact { sha256: Some(sums.sha256), ..Artifact::new(Role::Image, name, path) },
        true => {
            let stage = host.stage(StageTask::Compress, "Compressing");
            let packed = artifact::compress(&path, &stage, host)?;
            stage.finish();
            Artifact::new(Role::Image, format!("{name}.gz"), packed)
        }
    });
    Ok(artifacts)
}
