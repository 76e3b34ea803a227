//! The boot image of a system: from the boot image description that its type names, or from the root tree itself.
//!
//! A boot image description is prepared and created like any other one, from the repositories of the system
//! (docs/formats/description.md), and gets `linuxrc` as `/init`.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use anyhow::{Context as _, Result};
use bootconfig::{BootConfig, Kind};
use description::{BootImage, Boots, DescriptionKind, ImageType, Iso, Selection};
use ondisk::Filesystem;

use super::inherited::inherit;
use super::locking::Locking;
use super::{Overrides, boot_program, boot_settings, cached_artifacts, images_script, load, prepare};
use crate::artifact::{Artifact, Role};
use crate::context::Context;
use crate::create::{BootImageFiles, TreeFacts};
use crate::debugging::Debugging;
use crate::failure::fail;
use crate::host::{Host, StageTask};
use crate::initrd;
use crate::kernel::Kernel;
use crate::prepare::{Decided, PrepareOptions, PreparePlan, Reuse};
use crate::record::Record;
use crate::root_tree::RootTree;
use crate::source::{Source, real};
use crate::stage::{Inputs, Stage};
use crate::workspace::Workspace;

/// A boot image that can be put into a disk, and those of its files that are published beside the disk.
pub(super) struct MadeBootImage {
    pub(super) files: BootImageFiles,
    pub(super) artifacts: Vec<Artifact>,
}

/// The source of a type's boot image.
pub(super) struct Wanted<'a> {
    pub(super) boot: Option<&'a BootImage>,
    filesystem: Filesystem,
}

/// Returns the boot image that the selection's type needs; `None` for types that do not boot.
pub(super) fn wanted(selection: &Selection) -> Option<Wanted<'_>> {
    let (boot, filesystem) = match selection.image_type.boots()? {
        Boots::Disk(disk) => (disk.boot.as_ref(), disk.filesystem),
        Boots::Usb(usb) => (usb.boot.as_ref(), usb.image.filesystem),
        Boots::Iso(live) => (live.boot.as_ref(), live.filesystem),
        Boots::Pxe(client) => (client.boot.as_ref(), client.image.filesystem),
        Boots::Xen(xen) => (Some(&xen.boot), xen.image.filesystem),
        Boots::Kis(kis) => (None, kis.image.as_ref().map_or(Filesystem::Ext4, |image| image.filesystem)),
    };
    Some(Wanted { boot, filesystem })
}

/// A boot image with its own description, as far as that and the repositories decide it.
pub(super) struct DecidedBoot {
    path: String,
    selection: Selection,
    plan: PreparePlan,
    decided: Decided,
    /// The plan of the package manager.
    tree: RootTree,
    workspace: Workspace,
    /// `None` if the system must be known first: such a boot image is made after the tree and is not cached.
    config: Option<BootConfig>,
    /// The description's boot menu for media.
    cdboot: Vec<(String, Vec<u8>)>,
    reuse: Reuse,
    /// Whether the boot image has its own stage in the cache.
    pub(super) kept: bool,
    /// The key of the stage `BootImage`.
    pub(super) inputs: Inputs,
    made: OnceLock<Vec<Artifact>>,
}

/// Reads the boot menu for media of a description.
fn cdboot(source: &Source) -> Result<Vec<(String, Vec<u8>)>> {
    let Some(directory) = source.find("cdboot")?.filter(|path| path.is_dir()) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for name in real::names(&directory)? {
        let path = source.files().follow(&directory.join(&name))?;
        if path.is_file() {
            files.push((name.to_string_lossy().into_owned(), real::read(&path)?));
        }
    }
    Ok(files)
}

/// Plans the boot image if the type names a description for it. `directory` is the system's description directory.
pub(super) fn decide(
    system: &Selection,
    directory: &Path,
    locking: &Locking,
    reuse: Reuse,
    workspace: &Workspace,
    context: &Context,
) -> Result<Option<DecidedBoot>> {
    let share = &context.share;
    let host = &context.host;
    let Some(wanted) = wanted(system) else { return Ok(None) };
    let Some(boot) = wanted.boot else { return Ok(None) };
    let config = boot_settings::of(system, None)?;
    let loaded = load::load_and_warn(&share.description(&boot.path)?, context)?;
    let mut selection = load::select(&loaded, &[], Some("cpio"), &Overrides::default(), host)
        .with_context(|| format!("choosing type cpio of the boot image {}", boot.path))?;
    if selection.kind != DescriptionKind::Boot {
        fail!(
            InvalidDescription,
            "boot=\"{}\" names a description of type \"system\"; a boot image has <description type=\"boot\">",
            boot.path
        );
    }
    inherit(&mut selection, system, directory);
    let preparing = || format!("preparing the boot image {}", boot.path);
    let mut plan = crate::prepare::plan(&selection, &loaded.source, PrepareOptions::default(), host)
        .with_context(preparing)?;
    let workspace = workspace.boot_image(host)?;
    let tree = RootTree::create(host, &workspace.root_tree())?;
    let kept = !reuse.off && context.cache()?.lasts() && config.is_some();
    let locking = locking.of_boot_image(&boot.path);
    let decided = prepare::decide(&mut plan, &locking, &tree, context).with_context(preparing)?;
    let mut inputs = Inputs::new(Stage::BootImage);
    inputs.after(&decided.tree);
    plan.image_inputs(&decided, &mut inputs)?;
    // The text that goes into the initrd: all settings, each once.
    inputs.value("the settings of the boot image", &config.as_ref().map(ToString::to_string))?;
    boot_program::add(share, &mut inputs)?;
    Ok(Some(DecidedBoot {
        path: boot.path.clone(),
        selection,
        plan,
        decided,
        tree,
        workspace,
        config,
        cdboot: cdboot(&loaded.source)?,
        reuse,
        kept,
        inputs,
        made: OnceLock::new(),
    }))
}

/// Makes the boot image that the selection's type needs; `None` for types that do not boot. One with its own description
/// was planned as `decided`.
pub(super) fn of(
    selection: &Selection,
    decided: Option<&DecidedBoot>,
    tree: &RootTree,
    record: &Record,
    workspace: &Workspace,
    context: &Context,
) -> Result<Option<MadeBootImage>> {
    let Some(wanted) = wanted(selection) else { return Ok(None) };
    let Some(config) = boot_settings::of(selection, Some(&record.identity()))? else { return Ok(None) };
    match decided {
        Some(decided) => {
            described(decided, &config, record.identity().epoch, tree, workspace, context).map(Some)
        }
        None => {
            if let ImageType::Iso(live) = &selection.image_type {
                check_persistent(live, tree)?;
            }
            from_tree(selection, wanted.filesystem, &config, tree, record, workspace, context).map(Some)
        }
    }
}

/// Returns an error if a stick with persistent data needs a program that the system does not have.
fn check_persistent(live: &Iso, tree: &RootTree) -> Result<()> {
    let Some(maker) = live.persistent.and_then(Filesystem::maker) else { return Ok(()) };
    let program = format!("sbin/{}", maker.programs[0]);
    if !tree.exists(&program) {
        fail!(
            Packages,
            "hybridpersistent needs /{program}, which the system does not have; add the package {}",
            maker.package
        );
    }
    Ok(())
}

fn from_tree(
    selection: &Selection,
    filesystem: Filesystem,
    config: &BootConfig,
    tree: &RootTree,
    record: &Record,
    workspace: &Workspace,
    context: &Context,
) -> Result<MadeBootImage> {
    let host = &context.host;
    let stage = host.stage(
        StageTask::MakeBootImage,
        format!("Making the boot image of the {} image", selection.image_type.keyword()),
    );
    let plan = initrd::plan(tree, filesystem, config, &selection.drivers, &record.identity())?;
    plan.warn_of_lacking(host);
    let file = workspace.initrd();
    initrd::create(&plan, tree, &context.share.linuxrc()?, &file, host)?;
    stage.finish();
    let files =
        BootImageFiles { initrd: file, kernel_version: plan.kernel.version.clone(), cdboot: Vec::new() };
    let artifacts = match selection.image_type.boots() {
        Some(Boots::Usb(_) | Boots::Pxe(_) | Boots::Xen(_)) => {
            beside(selection, &files, &plan.kernel, tree, workspace, host)?
        }
        Some(Boots::Disk(_) | Boots::Iso(_) | Boots::Kis(_)) | None => Vec::new(),
    };
    Ok(MadeBootImage { files, artifacts })
}

/// Returns boot image and kernel as files beside an image that does not contain them. They are named like those of a
/// boot image description: `initrd-<name>.<arch>-<version>`, and with `.kernel.<kver>` appended.
fn beside(
    selection: &Selection,
    files: &BootImageFiles,
    kernel: &Kernel,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let name = format!("initrd-{}", crate::create::image_name(selection));
    let kernel_name = format!("{name}.kernel.{}", kernel.version);
    let [initrd, image] = [&name, &kernel_name].map(|name| workspace.unfinished(name));
    host.copy_file(&files.initrd, &initrd).with_context(|| format!("writing {}", initrd.display()))?;
    host.write_file(&image, tree.read(&kernel.image)?)
        .with_context(|| format!("writing {}", image.display()))?;
    Ok(vec![Artifact::new(Role::Initrd, name, initrd), Artifact::new(Role::Kernel, kernel_name, image)])
}

/// Returns the boot image of a boot image description with the settings of this system. The boot image itself is made, and
/// cached, before the identity of the system is known.
fn described(
    boot: &DecidedBoot,
    config: &BootConfig,
    epoch: u64,
    system_tree: &RootTree,
    workspace: &Workspace,
    context: &Context,
) -> Result<MadeBootImage> {
    let path = &boot.path;
    let mut artifacts = boot.artifacts(config, context)?;
    if boot.config.as_ref().is_some_and(|known| known != config) {
        boot_settings::replace(&mut artifacts, config, epoch, workspace, &context.host)?;
    }
    let kernel_version = crate::create::kernel_of(&artifacts).with_context(|| {
        format!("the boot image {path} has no kernel; its description must install a kernel package")
    })?;
    if !system_tree.exists(format!("lib/modules/{kernel_version}")) {
        fail!(
            Packages,
            "the boot image {path} has kernel {kernel_version}, the system has {}: both must name the same kernel package",
            system_tree.list("lib/modules")?.join(", ")
        );
    }
    let initrd = crate::create::initrd_of(&artifacts)
        .with_context(|| format!("the boot image {path} has no initrd"))?
        .to_owned();
    let cdboot = boot.cdboot.clone();
    // A medium contains its boot image; no file of it is published.
    let artifacts = if config.kind == Kind::Iso { Vec::new() } else { artifacts };
    Ok(MadeBootImage { files: BootImageFiles { initrd, kernel_version, cdboot }, artifacts })
}

impl DecidedBoot {
    /// Makes the boot image in parallel with the system's tree, if it does not depend on that tree.
    pub(super) fn make_ahead(&self, context: &Context) -> Result<()> {
        match &self.config {
            Some(config) => self.artifacts(config, context).map(drop),
            None => Ok(()),
        }
    }

    /// Makes the boot image once.
    fn artifacts(&self, config: &BootConfig, context: &Context) -> Result<Vec<Artifact>> {
        if let Some(made) = self.made.get() {
            return Ok(made.clone());
        }
        let known = match self.kept {
            true => cached_artifacts::restore::<()>(&self.inputs, &self.workspace, context)?,
            false => None,
        };
        let artifacts = match known {
            Some((artifacts, ())) => artifacts,
            None => self.make(config, context)?,
        };
        Ok(self.made.get_or_init(|| artifacts).clone())
    }

    fn make(&self, config: &BootConfig, context: &Context) -> Result<Vec<Artifact>> {
        let host = &context.host;
        let Self { path, selection, plan, decided, tree, workspace, reuse, inputs, .. } = self;
        let began = Instant::now();
        let prepared = crate::prepare::make(plan, decided, tree, *reuse, context)
            .with_context(|| format!("preparing the boot image {path}"))?;
        prepare::report(&prepared.record.secrets, host);
        let record = &prepared.record;
        let artifacts = create_boot_image(tree, selection, record, Some(config), workspace, context)
            .with_context(|| format!("creating the boot image {path}"))?;
        if self.kept {
            let image = selection.name.to_string();
            cached_artifacts::save(inputs, &image, &artifacts, || Ok(()), began.elapsed(), context)?;
        }
        Ok(artifacts)
    }

    /// Adds the artifacts of a boot image to those of an image.
    pub(super) fn inputs(&self, inputs: &mut Inputs) {
        inputs.after(&self.inputs);
    }
}

/// Returns the artifacts of a prepared boot tree: the initrd and its kernel.
pub(super) fn create_boot_image(
    tree: &RootTree,
    selection: &Selection,
    record: &Record,
    config: Option<&BootConfig>,
    workspace: &Workspace,
    context: &Context,
) -> Result<Vec<Artifact>> {
    let share = &context.share;
    let host = &context.host;
    let layered = workspace.layered(tree, host)?;
    images_script::run(&layered, &Debugging::default(), host)?;
    let kind = described_kind(selection);
    let modules = match kind {
        Kind::Install => vec!["isofs".to_owned()],
        Kind::Vmx | Kind::Oem | Kind::Usb | Kind::Iso | Kind::Netboot => Vec::new(),
    };
    let verify_key = selection.verify_key.clone();
    if verify_key.is_some() && kind != Kind::Netboot {
        fail!(
            Usage,
            "--verify-key is for boot images of network clients (netboot), and {} is none",
            selection.name
        );
    }
    let own = BootConfig { modules, verify_key, ..BootConfig::new(kind) };
    initrd::furnish(&layered, config.unwrap_or(&own), &share.linuxrc()?)?;
    let identity = record.identity();
    let facts = TreeFacts::of(&layered, None, &[])?;
    let plan = crate::create::plan(selection, &facts, &identity)?;
    crate::create::create(&plan, selection, &layered, workspace, host)
}

/// Returns the kind of a boot image description by its name, such as `initrd-vmxboot-debian-12`.
fn described_kind(selection: &Selection) -> Kind {
    let named = |keyword: &str| selection.name.as_str().contains(keyword);
    if named("oemboot") {
        Kind::Oem
    } else if named("usbboot") || named("xenboot") {
        Kind::Usb
    } else if named("isoboot") {
        Kind::Iso
    } else if named("isoinstboot") {
        Kind::Install
    } else if named("netboot") {
        Kind::Netboot
    } else {
        Kind::Vmx
    }
}
