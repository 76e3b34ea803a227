//! The boot image of a system: from the boot description its type names, or from the system tree itself.
//!
//! A boot description is one more description: it is prepared and created like any other, from the repositories of
//! the system (spec/kiwi-1.4, 2.7.8), and gets our `linuxrc` as `/init`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use bootconfig::{BootConfig, Kind};
use description::{
    BootImage, DescriptionKind, Filesystem, ImageType, Iso, Repository, RepositoryStatus, Selection,
    SourcePath,
};

use super::load::Loaded;
use super::{Overrides, load, prepare};
use crate::artifact::{Artifact, Role};
use crate::host::Host;
use crate::identity::Identity;
use crate::initrd;
use crate::kernel::Kernel;
use crate::logical::{self, BootFiles, TreeFacts};
use crate::media::iso;
use crate::physical::Manner;
use crate::record::Record;
use crate::root_tree::RootTree;
use crate::share::Share;
use crate::workspace::Workspace;

/// A boot image, ready to be put into a disk, and what of it is published beside the disk.
pub(super) struct Made {
    pub(super) files: BootFiles,
    pub(super) artifacts: Vec<Artifact>,
}

/// Makes the boot image the selection's type needs; none for types that are not booted.
pub(super) fn of(
    selection: &Selection,
    tree: &RootTree,
    system: &Loaded,
    record: &Record,
    share: &Share,
    workspace: &Workspace,
    host: &Host,
) -> Result<Option<Made>> {
    let (boot, filesystem, grow) = match &selection.image_type {
        ImageType::Disk(disk) => (disk.boot.as_ref(), disk.filesystem, disk.resize),
        ImageType::Usb(usb) => (usb.boot.as_ref(), usb.image.filesystem, true),
        ImageType::Iso(live) => (live.boot.as_ref(), live.filesystem, false),
        ImageType::Filesystem(_)
        | ImageType::Cpio
        | ImageType::Tbz
        | ImageType::Xen(_)
        | ImageType::Pxe(_)
        | ImageType::Split(_) => return Ok(None),
    };
    let config = match &selection.image_type {
        ImageType::Iso(live) => {
            if boot.is_none() {
                check_persistent(live, tree)?;
            }
            live_config(live, &record.identity())
        }
        _ => BootConfig { grow, ..boot_config(kind_of(selection), filesystem) },
    };
    match boot {
        Some(boot) => {
            described(boot, &config, selection, tree, system, record, share, workspace, host).map(Some)
        }
        None => from_tree(selection, filesystem, &config, tree, record, share, workspace, host).map(Some),
    }
}

fn kind_of(selection: &Selection) -> Kind {
    match &selection.image_type {
        ImageType::Disk(disk) if disk.word == description::DiskWord::Oem => Kind::Oem,
        ImageType::Usb(_) => Kind::Usb,
        _ => Kind::Vmx,
    }
}

/// A stick that keeps what is written needs the program that makes its file system; it is missed now, not at the boot.
fn check_persistent(live: &Iso, tree: &RootTree) -> Result<()> {
    let (program, package) = match live.persistent {
        Some(Filesystem::Xfs) => ("sbin/mkfs.xfs", "xfsprogs"),
        Some(_) => ("sbin/mke2fs", "e2fsprogs"),
        None => return Ok(()),
    };
    if !tree.exists(program) {
        bail!(
            "hybridpersistent needs /{program} in the system, and it is not there; add the package {package}"
        );
    }
    Ok(())
}

/// What the boot image of a live medium is told: which medium is its own, and what mounting it takes.
fn live_config(live: &Iso, identity: &Identity) -> BootConfig {
    let needed = ["isofs", "loop", "overlay", live.filesystem.word()];
    let kept = live.persistent.filter(|filesystem| *filesystem != Filesystem::Ext4);
    BootConfig {
        medium: Some(iso::uuid_of(identity)),
        modules: needed.into_iter().chain(kept.map(Filesystem::word)).map(str::to_owned).collect(),
        ..BootConfig::new(Kind::Iso)
    }
}

fn boot_config(kind: Kind, filesystem: Filesystem) -> BootConfig {
    BootConfig { filesystem: bootconfig::Filesystem::parse(filesystem.word()), ..BootConfig::new(kind) }
}

#[expect(clippy::too_many_arguments, reason = "a boot image is a whole build inside a build")]
fn from_tree(
    selection: &Selection,
    filesystem: Filesystem,
    config: &BootConfig,
    tree: &RootTree,
    record: &Record,
    share: &Share,
    workspace: &Workspace,
    host: &Host,
) -> Result<Made> {
    let stage = host.stage("Making the boot image from the root tree");
    let plan = initrd::plan(tree, filesystem, config, &record.identity())?;
    let file = workspace.initrd();
    initrd::create(&plan, tree, &share.linuxrc()?, &file, host)?;
    stage.finish();
    let files = BootFiles { initrd: file, kernel_version: plan.kernel.version.clone(), cdboot: None };
    let artifacts = match config.kind {
        Kind::Usb => beside(selection, &files, &plan.kernel, tree, workspace, host)?,
        Kind::Vmx | Kind::Oem | Kind::Iso => Vec::new(),
    };
    Ok(Made { files, artifacts })
}

/// Boot image and kernel as files of their own, for a system that does not carry them itself. They are named as those
/// of a boot description are: `initrd-<name>.<arch>-<version>` and `.kernel.<kver>` behind it.
fn beside(
    selection: &Selection,
    files: &BootFiles,
    kernel: &Kernel,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let name = format!("initrd-{}", logical::image_name(selection));
    let kernel_name = format!("{name}.kernel.{}", kernel.version);
    let [initrd, image] = [&name, &kernel_name].map(|name| workspace.unfinished(name));
    host.copy_file(&files.initrd, &initrd).with_context(|| format!("writing {}", initrd.display()))?;
    host.write_file(&image, tree.read(&kernel.image)?)
        .with_context(|| format!("writing {}", image.display()))?;
    Ok(vec![Artifact::new(Role::Initrd, name, initrd), Artifact::new(Role::Kernel, kernel_name, image)])
}

#[expect(clippy::too_many_arguments, reason = "a boot image is a whole build inside a build")]
fn described(
    boot: &BootImage,
    config: &BootConfig,
    system_selection: &Selection,
    system_tree: &RootTree,
    system: &Loaded,
    record: &Record,
    share: &Share,
    workspace: &Workspace,
    host: &Host,
) -> Result<Made> {
    let mut loaded = load::load_and_warn(&share.description(&boot.path)?, share, host)?;
    loaded.locking = system.locking.of_boot_image(&boot.path);
    let mut selection = load::select(&loaded, &[], Some("cpio"), &Overrides::default())
        .with_context(|| format!("choosing type cpio of the boot image {}", boot.path))?;
    if selection.kind != DescriptionKind::Boot {
        bail!(
            "boot=\"{}\" names a description of type \"system\"; a boot image has <description type=\"boot\">",
            boot.path
        );
    }
    let folder = record.description.as_deref().unwrap_or(system.source.folder());
    selection.repositories = foreign(&selection.repositories, &system_selection.repositories, folder);
    let boot_workspace = workspace.boot_image(host)?;
    let tree = RootTree::create(host, &boot_workspace.root_tree())?;
    let prepared = prepare::tree_of(&loaded, &selection, Manner::default(), &tree, host)
        .with_context(|| format!("preparing the boot image {}", boot.path))?;
    let artifacts =
        create_boot_image(&tree, &selection, &prepared.record, Some(config), share, &boot_workspace, host)
            .with_context(|| format!("creating the boot image {}", boot.path))?;
    let kernel_version = logical::kernel_of(&artifacts)
        .with_context(|| format!("the boot image {} has no kernel; its packages must name one", boot.path))?;
    if !system_tree.exists(format!("lib/modules/{kernel_version}")) {
        bail!(
            "the boot image {} has kernel {kernel_version}, the system has {}: both must name the same kernel package",
            boot.path,
            system_tree.list("lib/modules")?.join(", ")
        );
    }
    let initrd = logical::initrd_of(&artifacts)
        .with_context(|| format!("the boot image {} has no initrd", boot.path))?
        .to_owned();
    let cdboot = loaded.source.find("cdboot");
    // A medium carries its boot image; nothing of it lies beside it.
    let artifacts = if config.kind == Kind::Iso { Vec::new() } else { artifacts };
    Ok(Made { files: BootFiles { initrd, kernel_version, cdboot }, artifacts })
}

/// The artifacts of a prepared boot tree: the initrd and its kernel.
pub(super) fn create_boot_image(
    tree: &RootTree,
    selection: &Selection,
    record: &Record,
    config: Option<&BootConfig>,
    share: &Share,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let layered = workspace.layered(tree, host)?;
    super::create::run_images_sh(&layered, host)?;
    let own = BootConfig { grow: true, ..BootConfig::new(described_kind(selection)) };
    initrd::furnish(&layered, config.unwrap_or(&own), &share.linuxrc()?)?;
    let identity = record.identity();
    let plan = logical::plan(selection, &TreeFacts::of(&layered, None)?, &identity)?;
    logical::create(&plan, &layered, workspace, host)
}

/// The kind of a boot description by its name, as in `initrd-vmxboot-debian-12`.
fn described_kind(selection: &Selection) -> Kind {
    let named = |word: &str| selection.name.as_str().contains(word);
    if named("oemboot") {
        Kind::Oem
    } else if named("usbboot") {
        Kind::Usb
    } else if named("isoboot") {
        Kind::Iso
    } else {
        Kind::Vmx
    }
}

/// The repositories of a boot image: its own fixed ones first, then the system's in place of the replaceable ones.
/// What the system says relative to its description becomes absolute.
fn foreign(own: &[Repository], system: &[Repository], folder: &Path) -> Vec<Repository> {
    let kept = own.iter().filter(|repository| repository.status == RepositoryStatus::Fixed).cloned();
    let replaceable = own.iter().any(|repository| repository.status == RepositoryStatus::Replaceable);
    let taken = system.iter().filter(|repository| replaceable && !repository.image_only).map(|repository| {
        let source = match &repository.source {
            SourcePath::This(path) => SourcePath::Local(folder.join(path).display().to_string()),
            other => other.clone(),
        };
        Repository { source, in_image: false, ..repository.clone() }
    });
    kept.chain(taken).collect()
}
