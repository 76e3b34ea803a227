//! The create step: images from a root tree. Each image type has one file with a plan and its execution.

mod boot_script;
mod client_settings;
mod container;
mod cpio;
mod disk;
mod disk_volumes;
mod exclusions;
mod filesystem;
mod first_boot;
mod install_settings;
mod iso;
mod kis;
mod size;
mod split;
mod tbz;
mod two_parts;
mod xen;

pub use exclusions::apply as exclude_files;
pub use first_boot::is_oemboot_of_kiwi_1x;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::{ImageName, Storage};
use description::{Boots, DiskFormat, ImageType, Selection};
use ondisk::Filesystem;

use crate::artifact::{Artifact, Role, Sums};
use crate::disk::storage::{Carrier, bare, carried};
use crate::filesystem::Helper;
use crate::host::Host;
use crate::identity::Identity;
use crate::root_tree::{DESCRIPTION, Measure, RootTree};
use crate::workspace::Workspace;

/// A finished boot image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootImageFiles {
    /// The initrd.
    pub initrd: PathBuf,
    /// The kernel of the boot image, which the system tree contains, too.
    pub kernel_version: String,
    /// The files of the directory `cdboot` of its description: name and content, sorted.
    pub cdboot: Vec<(String, Vec<u8>)>,
}

/// The facts about a tree that a plan needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFacts {
    /// The content, without that of `parts`.
    pub measure: Measure,
    /// The content of each mount point that gets a file system of its own, without that of mount points below it.
    pub parts: BTreeMap<String, Measure>,
    /// The boot image, for types that boot.
    pub boot: Option<BootImageFiles>,
}

impl TreeFacts {
    /// Measures a tree of which `mount_points` get file systems of their own.
    pub fn of(tree: &RootTree, boot: Option<BootImageFiles>, mount_points: &[String]) -> Result<Self> {
        let mut measure = tree.measure()?;
        let mut parts: BTreeMap<String, Measure> = BTreeMap::new();
        let mut children_first: Vec<&String> = mount_points.iter().collect();
        children_first.sort_by_key(|path| std::cmp::Reverse(path.len()));
        for path in children_first {
            let mut own = match tree.exists(path) {
                true => tree.subtree(path)?.measure()?,
                false => Measure::default(),
            };
            let below = parts.iter().filter(|(other, _)| other.starts_with(&format!("{path}/")));
            below.for_each(|(_, other)| own = own.without(other));
            measure = measure.without(&own);
            parts.insert(path.clone(), own);
        }
        Ok(Self { measure, parts, boot })
    }
}

/// Returns the mount points of the type that get file systems of their own.
pub fn mount_points(selection: &Selection) -> Result<Vec<String>> {
    match selection.image_type.boots() {
        Some(Boots::Disk(disk)) => disk::mount_points(disk),
        Some(Boots::Usb(_) | Boots::Iso(_) | Boots::Pxe(_) | Boots::Kis(_) | Boots::Xen(_)) | None => {
            Ok(Vec::new())
        }
    }
}

/// Returns the storage of the disk with the system, for its boot image; none for types whose disk is not known. The UUIDs of a
/// disk image follow from `identity`.
pub fn storage(selection: &Selection, identity: Option<&Identity>) -> Result<Option<Storage>> {
    let table = match selection.image_type.boots() {
        Some(Boots::Disk(disk)) => first_boot::storage(disk, selection, identity)?,
        Some(Boots::Usb(usb)) => carried(Some(usb.image.filesystem), Carrier::Stick),
        Some(Boots::Kis(kis)) => bare(kis.image.as_ref().map(|image| image.filesystem)),
        Some(Boots::Xen(xen)) => bare(Some(xen.image.filesystem)),
        Some(Boots::Iso(_) | Boots::Pxe(_)) | None => return Ok(None),
    };
    Ok(Some(Storage::of(table)))
}

/// The plan of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImagePlan {
    /// One file system.
    Filesystem(Box<filesystem::Plan>),
    /// An initrd and its kernel.
    Cpio(cpio::Plan),
    /// A compressed archive.
    Tbz(tbz::Plan),
    /// A virtual disk.
    Disk(Box<disk::Plan>),
    /// Two file systems.
    Split(Box<split::Plan>),
    /// A live medium.
    Iso(Box<iso::Plan>),
    /// Kernel, initrd and system.
    Kis(Box<kis::Plan>),
    /// A guest of Xen.
    Xen(Box<xen::Plan>),
    /// A container image.
    Container(Box<container::Plan>),
}

/// Fails for a type that this version cannot create, before anything is built.
pub fn check(selection: &Selection) -> Result<()> {
    match &selection.image_type {
        ImageType::Disk(disk) => {
            disk::check(disk)?;
            first_boot::storage(disk, selection, None).map(drop)
        }
        ImageType::Usb(usb) => crate::filesystem::refuse_to_start(usb.image.filesystem),
        ImageType::Pxe(client) => {
            filesystem::check_boot_code(client, selection)?;
            crate::filesystem::refuse_to_start(client.image.filesystem)
        }
        ImageType::Kis(kis) => {
            kis.image.as_ref().map_or(Ok(()), |image| crate::filesystem::refuse_to_start(image.filesystem))
        }
        ImageType::Filesystem(_) | ImageType::Cpio | ImageType::Tbz | ImageType::Container(_) => Ok(()),
        ImageType::Iso(live) => crate::media::iso::check(live.bootloader.name, live.firmware),
        ImageType::Split(split) => crate::filesystem::refuse_to_start(split.read_write),
        ImageType::Xen(xen) => crate::filesystem::refuse_to_start(xen.image.filesystem),
    }
}

/// Returns the file systems of the type that are filled with the tree or a part of it.
fn filesystems(image_type: &ImageType) -> Vec<Filesystem> {
    match image_type {
        ImageType::Filesystem(image) => vec![image.filesystem],
        ImageType::Disk(disk) => disk::filesystems(disk),
        ImageType::Usb(usb) => vec![usb.image.filesystem],
        ImageType::Pxe(client) => vec![client.image.filesystem],
        ImageType::Kis(kis) => kis.image.iter().map(|image| image.filesystem).collect(),
        ImageType::Split(split) => vec![split.read_write, split.read_only],
        ImageType::Xen(xen) => vec![xen.image.filesystem],
        // Those of a medium are read-only, and its overlay is made by the machine.
        ImageType::Iso(_) | ImageType::Cpio | ImageType::Tbz | ImageType::Container(_) => Vec::new(),
    }
}

/// Returns whether only a kernel can fill a file system of the type.
pub fn needs_helper(image_type: &ImageType) -> bool {
    filesystems(image_type)
        .into_iter()
        .any(|filesystem| crate::filesystem::mounted_with(filesystem).is_some())
}

/// Returns the host programs that this type needs, so that a missing one is reported before the work starts.
pub fn programs(image_type: &ImageType) -> Vec<&'static str> {
    match image_type {
        ImageType::Filesystem(image) => crate::filesystem::programs(image.filesystem).to_vec(),
        ImageType::Cpio | ImageType::Container(_) => Vec::new(),
        ImageType::Tbz => vec!["bash", "tar", "xz"],
        ImageType::Disk(disk) => {
            let mut programs: Vec<&str> = Vec::new();
            for program in disk::filesystems(disk).into_iter().flat_map(crate::filesystem::programs) {
                if !programs.contains(program) {
                    programs.push(program);
                }
            }
            programs.extend(crate::bootloader::selected::programs(disk.bootloader.name, disk.firmware));
            if disk.formats() != [DiskFormat::Raw] {
                programs.push("qemu-img");
            }
            programs
        }
        ImageType::Usb(usb) => crate::filesystem::programs(usb.image.filesystem).to_vec(),
        ImageType::Iso(live) => iso::programs(live),
        ImageType::Pxe(client) => {
            let code = crate::bootloader::grub2::programs(description::Firmware::BiosAndUefi);
            [crate::filesystem::programs(client.image.filesystem), code].concat()
        }
        ImageType::Kis(kis) => {
            let filesystem = kis.image.as_ref().map(|image| image.filesystem);
            filesystem.map_or_else(Vec::new, |filesystem| crate::filesystem::programs(filesystem).to_vec())
        }
        ImageType::Split(split) => split::programs(split),
        ImageType::Xen(xen) => crate::filesystem::programs(xen.image.filesystem).to_vec(),
    }
}

/// Plans the image.
pub fn plan(selection: &Selection, facts: &TreeFacts, identity: &Identity) -> Result<ImagePlan> {
    check(selection)?;
    let name = image_name(selection);
    let in_one_file = |image, name| -> Result<ImagePlan> {
        Ok(ImagePlan::Filesystem(Box::new(filesystem::plan(image, None, selection, name, facts, identity)?)))
    };
    Ok(match &selection.image_type {
        ImageType::Filesystem(image) => in_one_file(image, name)?,
        // `boot-stick` combines it with the boot image, which is built beside it.
        ImageType::Usb(usb) => in_one_file(&usb.image, name)?,
        ImageType::Cpio => ImagePlan::Cpio(cpio::plan(name, identity)),
        ImageType::Tbz => ImagePlan::Tbz(tbz::plan(name, identity)),
        ImageType::Disk(disk) => {
            ImagePlan::Disk(Box::new(disk::plan(disk, selection, name, facts, identity)?))
        }
        ImageType::Iso(live) => ImagePlan::Iso(Box::new(iso::plan(live, selection, name, facts, identity)?)),
        ImageType::Container(image) => {
            ImagePlan::Container(Box::new(container::plan(image, selection, name, identity)))
        }
        ImageType::Pxe(client) => {
            let plan = filesystem::plan(&client.image, Some(client), selection, name, facts, identity)?;
            ImagePlan::Filesystem(Box::new(plan))
        }
        ImageType::Kis(kis) => ImagePlan::Kis(Box::new(kis::plan(kis, selection, name, facts, identity)?)),
        ImageType::Split(split) => {
            ImagePlan::Split(Box::new(split::plan(split, selection, name, facts, identity)?))
        }
        ImageType::Xen(xen) => ImagePlan::Xen(Box::new(xen::plan(xen, selection, name, facts, identity)?)),
    })
}

/// Creates the image. `tree` is a layer of its own, to which the files are added that the image needs besides the tree.
pub fn create(
    plan: &ImagePlan,
    selection: &Selection,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let (filesystems, named) = (filesystems(&selection.image_type), selection.helper_kernel.as_deref());
    let helper = Helper::prepare(&filesystems, named, tree, workspace, host)?;
    let context = ImageContext { tree, workspace, host, helper: helper.as_ref() };
    match plan {
        ImagePlan::Filesystem(plan) => filesystem::create(plan, context),
        ImagePlan::Cpio(plan) => cpio::create(plan, context),
        ImagePlan::Tbz(plan) => tbz::create(plan, context),
        ImagePlan::Disk(plan) => disk::create(plan, context),
        ImagePlan::Iso(plan) => iso::create(plan, context),
        ImagePlan::Split(plan) => split::create(plan, context),
        ImagePlan::Kis(plan) => kis::create(plan, context),
        ImagePlan::Xen(plan) => xen::create(plan, context),
        ImagePlan::Container(plan) => container::create(plan, context),
    }
}

/// What an image is made from and where its files go.
#[derive(Clone, Copy)]
struct ImageContext<'a> {
    tree: &'a RootTree,
    workspace: &'a Workspace,
    host: &'a Host,
    /// The kernel that fills file systems that no program fills.
    helper: Option<&'a Helper>,
}

impl ImageContext<'_> {
    /// Writes `N.packages` from the list in the tree, before the description is removed.
    fn package_list(self, name: &ImageName) -> Result<Vec<Artifact>> {
        let list = format!("{DESCRIPTION}/packages");
        if !self.tree.exists(&list) {
            return Ok(Vec::new());
        }
        let file = format!("{name}.packages");
        let path = self.workspace.unfinished(&file);
        let writing = || format!("cannot write {}", path.display());
        self.host.write_file(&path, self.tree.read(&list)?).with_context(writing)?;
        Ok(vec![Artifact::new(Role::PackageList, file, path)])
    }

    /// Writes `N.md5` for a finished file; returns it, and the checksums of the file.
    fn checksum(self, name: &ImageName, path: &Path) -> Result<(Artifact, Sums)> {
        let sums = Sums::of(path, self.host)?;
        let file = name.checksum_file();
        let sum_path = self.workspace.unfinished(&file);
        let writing = || format!("cannot write {}", sum_path.display());
        self.host.write_file(&sum_path, sums.md5.to_string()).with_context(writing)?;
        Ok((Artifact::new(Role::Checksum, file, sum_path), sums))
    }
}

/// Returns the kernel version of a boot image, from the name of its kernel file.
pub fn kernel_of(artifacts: &[Artifact]) -> Option<String> {
    let kernel = artifacts.iter().find(|artifact| artifact.role == Role::Kernel)?;
    kernel.name.split_once(".kernel.").map(|(_, version)| version.to_owned())
}

/// Returns the initrd among the files of a boot image.
pub fn initrd_of(artifacts: &[Artifact]) -> Option<&Path> {
    artifacts.iter().find(|artifact| artifact.role == Role::Initrd).map(|artifact| artifact.path.as_path())
}

/// Returns `<name>.<arch>-<version>`, or `<name>-<part>.<arch>-<version>` if the selection names a part.
pub fn image_name(selection: &Selection) -> ImageName {
    let name = base_name(selection);
    ImageName::new(&name, selection.architecture.machine(), selection.version.as_str())
}

/// Returns the name of the description, with the part that distinguishes builds of it.
pub fn base_name(selection: &Selection) -> String {
    let part = selection.name_part.iter().map(|part| format!("-{part}"));
    [selection.name.to_string()].into_iter().chain(part).collect()
}

/// Returns the kernel parameters for the consoles of a disk.
pub fn console_parameters(disk: &description::Disk) -> Vec<&'static str> {
    crate::bootloader::console::parameters(&disk.bootloader)
}

/// Removes the files that an image does not contain: the description and the files made for its scripts.
fn remove_build_files(tree: &RootTree) -> Result<()> {
    for path in [DESCRIPTION, ".profile", ".kconfig"] {
        tree.remove(path)?;
    }
    Ok(())
}
