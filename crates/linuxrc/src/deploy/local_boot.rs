//! Prepares later boots from the disk, without the network: kernel and boot image of `KIWI_KERNEL` and `KIWI_INITRD`, the menu,
//! and GRUB.
//!
//! GRUB comes from the image: `/boot/grub/i386-pc/boot.img` and `core.img` for BIOS, `/boot/grub/x86_64-efi/esp.img`, a whole EFI
//! system partition, for UEFI. For BIOS the system's own `grub-install` installs it, too. A system that has neither boots over the
//! network only; the console says so.

use std::fs::File;
use std::io::{self, Read};
use std::process::{Command, Stdio};

use bootconfig::partition_name;
use ondisk::command_line::split;
use ondisk::partition_table::Scheme;
use ondisk::{Bytes, Superblock};
use rustix::mount::{UnmountFlags, mount_bind_recursive, unmount};

use super::Scene;
use super::boot_code::{self, Gap};
use super::boot_menu::{self, Entry};
use super::installation::Installed;
use super::layout::{BOOT_CODE, Layout};
use super::system_file::SystemTree;
use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::device::{Device, size};
use crate::enrol::Network;
use crate::sys;

const MENU: &str = "/boot/grub/grub.cfg";
const BOOT_IMAGE: &str = "/boot/initrd";
const BOOT_KERNEL: &str = "/boot/vmlinuz";
const CODE_DIRECTORY: &str = "/boot/grub/i386-pc";
/// The image of an EFI system partition.
const ESP_IMAGE: &str = "/boot/grub/x86_64-efi/esp.img";
/// The largest core image.
const LARGEST_CODE: u64 = 4 << 20;
/// Programs of a system that install its boot loader.
const INSTALLERS: [&str; 2] = ["/usr/sbin/grub-install", "/usr/sbin/grub2-install"];

/// Prepares the system in `tree`, which writes to the device `written`.
pub(crate) fn prepare(
    scene: Scene<'_>,
    network: &Network,
    installed: &Installed<'_>,
    written: &(Device, Superblock),
    tree: &SystemTree,
) -> Result<(), BootFailure> {
    let (Some(layout), Some(disk)) = (&installed.layout, &scene.config.disk) else { return Ok(()) };
    fetch_boot_image(scene, network, tree)?;
    let entries = entries(scene, written, tree);
    if entries.is_empty() {
        scene
            .console
            .announce("The system has no kernel that a boot loader can read: it boots over the network only");
        return Ok(());
    }
    let menu = boot_menu::text(&entries, scene.config.boot_timeout, written.1.uuid.as_deref());
    let failed = |error: io::Error| {
        BootFailure::reboot(format!(
            "Writing the boot menu {MENU} failed: {error}\n\nThe next boot installs the system again."
        ))
    };
    tree.write_text(MENU, &menu).map_err(failed)?;
    match install_code(scene, disk, layout, tree) {
        Ok(()) => Ok(()),
        Err(why) => {
            scene.console.announce(&format!(
                "The disk does not boot by itself: {why}. The system boots over the network"
            ));
            Ok(())
        }
    }
}

/// Loads the boot image and its kernel for later boots.
fn fetch_boot_image(scene: Scene<'_>, network: &Network, tree: &SystemTree) -> Result<(), BootFailure> {
    let files = [(&scene.config.initrd, BOOT_IMAGE), (&scene.config.kernel, BOOT_KERNEL)];
    for (source, destination) in files {
        let Some(path) = source else { continue };
        let failed = |error: String| {
            BootFailure::reboot(format!(
                "{path} cannot be copied to {destination}: {error}\n\nCorrect KIWI_INITRD or KIWI_KERNEL, or publish the file."
            ))
        };
        let mut stream = network.server.open(path, 0).map_err(|error| failed(error.to_string()))?;
        scene.console.announce(&format!("Loading {path}"));
        tree.write_file(destination, |file| io::copy(&mut stream, file).map(drop))
            .map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

/// Returns the entries of the menu: the boot image of `KIWI_INITRD`, or the system's own kernels.
fn entries(scene: Scene<'_>, (device, superblock): &(Device, Superblock), tree: &SystemTree) -> Vec<Entry> {
    let config = scene.config;
    // In a union, the file system with the menu holds the written files in a directory of the layer.
    let base = if config.union.is_some() { "/upper" } else { "" };
    let options = split(config.kernel_options.as_deref().unwrap_or_default()).into_iter().map(str::to_owned);
    let root = superblock
        .uuid
        .as_ref()
        .map_or_else(|| format!("/dev/{}", device.name), |uuid| format!("UUID={uuid}"));
    let kernels = boot_menu::kernels(&tree.names("/boot"));
    // GRUB reads the writable part of such a system, which has no kernel of its own.
    let is_of_parts = config.union.is_some() || config.combined_image;
    if is_of_parts && (config.initrd.is_none() || config.kernel.is_none()) {
        return Vec::new();
    }
    if config.initrd.is_some() {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let same = kernels.iter().find(|(name, _)| name.ends_with(&format!("-{release}")));
        let kernel = match (&config.kernel, same.or(kernels.first())) {
            (Some(_), _) => "vmlinuz".to_owned(),
            (None, Some((name, _))) => name.clone(),
            (None, None) => return Vec::new(),
        };
        let parameters = boot_menu::local_boot_parameters(config).into_iter().chain(options).collect();
        return vec![Entry {
            title: config.images.first().map_or_else(String::new, bootconfig::ImageEntry::file_name),
            kernel: format!("{base}/boot/{kernel}"),
            initrd: Some(format!("{base}{BOOT_IMAGE}")),
            parameters,
        }];
    }
    let parameters: Vec<String> =
        [format!("root={root}"), "ro".to_owned()].into_iter().chain(options).collect();
    let entry = |(kernel, initrd): (String, Option<String>)| Entry {
        title: kernel.clone(),
        kernel: format!("/boot/{kernel}"),
        initrd: initrd.map(|initrd| format!("/boot/{initrd}")),
        parameters: parameters.clone(),
    };
    kernels.into_iter().map(entry).collect()
}

/// Installs GRUB's code, or returns why that is not possible.
fn install_code(scene: Scene<'_>, disk: &str, layout: &Layout, tree: &SystemTree) -> Result<(), String> {
    if scene.machine.sys.join("firmware/efi").is_dir() {
        return install_efi(scene, disk, layout, tree);
    }
    let read = |name: &str| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        tree.read_file(&format!("{CODE_DIRECTORY}/{name}"))?.take(LARGEST_CODE).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    if let (Ok(boot), Ok(core)) = (read("boot.img"), read("core.img")) {
        return gap(layout)
            .and_then(|gap| {
                let device = File::options().read(true).write(true).open(scene.machine.dev.join(disk))?;
                boot_code::install(&device, &boot, &core, gap)
            })
            .map_err(|error| error.to_string());
    }
    let installer = INSTALLERS.into_iter().find(|path| tree.exists(path));
    let installer =
        installer.ok_or(format!("the system has neither {CODE_DIRECTORY}/core.img nor grub-install"))?;
    run_in_system(scene, installer, disk)
}

/// Writes the image of an EFI system partition to the partition, or returns why that is not possible.
fn install_efi(scene: Scene<'_>, disk: &str, layout: &Layout, tree: &SystemTree) -> Result<(), String> {
    let esp = layout.esp().ok_or("the disk has no EFI system partition")?;
    let mut image =
        tree.read_file(ESP_IMAGE).map_err(|error| format!("the system has no {ESP_IMAGE}: {error}"))?;
    let name = partition_name(disk, esp.number);
    let length = image.metadata().map_or(0, |metadata| metadata.len());
    let available = size(scene.machine, &name).unwrap_or_default();
    if Bytes(length) > available {
        return Err(format!("{ESP_IMAGE} has {length} bytes, and /dev/{name} has {}", available.0));
    }
    let mut write = || {
        let mut partition = File::options().write(true).open(scene.machine.dev.join(&name))?;
        io::copy(&mut image, &mut partition)?;
        partition.sync_all()
    };
    write().map_err(|error: io::Error| format!("writing {ESP_IMAGE} to /dev/{name}: {error}"))
}

fn gap(layout: &Layout) -> io::Result<Gap> {
    match layout.scheme {
        Scheme::Mbr => Ok(Gap { start: Bytes(512), length: Bytes((1 << 20) - 512) }),
        Scheme::Gpt => layout
            .partitions
            .iter()
            .find(|placed| placed.number == BOOT_CODE)
            .map(|placed| Gap { start: placed.start, length: placed.length })
            .ok_or_else(|| io::ErrorKind::NotFound.into()),
    }
}

/// Runs the system's own program, which installs its boot loader on the disk.
fn run_in_system(scene: Scene<'_>, installer: &str, disk: &str) -> Result<(), String> {
    let Scene { machine, console, .. } = scene;
    let binds: Vec<_> = [&machine.dev, &machine.proc, &machine.sys]
        .into_iter()
        .filter_map(|from| Some((from, machine.system.join(from.file_name()?))))
        .collect();
    let mut bound = Vec::new();
    for (from, to) in &binds {
        match mount_bind_recursive(*from, to) {
            Ok(()) => bound.push(to),
            Err(error) => console.trace(&format!("binding {}: {error}", to.display())),
        }
    }
    let mut command = Command::new(installer);
    command.args(["--target=i386-pc", "--boot-directory=/boot", "--recheck"]).arg(format!("/dev/{disk}"));
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C").stdin(Stdio::null());
    sys::enter_root(&mut command, &machine.system);
    let output = command.output();
    for to in bound.into_iter().rev() {
        let _ = unmount(to, UnmountFlags::DETACH);
    }
    let output = output.map_err(|error| format!("starting {installer}: {error}"))?;
    trace_output(console, &output.stderr);
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
            Err(format!("{installer} on /dev/{disk} ended with {}: {said}", output.status))
        }
    }
}

fn trace_output(console: &Console, output: &[u8]) {
    for line in String::from_utf8_lossy(output).lines() {
        console.trace(line);
    }
}
