//! GRUB 2: core images made by grub-mkimage, written at offsets; no grub-install, no device, no mount.
//!
//! ```text
//! BIOS: boot.img in sector 0 -> core.img in its partition (GPT) or behind the MBR -> grub.cfg of the system
//! UEFI: EFI/BOOT/BOOTX64.EFI on the ESP                                           -> grub.cfg of the system
//! ```
//!
//! The fields of boot.img and core.img that name sectors: GRUB manual, "Images"; offsets 0x5c of boot.img (sector of
//! the core image, 8 bytes) and 0x1f4 of the core image's first sector (sector of its rest, 8 bytes).

mod terminal;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use description::{Bootloader, Firmware};
use ondisk::command_line::for_grub;
use ondisk::{Filesystem, Sectors};

pub use self::terminal::font;
use self::terminal::{modules as console_modules, prologue};
use super::esp::{EspFile, PROGRAM};
use super::medium_menu::{Action, MediumMenu};
use super::menu::Menu;
use super::platform::Platform;
use super::signed::SignedPrograms;
use crate::failure::fail;
use crate::filesystem;
use crate::host::Host;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// GRUB's directory in a system.
pub const DIRECTORY: &str = "/boot/grub";
/// Bytes of code in boot.img; the MBR's partition table follows.
const BOOT_CODE: usize = 440;
const KERNEL_SECTOR: u64 = 0x5c;
const BLOCK_LIST: u64 = 0x1f4;

impl Platform {
    fn keyword(self) -> &'static str {
        match self {
            Self::Pc => "i386-pc",
            Self::Efi64 => "x86_64-efi",
        }
    }

    /// Returns the Debian package with its modules.
    fn package(self) -> &'static str {
        match self {
            Self::Pc => "grub-pc-bin",
            Self::Efi64 => "grub-efi-amd64-bin",
        }
    }

    fn modules(self) -> &'static [&'static str] {
        match self {
            Self::Pc => &["biosdisk", "vga", "serial", "drivemap"],
            Self::Efi64 => &["fat", "efi_gop", "efi_uga", "all_video", "serial"],
        }
    }
}

/// Returns the host programs that install it for these firmwares.
pub fn programs(firmware: Firmware) -> &'static [&'static str] {
    match firmware {
        Firmware::Bios => &["grub-mkimage"],
        Firmware::Uefi | Firmware::BiosAndUefi => &["grub-mkimage", "mkfs.vfat", "mmd", "mcopy"],
    }
}

/// Returns a title for use between the quotes of grub.cfg.
fn quoted(title: &str) -> String {
    title.replace('\'', "")
}

/// Returns the text of grub.cfg.
pub fn configuration(menu: &Menu) -> String {
    let mut text = prologue(&menu.bootloader);
    for (title, parameters) in [(menu.title.clone(), ""), (format!("{} (debug)", menu.title), " DEBUG=1")] {
        text += &format!(
            "\nmenuentry '{}' {{\n\tsearch --no-floppy --fs-uuid --set=root {}\n\tlinux {} {}{parameters}\n\tinitrd {}\n}}\n",
            quoted(&title),
            menu.uuid,
            menu.kernel,
            for_grub(&menu.command_line),
            menu.initrd
        );
    }
    text
}

/// Returns the text of grub.cfg on a medium.
pub fn medium_configuration(menu: &MediumMenu) -> String {
    let mut text = prologue(&menu.settings);
    for entry in &menu.entries {
        let body = match &entry.action {
            Action::Boot { kernel, initrd, command_line } => {
                format!("\tlinux {kernel} {}\n\tinitrd {initrd}\n", for_grub(command_line))
            }
            Action::NextDevice => format!("{}\texit\n", next_disk("\t")),
        };
        text += &format!("\nmenuentry '{}' {{\n{body}}}\n", quoted(&entry.title));
    }
    text
}

/// Starts the first disk that is not the medium, as if it were the machine's first disk. A BIOS only boots its first disk,
/// which is the stick if it was started from one. UEFI shows its setup when a boot loader simply exits, so the disk's own
/// loader is started here, by the path that every firmware looks for.
fn next_disk(indent: &str) -> String {
    [
        "regexp --set=1:medium '^([^,]+)' \"$root\"",
        "for disk in hd0 hd1 hd2 hd3 hd4 hd5 hd6 hd7; do",
        "\tif [ \"$disk\" != \"$medium\" ]; then",
        "\t\tif [ \"$grub_platform\" = pc ]; then",
        // The disk's boot sector gets the drive of the root device.
        "\t\t\tset root=$disk",
        "\t\t\tif [ $disk != hd0 ]; then drivemap -s hd0 $disk; fi",
        "\t\t\tif chainloader +1; then boot; fi",
        "\t\telse",
        "\t\t\tfor part in gpt1 gpt2 gpt3 gpt4 msdos1 msdos2 msdos3 msdos4; do",
        "\t\t\t\tset loader=($disk,$part)/EFI/BOOT/BOOTX64.EFI",
        "\t\t\t\tif [ -f \"$loader\" ]; then",
        "\t\t\t\t\tif chainloader \"$loader\"; then boot; fi",
        "\t\t\t\tfi",
        "\t\t\tdone",
        "\t\tfi",
        "\tfi",
        "done",
    ]
    .map(|line| format!("{indent}{line}\n"))
    .concat()
}

/// Returns the configuration of `disk_starter`, and its path on a medium.
pub fn disk_starter_configuration() -> (String, String) {
    (format!("{DIRECTORY}/disk.cfg"), next_disk("") + "echo No disk starts.\nsleep 5\nreboot\n")
}

/// Returns GRUB in a file that another boot loader starts as a kernel and that boots a disk: for a medium with the file
/// `mark`.
pub fn disk_starter(mark: &str, workspace: &Workspace, host: &Host) -> Result<PathBuf> {
    let search = format!("--file --set=root {mark}");
    // Only the modules that this text needs: compressing modules costs more than everything else.
    let modules =
        ["iso9660", "search", "configfile", "normal", "test", "chain", "regexp", "biosdisk", "drivemap"];
    let modules = [&modules[..], &["echo", "sleep", "reboot"]].concat();
    let core = make_core(Platform::Pc, &search, (DIRECTORY, "disk.cfg"), &modules, workspace, host)?;
    let start = modules_directory(Platform::Pc)?.join("lnxboot.img");
    let output = workspace.scratch_file("grub-disk.img");
    let mut bytes = std::fs::read(&start).with_context(|| format!("reading {}", start.display()))?;
    bytes.extend(std::fs::read(&core).with_context(|| format!("reading {}", core.display()))?);
    host.write_file(&output, bytes).context("writing the program that starts a disk from a medium")?;
    Ok(output)
}

/// Writes grub.cfg to the system.
pub fn configure(menu: &Menu, tree: &RootTree) -> Result<()> {
    if let Some((path, bytes)) = font(&menu.bootloader)? {
        tree.write(path, bytes, 0o644)?;
    }
    tree.write(format!("{DIRECTORY}/grub.cfg"), configuration(menu), 0o644)
}

/// Creates GRUB's core image for a platform; returns its path. It finds its menu on the system's file system.
pub fn core_image(platform: Platform, menu: &Menu, workspace: &Workspace, host: &Host) -> Result<PathBuf> {
    let module = filesystem::grub_module(menu.filesystem)
        .with_context(|| format!("GRUB cannot read {}", menu.filesystem.keyword()))?;
    let search = format!("--fs-uuid --set=root {}", menu.uuid);
    let modules = menu_modules(platform, &[&[module][..], &console_modules(&menu.bootloader)].concat());
    make_core(platform, &search, (&menu.directory, "grub.cfg"), &modules, workspace, host)
}

/// Puts GRUB into a system, as files, for a network client that installs it on its disk: the code for BIOS, and an EFI system
/// partition. GRUB finds its menu on the file system with this UUID. Nothing is done if GRUB cannot read the file system, and what
/// the system has is kept.
pub fn carry(
    filesystem: Filesystem,
    uuid: &str,
    esp: EspFile,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    let Some(module) = filesystem::grub_module(filesystem) else { return Ok(()) };
    let search = format!("--fs-uuid --set=root {uuid}");
    let core = |platform| {
        let modules = menu_modules(platform, &[module]);
        make_core(platform, &search, (DIRECTORY, "grub.cfg"), &modules, workspace, host)
    };
    let put = |target: &str, source: &Path| {
        let bytes = std::fs::read(source).with_context(|| format!("reading {}", source.display()))?;
        tree.write(target, bytes, 0o644)
    };
    let path = |platform: Platform, name: &str| format!("{DIRECTORY}/{}/{name}", platform.keyword());
    let target = path(Platform::Pc, "core.img");
    if !tree.exists(&target) {
        put(&path(Platform::Pc, "boot.img"), &modules_directory(Platform::Pc)?.join("boot.img"))?;
        put(&target, &core(Platform::Pc)?)?;
    }
    let target = path(Platform::Efi64, "esp.img");
    if !tree.exists(&target) {
        let files = [(core(Platform::Efi64)?, PROGRAM.to_owned())];
        put(&target, &esp.create(&files, workspace, host)?)?;
    }
    Ok(())
}

/// Like `core_image`, for an optical medium or a copy of it on a stick: the one with the file `mark`.
fn medium_core_image(
    platform: Platform,
    settings: &Bootloader,
    mark: &str,
    workspace: &Workspace,
    host: &Host,
) -> Result<PathBuf> {
    let search = format!("--file --set=root {mark}");
    let needed = ["iso9660", "chain", "regexp"];
    let modules = menu_modules(platform, &[&needed[..], &console_modules(settings)].concat());
    make_core(platform, &search, (DIRECTORY, "grub.cfg"), &modules, workspace, host)
}

/// Like `core_image`, for a stick whose boot files are on the FAT file system with this id (`1234-ABCD`).
pub fn stick_core_image(
    platform: Platform,
    fat_uuid: &str,
    workspace: &Workspace,
    host: &Host,
) -> Result<PathBuf> {
    let search = format!("--fs-uuid --set=root {fat_uuid}");
    let modules = menu_modules(platform, &["fat", "chain", "regexp"]);
    make_core(platform, &search, (DIRECTORY, "grub.cfg"), &modules, workspace, host)
}

/// Makes GRUB for a UEFI machine that loads it over the network: it reads `/grub/grub.cfg` from the same server. Returns its
/// path in the workspace.
pub fn network_image(workspace: &Workspace, host: &Host) -> Result<PathBuf> {
    let platform = Platform::Efi64;
    let output = workspace.scratch_file("grub-network.efi");
    let modules_in = modules_directory(platform)?;
    host.command("grub-mkimage")
        .args(["--format", platform.keyword(), "--prefix", "/grub", "--directory"])
        .arg(&modules_in)
        .arg("--output")
        .arg(&output)
        .args(menu_modules(
            platform,
            &["net", "efinet", "tftp", "http", "regexp", "serial", "terminfo", "multiboot2"],
        ))
        .writable(workspace.scratch())
        .run()
        .context("making GRUB for network boot")?;
    Ok(output)
}

/// Returns the modules that a menu that starts Linux needs on a platform, and `more`.
fn menu_modules(platform: Platform, more: &[&'static str]) -> Vec<&'static str> {
    let all = ["part_gpt", "part_msdos", "search", "configfile", "normal", "linux", "echo", "test"];
    let consoles = ["terminal", "gzio", "sleep", "reboot", "halt", "minicmd"];
    [&all[..], &consoles, more, platform.modules()].concat()
}

/// Returns the files by which UEFI starts the menu of a disk: GRUB made here, or signed programs of the tree.
pub fn efi_files(
    menu: &Menu,
    signed: Option<&SignedPrograms>,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<(PathBuf, String)>> {
    match signed {
        None => Ok(vec![(core_image(Platform::Efi64, menu, workspace, host)?, PROGRAM.to_owned())]),
        Some(signed) => {
            let search = format!("--fs-uuid --set=root {}", menu.uuid);
            signed.files(&first_configuration(&search, &menu.directory, "grub.cfg"), workspace, host)
        }
    }
}

/// Like `efi_files`, for the medium with the file `mark`.
pub fn medium_efi_files(
    settings: &Bootloader,
    mark: &str,
    signed: Option<&SignedPrograms>,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<(PathBuf, String)>> {
    match signed {
        None => Ok(vec![(
            medium_core_image(Platform::Efi64, settings, mark, workspace, host)?,
            PROGRAM.to_owned(),
        )]),
        Some(signed) => {
            let search = format!("--file --set=root {mark}");
            signed.files(&first_configuration(&search, DIRECTORY, "grub.cfg"), workspace, host)
        }
    }
}

/// Returns the text by which GRUB finds its menu.
fn first_configuration(search: &str, directory: &str, configuration: &str) -> String {
    format!(
        "search --no-floppy {search}\nset prefix=($root){directory}\nconfigfile ($root){directory}/{configuration}\n"
    )
}

fn make_core(
    platform: Platform,
    search: &str,
    (directory, configuration): (&str, &str),
    modules: &[&str],
    workspace: &Workspace,
    host: &Host,
) -> Result<PathBuf> {
    let early = workspace.scratch_file("grub-early.cfg");
    host.write_file(&early, first_configuration(search, directory, configuration))
        .context("writing GRUB's first settings")?;
    let output = workspace.scratch_file(&format!("grub-{}.img", platform.keyword()));
    let modules_in = modules_directory(platform)?;
    host.command("grub-mkimage")
        .args(["--format", platform.keyword(), "--prefix", directory, "--config"])
        .arg(&early)
        .arg("--directory")
        .arg(&modules_in)
        .arg("--output")
        .arg(&output)
        .args(modules)
        .writable(workspace.scratch())
        .run()
        .with_context(|| format!("making GRUB for {}", platform.keyword()))?;
    Ok(output)
}

/// Finds GRUB's modules on this host.
pub fn check(platform: Platform) -> Result<()> {
    modules_directory(platform).map(drop)
}

fn modules_directory(platform: Platform) -> Result<PathBuf> {
    let directories = ["/usr/lib/grub", "/usr/share/grub2", "/usr/lib/grub2"]
        .map(|directory| Path::new(directory).join(platform.keyword()));
    match directories.into_iter().find(|directory| directory.join("normal.mod").is_file()) {
        Some(directory) => Ok(directory),
        None => {
            fail!(
                MissingProgram,
                "GRUB's modules for {} are required and not installed; install the package that provides them: {} on Debian",
                platform.keyword(),
                platform.package()
            )
        }
    }
}

/// Writes GRUB for BIOS: its first sector to the MBR, its core to sector `sector`.
pub fn write_bios(core: &Path, Sectors(sector): Sectors, Sectors(room): Sectors, disk: &File) -> Result<()> {
    let boot = modules_directory(Platform::Pc)?.join("boot.img");
    let mut code = std::fs::read(&boot).with_context(|| format!("reading {}", boot.display()))?;
    let mut core = std::fs::read(core).with_context(|| format!("reading {}", core.display()))?;
    ensure!(code.len() >= 512 && core.len() > 512, "GRUB's images are too short");
    ensure!(
        (core.len() as u64).div_ceil(512) <= room,
        "GRUB's core image needs {} sectors, but there is space for {room}",
        core.len().div_ceil(512)
    );
    put(&mut code, KERNEL_SECTOR, sector);
    put(&mut core, BLOCK_LIST, sector + 1);
    disk.write_all_at(&code[..BOOT_CODE], 0).context("writing GRUB's first sector")?;
    disk.write_all_at(&core, sector * 512).context("writing GRUB's core")
}

fn put(image: &mut [u8], offset: u64, sector: u64) {
    let offset = offset as usize;
    image[offset..offset + 8].copy_from_slice(&sector.to_le_bytes());
}

#[cfg(test)]
mod tests;
