//! A machine of QEMU that boots an image: its arguments, its firmware, and whether the image can boot at all.

mod bootable;
mod firmware;
mod kvm;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::failure::fail;
use crate::host::file::WorkDirectory;
use crate::host::{Companion, Host};
use bootable::Image;
pub use firmware::Firmware;

/// The program.
const QEMU: &str = "qemu-system-x86_64";

/// Time limit for the socket of an emulated TPM.
const TPM_PATIENCE: Duration = Duration::from_secs(10);

/// The options of a machine.
#[derive(Debug, Clone)]
pub struct Options {
    /// The firmware.
    pub firmware: Firmware,
    /// Memory in megabytes.
    pub memory: u32,
    /// Number of processors.
    pub processors: u32,
    /// Whether writes of the system are saved in the image.
    pub keep: bool,
    /// Whether the image is attached as a USB stick.
    pub stick: bool,
    /// Whether a window is opened instead of the serial console.
    pub window: bool,
    /// How the machine's instructions are executed.
    pub accelerator: Accelerator,
    /// The network card.
    pub network: Network,
    /// Ports of the host, and ports of the machine to which they lead.
    pub forwards: Vec<(u16, u16)>,
    /// Further disks.
    pub drives: Vec<PathBuf>,
    /// A file with user data of cloud-init, or a directory with its files.
    pub seed: Option<PathBuf>,
    /// Whether the machine has an emulated TPM 2.0.
    pub tpm: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            firmware: Firmware::Bios,
            memory: 1024,
            processors: 1,
            keep: false,
            stick: false,
            window: false,
            accelerator: Accelerator::Auto,
            network: Network::User,
            forwards: Vec::new(),
            drives: Vec::new(),
            seed: None,
            tpm: false,
        }
    }
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

/// The network of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// The host's network behind an address translation, which needs no privileges.
    User,
    /// No network card.
    None,
    /// An existing TAP interface of the host.
    Tap(String),
}

/// A machine that can be started. Its files are removed with it.
pub(super) struct Machine {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    _scratch: WorkDirectory,
    _tpm: Option<Companion>,
}

/// Prepares a machine that boots `image`.
pub(super) fn prepare(image: &Path, options: &Options, host: &Host) -> Result<Machine> {
    if !image.is_file() {
        fail!(File, "the image {} does not exist", image.display());
    }
    let found = Image::probe(image)?;
    let program = host.find_program(QEMU)?;
    let scratch = host.temporary_work_directory().context("making a directory for the machine's files")?;
    let kvm = match options.accelerator {
        Accelerator::Auto => match kvm::obstacle(&program, scratch.path(), host)? {
            Some(obstacle) => {
                host.say(&format!("{obstacle}: QEMU emulates the machine, which takes many times as long."));
                false
            }
            None => true,
        },
        Accelerator::Kvm => true,
        Accelerator::Tcg => false,
    };
    let mut arguments = base(options, kvm);
    arguments.extend(firmware::arguments(options.firmware, scratch.path(), host)?);
    arguments.extend(drive(image, &found, options));
    for (number, path) in options.drives.iter().enumerate() {
        let format = Image::format_of(path)?;
        arguments.extend([
            "-drive".to_owned(),
            format!("{},if=virtio,index={}{}", file(path, format), number + 1, snapshot(options)),
        ]);
    }
    if let Some(seed) = &options.seed {
        let medium = self::seed(seed, scratch.path(), host)?;
        // Drivers of CDs may come after cloud-init has looked for its data.
        arguments.extend(["-drive".to_owned(), format!("{},if=virtio,readonly=on", file(&medium, "raw"))]);
    }
    let mut tpm = None;
    if options.tpm {
        let (companion, more) = self::tpm(scratch.path(), host)?;
        arguments.extend(more);
        tpm = Some(companion);
    }
    Ok(Machine { program, arguments, _scratch: scratch, _tpm: tpm })
}

/// Returns the arguments that do not depend on the image.
fn base(options: &Options, kvm: bool) -> Vec<String> {
    let mut keywords = vec![
        "-machine".to_owned(),
        if options.firmware == Firmware::SecureBoot { "q35,smm=on" } else { "q35" }.to_owned(),
        "-accel".to_owned(),
        if kvm { "kvm" } else { "tcg" }.to_owned(),
        "-cpu".to_owned(),
        if kvm { "host" } else { "max" }.to_owned(),
        "-smp".to_owned(),
        options.processors.to_string(),
        "-m".to_owned(),
        options.memory.to_string(),
        "-nic".to_owned(),
        network(options),
        "-no-reboot".to_owned(),
    ];
    if !options.window {
        keywords.push("-nographic".to_owned());
    }
    keywords
}

fn network(options: &Options) -> String {
    const MODEL: &str = "model=virtio-net-pci";
    match &options.network {
        Network::User => {
            let forwards = options.forwards.iter();
            let forwards = forwards.map(|(host, guest)| format!(",hostfwd=tcp:127.0.0.1:{host}-:{guest}"));
            format!("user,{MODEL}{}", forwards.collect::<String>())
        }
        Network::None => "none".to_owned(),
        Network::Tap(interface) => format!("tap,{MODEL},ifname={interface},script=no,downscript=no"),
    }
}

/// Returns the options of a drive that name its file.
fn file(path: &Path, format: &str) -> String {
    format!("file={},format={format}", path.display().to_string().replace(',', ",,"))
}

fn snapshot(options: &Options) -> &'static str {
    if options.keep { "" } else { ",snapshot=on" }
}

/// Returns the arguments for the image: a disk, a CD or a stick. A CD whose writes are saved is a stick.
fn drive(path: &Path, image: &Image, options: &Options) -> Vec<String> {
    let disk = |more: &str| vec!["-drive".to_owned(), format!("{},{more}", file(path, image.format()))];
    if options.stick || (image.is_medium() && options.keep) {
        let mut keywords = disk(&format!("if=none,id=stick{}", snapshot(options)));
        let devices = ["-device", "qemu-xhci", "-device", "usb-storage,drive=stick,removable=on,bootindex=0"];
        keywords.extend(devices.map(str::to_owned));
        return keywords;
    }
    match image.is_medium() {
        true => disk("media=cdrom,readonly=on"),
        false => disk(&format!("if=virtio,index=0{}", snapshot(options))),
    }
}

/// Makes a medium with the data of cloud-init's source NoCloud.
fn seed(path: &Path, scratch: &Path, host: &Host) -> Result<PathBuf> {
    let (directory, medium) = (scratch.join("seed"), scratch.join("seed.iso"));
    let making = || format!("making a medium with the user data {}", path.display());
    host.create_directories(&directory).with_context(making)?;
    let mut names = vec!["user-data".to_owned()];
    match path.is_dir() {
        true => {
            for name in ["user-data", "meta-data", "vendor-data", "network-config"] {
                if path.join(name).is_file() {
                    host.copy_file(&path.join(name), &directory.join(name)).with_context(making)?;
                    names.push(name.to_owned());
                }
            }
            if !path.join("user-data").is_file() {
                fail!(File, "{} has no file user-data", path.display());
            }
        }
        false => {
            host.copy_file(path, &directory.join("user-data")).with_context(making)?;
        }
    }
    if !names.iter().any(|name| name == "meta-data") {
        let text = "instance-id: kiwi-run\n";
        host.write_file(&directory.join("meta-data"), text).with_context(making)?;
    }
    let text = |path: &Path| path.display().to_string();
    let keywords = ["-as", "mkisofs", "-quiet", "-volid", "CIDATA", "-joliet", "-rational-rock", "-output"];
    let keywords: Vec<String> =
        keywords.map(str::to_owned).into_iter().chain([text(&medium), text(&directory)]).collect();
    let made = host.captured(&host.find_program("xorriso")?, &keywords).with_context(making)?;
    if !made.status.success() {
        fail!(CommandFailed, "{}: xorriso ended with {}", making(), made.status);
    }
    Ok(medium)
}

/// Starts an emulated TPM; returns it with the arguments that attach it.
fn tpm(scratch: &Path, host: &Host) -> Result<(Companion, Vec<String>)> {
    let (state, socket) = (scratch.join("tpm"), scratch.join("tpm.socket"));
    host.create_directories(&state).context("making a directory for the TPM")?;
    let program = host.find_program("swtpm")?;
    let keywords = [
        "socket".to_owned(),
        "--tpm2".to_owned(),
        "--tpmstate".to_owned(),
        format!("dir={}", state.display()),
        "--ctrl".to_owned(),
        format!("type=unixio,path={}", socket.display()),
        "--terminate".to_owned(),
    ];
    let companion = host.companion(&program, &keywords).context("starting the emulated TPM")?;
    if !companion.makes(&socket, TPM_PATIENCE) {
        fail!(CommandFailed, "the emulated TPM (swtpm) did not start");
    }
    let arguments = [
        "-chardev".to_owned(),
        format!("socket,id=tpm,path={}", socket.display()),
        "-tpmdev".to_owned(),
        "emulator,id=tpm0,chardev=tpm".to_owned(),
        "-device".to_owned(),
        "tpm-tis,tpmdev=tpm0".to_owned(),
    ];
    Ok((companion, arguments.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_arguments() {
        let options = Options {
            forwards: vec![(2222, 22), (8080, 80)],
            processors: 4,
            firmware: Firmware::SecureBoot,
            ..Options::default()
        };
        let line = base(&options, false).join(" ");
        assert!(line.contains("-machine q35,smm=on -accel tcg -cpu max -smp 4 -m 1024"), "{line}");
        assert!(line.contains("hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:127.0.0.1:8080-:80"), "{line}");
        let without = Options { network: Network::None, ..Options::default() };
        assert!(base(&without, true).join(" ").contains("-accel kvm -cpu host -smp 1 -m 1024 -nic none"));
    }

    #[test]
    fn a_medium_is_a_cd_and_with_an_option_a_stick() {
        let (path, medium, disk) = (Path::new("a,b"), Image::Medium, Image::Disk("qcow2"));
        let shown = |image: &Image, options: Options| drive(path, image, &options).join(" ");
        let plain = || Options::default();
        assert_eq!(shown(&medium, plain()), "-drive file=a,,b,format=raw,media=cdrom,readonly=on");
        assert_eq!(shown(&disk, plain()), "-drive file=a,,b,format=qcow2,if=virtio,index=0,snapshot=on");
        let stick = shown(&medium, Options { stick: true, ..plain() });
        assert!(
            stick.starts_with("-drive file=a,,b,format=raw,if=none,id=stick,snapshot=on -device qemu-xhci")
        );
        let kept = shown(&medium, Options { keep: true, ..plain() });
        assert!(kept.starts_with("-drive file=a,,b,format=raw,if=none,id=stick -device"), "{kept}");
    }
}
