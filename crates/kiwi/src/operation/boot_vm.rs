//! `kiwi run`: boots a finished disk, CD or stick in QEMU, with its serial console on this terminal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::outcome::Outcome;
use crate::context::Context;
use crate::failure::fail;
use crate::host::Host;

/// The image and the options of the machine.
#[derive(Debug, Clone)]
pub struct Request {
    /// The disk, or the image of a CD.
    pub image: PathBuf,
    /// Whether the machine has UEFI instead of BIOS.
    pub uefi: bool,
    /// Memory in megabytes.
    pub memory: u32,
    /// Whether a window is opened instead of the serial console.
    pub window: bool,
    /// Whether writes of the system are saved in the image.
    pub keep: bool,
    /// How the machine's instructions are executed.
    pub accelerator: Accelerator,
    /// Port of the host that is forwarded to the guest's ssh.
    pub ssh: Option<u16>,
}

/// How the machine's instructions are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accelerator {
    /// With KVM where it works, else with TCG.
    #[default]
    Auto,
    /// By the kernel's virtual machine.
    Kvm,
    /// By QEMU's own emulation.
    Tcg,
}

/// Time limit for the firmware with KVM; it needs about a second.
const KVM_PATIENCE: Duration = Duration::from_secs(5);

/// Code and variables of the UEFI firmware, where distributions install them.
const FIRMWARE: [(&str, &str); 4] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"),
];

/// Runs the machine until it ends.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let image = &request.image;
    if !image.is_file() {
        fail!(File, "the image {} does not exist", image.display());
    }
    let program = host.find_program("qemu-system-x86_64")?;
    let scratch = host.temporary_work_directory().context("making a directory for the machine's firmware")?;
    let kvm = match request.accelerator {
        Accelerator::Auto => kvm_works(&program, host),
        Accelerator::Kvm => true,
        Accelerator::Tcg => false,
    };
    let mut keywords = arguments(request, kvm, &drive(request, is_medium(image)?, format_of(image)?));
    if request.uefi {
        keywords.extend(firmware(scratch.path(), host)?);
    }
    if !request.window {
        host.say("This terminal is the machine's serial console; press Ctrl-A, then X to leave.");
    }
    let status = host.attended(&program, &keywords)?;
    if !status.success() {
        fail!(CommandFailed, "QEMU ended with {status}");
    }
    Ok(Outcome::Done)
}

/// Returns whether a machine runs with KVM and this host's processor. On some hosts /dev/kvm can be opened although
/// machines fail or hang, so the firmware must finish first.
fn kvm_works(program: &Path, host: &Host) -> bool {
    let keywords = ["-accel", "kvm", "-cpu", "host", "-m", "32", "-nodefaults", "-display", "none"];
    let debug = ["-chardev", "stdio,id=first", "-device", "isa-debugcon,iobase=0x402,chardev=first"];
    Path::new("/dev/kvm").exists()
        && host.says(program, &[&keywords[..], &debug[..]].concat(), "No bootable device", KVM_PATIENCE)
}

/// Returns QEMU's arguments for the image: a disk, a CD, or, if writes are saved, a stick.
fn drive(request: &Request, is_medium: bool, format: &str) -> Vec<String> {
    let file = format!("file={},format={format}", request.image.display().to_string().replace(',', ",,"));
    let disk = |more: &str| vec!["-drive".to_owned(), format!("{file},{more}")];
    match (is_medium, request.keep) {
        (true, false) => disk("media=cdrom,readonly=on"),
        (true, true) => {
            let mut keywords = disk("if=none,id=stick");
            keywords.extend(
                ["-device", "qemu-xhci", "-device", "usb-storage,drive=stick,removable=on"]
                    .map(str::to_owned),
            );
            keywords
        }
        (false, true) => disk("if=virtio"),
        (false, false) => disk("if=virtio,snapshot=on"),
    }
}

/// Returns whether the image contains a volume of ISO 9660.
fn is_medium(image: &Path) -> Result<bool> {
    use std::os::unix::fs::FileExt;
    let mut sector = vec![0; bootconfig::SECTOR as usize];
    let file = std::fs::File::open(image).with_context(|| format!("opening {}", image.display()))?;
    Ok(file.read_exact_at(&mut sector, bootconfig::DESCRIPTOR).is_ok()
        && bootconfig::Volume::parse(&sector).is_some())
}

fn arguments(request: &Request, kvm: bool, drive: &[String]) -> Vec<String> {
    let forward = request.ssh.map(|port| format!(",hostfwd=tcp:127.0.0.1:{port}-:22")).unwrap_or_default();
    let mut keywords = vec![
        "-machine".to_owned(),
        "q35".to_owned(),
        "-accel".to_owned(),
        if kvm { "kvm" } else { "tcg" }.to_owned(),
        "-cpu".to_owned(),
        if kvm { "host" } else { "max" }.to_owned(),
        "-m".to_owned(),
        request.memory.to_string(),
        "-nic".to_owned(),
        format!("user,model=virtio-net-pci{forward}"),
        "-no-reboot".to_owned(),
    ];
    keywords.extend(drive.iter().cloned());
    if !request.window {
        keywords.push("-nographic".to_owned());
    }
    keywords
}

/// Returns the format of an image by its first bytes and its end.
fn format_of(image: &Path) -> Result<&'static str> {
    use std::io::Read;
    let mut start = Vec::new();
    let file = std::fs::File::open(image).with_context(|| format!("opening {}", image.display()))?;
    file.take(512).read_to_end(&mut start).with_context(|| format!("reading {}", image.display()))?;
    let name = image.to_string_lossy();
    Ok(match start.as_slice() {
        [b'Q', b'F', b'I', 0xfb, 0, 0, 0, 1, ..] => "qcow",
        [b'Q', b'F', b'I', 0xfb, ..] => "qcow2",
        [b'K', b'D', b'M', b'V', ..] => "vmdk",
        start if start.starts_with(b"# Disk DescriptorFile") => "vmdk",
        start if start.starts_with(b"vhdxfile") => "vhdx",
        start if start.starts_with(b"conectix") => "vpc",
        start if start.starts_with(b"<<< ") => "vdi",
        _ if name.ends_with(".vhd") || name.ends_with(".vpc") || name.ends_with(".vhd-fixed") => "vpc",
        _ => "raw",
    })
}

/// Returns QEMU's arguments for the firmware: its code, read-only, and a new copy of its variables.
fn firmware(scratch: &Path, host: &Host) -> Result<Vec<String>> {
    let Some((code, variables)) = FIRMWARE.iter().find(|(code, _)| Path::new(code).is_file()) else {
        fail!(
            MissingProgram,
            "UEFI firmware for QEMU is required and not installed; install the package that provides it: \
             ovmf on Debian, qemu-ovmf-x86_64 on SUSE, edk2-ovmf on Fedora"
        );
    };
    let copy = scratch.join("variables.fd");
    host.copy_file(Path::new(variables), &copy).context("copying the firmware's variables")?;
    Ok(vec![
        "-drive".to_owned(),
        format!("if=pflash,format=raw,readonly=on,file={code}"),
        "-drive".to_owned(),
        format!("if=pflash,format=raw,file={}", copy.display()),
    ])
}
