//! A hybrid ISO 9660 image: one file that boots from a CD and from a stick, by BIOS and by UEFI.
//!
//! ```text
//! files of the caller + ISOLINUX (BIOS) + GRUB on a FAT image (UEFI) + the medium's marker file -> xorriso -> assembly
//! ```
//!
//! ```text
//! sector 0     isohybrid MBR; partition 1: the ISO, from sector 64 on with its own descriptors, so that it can be
//!              mounted while a later partition of the stick is; partition 2: the FAT image for UEFI
//! /boot/UUID   the marker file by which GRUB finds its medium; the volume set id does the same for linuxrc
//! /boot/isolinux, /boot/grub, /boot/ARCH/loader
//! ```
//!
//! xorriso reads the files from where they are, without a copy; kiwi writes the large ones itself (`assembly`).
//! Times are those of the build.

mod assembly;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};
use description::{BootloaderName, Firmware};
use ondisk::Bytes;

use self::assembly::LargeFiles;
use crate::bootloader::esp::{self, EspPlan};
use crate::bootloader::medium_menu::MediumMenu;
use crate::bootloader::platform::Platform;
use crate::bootloader::signed::SignedPrograms;
use crate::bootloader::{grub2, isolinux, selected};
use crate::failure::fail;
use crate::host::Host;
use crate::identity::Identity;
use crate::workspace::Workspace;

/// The directory of kernel, initrd and boot loader configuration on a medium.
pub const LOADER: &str = "/boot/x86_64/loader";

/// A medium to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsoPlan {
    /// Its title: at most 32 characters.
    pub volume_id: String,
    /// The program that made it.
    pub application_id: String,
    /// Its publisher.
    pub publisher: String,
    /// The firmware that boots it.
    pub firmware: Firmware,
    /// Signed programs that start it by UEFI; none: a GRUB that is made here.
    signed: Option<SignedPrograms>,
    /// The boot menu.
    pub menu: MediumMenu,
    /// The identifier for linuxrc and GRUB.
    pub uuid: String,
    esp_id: u32,
    epoch: u64,
}

/// A file or directory of the host and its path on the medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graft {
    /// Absolute path on the medium.
    pub location: String,
    /// Path on the host.
    pub source: PathBuf,
}

impl Graft {
    /// Maps `source` to `location`.
    pub fn new(location: impl Into<String>, source: impl Into<PathBuf>) -> Self {
        Self { location: location.into(), source: source.into() }
    }
}

/// A file that is written directly to its offset on the medium, which saves a copy.
pub struct InPlace<'a> {
    /// Absolute path on the medium.
    pub location: String,
    /// Writes the file to the file of this path, from this byte on; may be called again.
    pub write: &'a dyn Fn(&Path, u64) -> Result<()>,
}

/// Decides the contents of the medium; `uuid_of` returns its UUID for an identity.
pub fn plan(menu: MediumMenu, volume_id: &str, firmware: Firmware, identity: &Identity) -> IsoPlan {
    IsoPlan {
        volume_id: volume_id.to_owned(),
        application_id: String::new(),
        publisher: String::new(),
        firmware,
        signed: None,
        menu,
        uuid: uuid_of(identity),
        esp_id: identity.number("medium esp"),
        epoch: identity.epoch,
    }
}

impl IsoPlan {
    /// Returns the plan with these signed programs for UEFI, if there are some.
    pub fn started_by(self, signed: Option<SignedPrograms>) -> Self {
        Self { signed, ..self }
    }
}

/// Returns the UUID of the medium of this build, which the boot image needs before the medium exists.
pub fn uuid_of(identity: &Identity) -> String {
    identity.uuid_text("medium")
}

/// Returns the host programs that make a medium.
pub fn programs(loader: BootloaderName, firmware: Firmware) -> Vec<&'static str> {
    [&["xorriso"], selected::programs(loader, firmware)].concat()
}

/// Checks that the boot loaders are installed, before any work.
pub fn check(loader: BootloaderName, firmware: Firmware) -> Result<()> {
    if firmware != Firmware::Uefi {
        isolinux::Installed::find()?;
        // It starts the next disk.
        grub2::check(Platform::Pc)?;
    }
    if firmware != Firmware::Bios {
        selected::check(loader, Platform::Efi64)?;
    }
    Ok(())
}

/// Returns the caller's files, and those of the boot loader where the caller has none.
pub fn with_boot_files(
    plan: &IsoPlan,
    grafts: &[Graft],
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Graft>> {
    Ok(joined(grafts, own_files(plan, workspace, host)?))
}

/// Writes the medium with these files, those of the boot loader among them, to the file `output`; returns its SHA-256 in
/// lower-case hex. `devices` stand in for device nodes.
pub fn create(
    plan: &IsoPlan,
    grafts: &[Graft],
    devices: &[PathBuf],
    in_place: Option<&InPlace<'_>>,
    output: &Path,
    workspace: &Workspace,
    host: &Host,
) -> Result<String> {
    let mut grafts = grafts.to_vec();
    let stand_in = workspace.scratch_file("medium-stand-in");
    let large = LargeFiles::of(&mut grafts, in_place, &stand_in, (&plan.uuid, plan.epoch), host)?;
    let partition = match plan.firmware {
        Firmware::Bios => None,
        Firmware::Uefi | Firmware::BiosAndUefi => Some(system_partition(plan, workspace, host)?),
    };
    let directories = directories(&grafts, plan.epoch, workspace, host)?;
    grafts.insert(0, Graft::new("/", directories));
    let arguments = arguments(plan, &grafts, &large, partition.as_deref())?;
    let xorriso = || {
        let xorriso =
            host.command("xorriso").env("SOURCE_DATE_EPOCH", plan.epoch.to_string()).env("TZ", "UTC");
        Ok(xorriso.args(&arguments).shows_devices(devices.to_vec()))
    };
    assembly::write(xorriso, large, partition.as_deref(), output, host)
}

/// Returns the arguments of xorriso.
fn arguments(
    plan: &IsoPlan,
    grafts: &[Graft],
    large: &LargeFiles<'_>,
    partition: Option<&Path>,
) -> Result<Vec<OsString>> {
    let mut arguments = Vec::new();
    let mut add = |more: &[&str]| arguments.extend(more.iter().map(OsString::from));
    add(&["-as", "mkisofs", "-quiet", "-iso-level", "3", "-rock", "-joliet", "-joliet-long"]);
    add(&["-hide-joliet", "read-only-system", "-hide-joliet", "boot.catalog"]);
    add(&["-volid", &plan.volume_id, "-volset", &plan.uuid, "-appid", &plan.application_id]);
    add(&["-publisher", &plan.publisher, "-preparer", "kiwi", "-sysid", "LINUX", "-partition_offset", "16"]);
    add(&["-output", "-", "-eltorito-catalog", "boot/boot.catalog"]);
    if plan.firmware != Firmware::Uefi {
        let mbr = isolinux::Installed::find()?.hybrid_mbr;
        add(&["-isohybrid-mbr", &mbr.to_string_lossy(), "-eltorito-boot", isolinux::PROGRAM]);
        add(&["-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"]);
    }
    if let Some(partition) = partition {
        if plan.firmware != Firmware::Uefi {
            add(&["-eltorito-alt-boot"]);
        }
        add(&["-append_partition", "2", "0xef", &partition.to_string_lossy()]);
        add(&["-e", "--interval:appended_partition_2:all::", "-no-emul-boot"]);
    }
    arguments.extend(large.weights().map(OsString::from));
    arguments.push("-graft-points".into());
    arguments.extend(grafts.iter().map(|graft| grafted(graft).into()));
    Ok(arguments)
}

/// Like `create`, with a script of the description: `sh SCRIPT TREE OUTPUT`, where TREE holds the files of the medium
/// (docs/formats/media.md). Its output is used unchanged: no UEFI, no stick and no checksum are added.
pub fn create_by_script(
    plan: &IsoPlan,
    script: &Path,
    grafts: &[Graft],
    devices: &[PathBuf],
    output: &Path,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    let tree = workspace.scratch_file("medium-tree");
    lay_out(grafts, &tree, workspace, host)?;
    host.command("sh")
        .arg(script)
        .arg(&tree)
        .arg(output)
        .env("SOURCE_DATE_EPOCH", plan.epoch.to_string())
        .writable(workspace.scratch())
        .writable(workspace.out())
        .shows_devices(devices.to_vec())
        .run()
        .context("running isolinux.sh")?;
    if !output.is_file() {
        fail!(ScriptFailed, "isolinux.sh succeeded without writing {}", output.display());
    }
    Ok(())
}

/// Copies the files of a medium to a directory of the workspace.
pub fn lay_out(grafts: &[Graft], tree: &Path, workspace: &Workspace, host: &Host) -> Result<()> {
    for graft in grafts {
        let location = tree.join(graft.location.trim_start_matches('/'));
        let directory =
            if graft.source.is_dir() { location.as_path() } else { location.parent().unwrap_or(tree) };
        host.create_directories(directory).with_context(|| format!("creating {}", directory.display()))?;
        let source = if graft.source.is_dir() { graft.source.join(".") } else { graft.source.clone() };
        host.command("cp")
            .args(["--archive", "--reflink=auto", "--no-target-directory"])
            .arg(source)
            .arg(&location)
            .writable(workspace.scratch())
            .run()
            .with_context(|| format!("copying {} to the medium's directory", graft.location))?;
    }
    Ok(())
}

/// Returns the caller's files, and ours where the caller has none.
fn joined(grafts: &[Graft], mut ours: Vec<Graft>) -> Vec<Graft> {
    ours.retain(|graft| grafts.iter().all(|other| other.location != graft.location));
    grafts.iter().cloned().chain(ours).collect()
}

/// Creates empty directories for all files: xorriso would give a directory that it creates itself the time of the
/// directory that holds its first file.
fn directories(grafts: &[Graft], epoch: u64, workspace: &Workspace, host: &Host) -> Result<PathBuf> {
    let root = workspace.scratch_file("medium-directories");
    let mut made = BTreeSet::from([root.clone()]);
    for graft in grafts {
        let location = Path::new(graft.location.trim_start_matches('/'));
        made.extend(location.ancestors().skip(1).map(|directory| root.join(directory)));
    }
    for directory in &made {
        host.create_directories(directory).with_context(|| format!("creating {}", directory.display()))?;
    }
    // From the innermost on, because creating one changes the time of its parent.
    let times = std::fs::FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(epoch));
    for directory in made.iter().rev() {
        File::open(directory)
            .and_then(|file| {
                file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
                file.set_times(times)
            })
            .with_context(|| format!("setting the time of {}", directory.display()))?;
    }
    Ok(root)
}

/// Returns the path of the marker file.
fn mark(plan: &IsoPlan) -> String {
    format!("/boot/{}", plan.uuid)
}

/// Returns the boot loaders with their configuration, and the marker file.
fn own_files(plan: &IsoPlan, workspace: &Workspace, host: &Host) -> Result<Vec<Graft>> {
    let mut files = vec![(mark(plan), Vec::new())];
    let mut grafts = Vec::new();
    if plan.firmware != Firmware::Uefi {
        // Copied, because the medium needs another owner and time than the host's files have.
        for (name, source) in isolinux::Installed::find()?.files {
            let program = std::fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
            files.push((format!("{}/{name}", isolinux::DIRECTORY), program));
        }
        let first = isolinux::first_configuration(LOADER);
        files.push((format!("{}/isolinux.cfg", isolinux::DIRECTORY), first.into()));
        files.push((format!("{LOADER}/isolinux.cfg"), isolinux::configuration(&plan.menu, LOADER)?.into()));
        let starter = grub2::disk_starter(&mark(plan), workspace, host)?;
        finish(&starter, plan.epoch, host)?;
        grafts.push(Graft::new(isolinux::DISK_STARTER, starter));
        let (location, text) = grub2::disk_starter_configuration();
        files.push((location, text.into()));
    }
    if plan.firmware != Firmware::Bios {
        let (location, text) = selected::medium_configuration(&plan.menu);
        files.push((location.to_owned(), text.into()));
        files.extend(selected::medium_font(&plan.menu.settings)?);
    }
    let directory = workspace.scratch_file("medium");
    host.create_directories(&directory).context("making a directory for the medium's own files")?;
    for (number, (location, bytes)) in files.into_iter().enumerate() {
        let file = directory.join(number.to_string());
        host.write_file(&file, bytes).with_context(|| format!("writing {location} of the medium"))?;
        finish(&file, plan.epoch, host)?;
        grafts.push(Graft::new(location, file));
    }
    Ok(grafts)
}

/// Creates the FAT image by which UEFI starts GRUB.
fn system_partition(plan: &IsoPlan, workspace: &Workspace, host: &Host) -> Result<PathBuf> {
    let settings = &plan.menu.settings;
    let files = selected::medium_efi_files(settings, &mark(plan), plan.signed.as_ref(), workspace, host)?;
    let mut size = Bytes(0);
    for (file, _) in &files {
        let metadata = file.metadata().with_context(|| format!("reading {}", file.display()))?;
        size = size.saturating_add(Bytes(metadata.len()));
    }
    let image = workspace.scratch_file("medium-esp");
    let esp = EspPlan { size: esp::size_for(size), id: plan.esp_id, epoch: plan.epoch };
    esp::create(&esp, &files, &image, workspace, host)?;
    Ok(image)
}

/// Gives a file the build's time and makes it readable for everybody.
pub fn finish(file: &Path, epoch: u64, host: &Host) -> Result<()> {
    let times = std::fs::FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(epoch));
    host.open_file(file)
        .and_then(|file| {
            file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
            file.set_times(times)
        })
        .with_context(|| format!("setting the time of {}", file.display()))
}

/// Returns `location=source` in the syntax of xorriso: "=" and "\" are escaped in both.
fn grafted(graft: &Graft) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('=', "\\=");
    format!("{}={}", escaped(&graft.location), escaped(&graft.source.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grafts_are_written_as_xorriso_reads_them() {
        assert_eq!(grafted(&Graft::new("/a=b", "/c\\d")), "/a\\=b=/c\\\\d");
    }
}
