//! Arguments of `kiwi run` and `kiwi test`, which boot an image.

use std::path::PathBuf;

use clap::Args;

use super::build;
use crate::operation::boot_vm::{Accelerator, Firmware, Network, Options};
use crate::operation::{Operation, boot_test, boot_vm};

/// `--accel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Acceleration {
    Auto,
    Kvm,
    Tcg,
}

impl From<Acceleration> for Accelerator {
    fn from(keyword: Acceleration) -> Self {
        match keyword {
            Acceleration::Auto => Self::Auto,
            Acceleration::Kvm => Self::Kvm,
            Acceleration::Tcg => Self::Tcg,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// The disk image, or the image of a CD.
    image: PathBuf,
    /// Start with UEFI firmware instead of BIOS.
    #[arg(long)]
    uefi: bool,
    /// Start with UEFI firmware that starts only what Microsoft's keys have signed.
    #[arg(long, conflicts_with = "uefi")]
    secure_boot: bool,
    /// Memory of the machine in megabytes.
    #[arg(long, value_name = "MB", default_value_t = 1024)]
    memory: u32,
    /// Number of processors.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=255))]
    cpus: u32,
    /// Open a window instead of using this terminal as the serial console.
    #[arg(long, visible_alias = "graphic")]
    window: bool,
    /// Save what the system writes in the image; by default it is discarded. A CD image is attached as a stick then.
    #[arg(long)]
    keep: bool,
    /// Attach the image as a USB stick.
    #[arg(long)]
    stick: bool,
    /// How the machine's instructions are executed: auto tries KVM and falls back to QEMU's emulation.
    #[arg(long, value_enum, default_value_t = Acceleration::Auto)]
    accel: Acceleration,
    /// The network card: user (the host's network behind an address translation), none, or tap=INTERFACE.
    #[arg(long, value_name = "KIND", default_value = "user", value_parser = network)]
    network: Network,
    /// Forward a TCP port of this host to one of the machine (may be repeated).
    #[arg(long, value_name = "HOST:GUEST", value_parser = ports)]
    forward: Vec<(u16, u16)>,
    /// Forward a port of this host to the guest's ssh.
    #[arg(long, value_name = "PORT")]
    ssh: Option<u16>,
    /// Attach one more disk (may be repeated).
    #[arg(long, value_name = "FILE")]
    drive: Vec<PathBuf>,
    /// Give the system this user data of cloud-init: a file, or a directory with user-data, meta-data and others.
    #[arg(long, value_name = "PATH")]
    seed: Option<PathBuf>,
    /// Give the machine an emulated TPM 2.0 (swtpm).
    #[arg(long)]
    tpm: bool,
}

fn network(text: &str) -> Result<Network, String> {
    match text.split_once('=') {
        None if text == "user" => Ok(Network::User),
        None if text == "none" => Ok(Network::None),
        Some(("tap", interface)) if !interface.is_empty() && !interface.contains(',') => {
            Ok(Network::Tap(interface.to_owned()))
        }
        _ => Err("expected user, none or tap=INTERFACE".to_owned()),
    }
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    let read = |(host, guest): (&str, &str)| Some((host.parse().ok()?, guest.parse().ok()?));
    text.split_once(':').and_then(read).ok_or_else(|| "expected two ports, such as 8080:80".to_owned())
}

impl Run {
    pub(super) fn operation(self) -> Operation {
        let mut forwards = self.forward;
        forwards.extend(self.ssh.map(|port| (port, 22)));
        Operation::BootVm(boot_vm::Request {
            image: self.image,
            options: Options {
                firmware: match (self.secure_boot, self.uefi) {
                    (true, _) => Firmware::SecureBoot,
                    (false, true) => Firmware::Uefi,
                    (false, false) => Firmware::Bios,
                },
                memory: self.memory,
                processors: self.cpus,
                keep: self.keep,
                stick: self.stick,
                window: self.window,
                accelerator: self.accel.into(),
                network: self.network,
                forwards,
                drives: self.drive,
                seed: self.seed,
                tpm: self.tpm,
            },
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct Test {
    #[command(flatten)]
    build: build::Build,
    /// Boot this finished image instead of building the description.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Write a report for build servers, in the XML form of JUnit, to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// How the machine's instructions are executed: auto tries KVM and falls back to QEMU's emulation.
    #[arg(long, value_enum, default_value_t = Acceleration::Auto)]
    accel: Acceleration,
}

impl Test {
    pub(super) fn operation(self) -> Operation {
        Operation::BootTest(boot_test::Request {
            build: self.build.request(),
            image: self.image,
            junit: self.junit,
            accelerator: self.accel.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_networks_and_ports() {
        assert_eq!(network("tap=tap0"), Ok(Network::Tap("tap0".to_owned())));
        assert!(["", "tap", "tap=", "tap=a,b", "bridge"].iter().all(|text| network(text).is_err()));
        assert_eq!(ports("8080:80"), Ok((8080, 80)));
        assert!(["80", "a:b", "70000:1", ":"].iter().all(|text| ports(text).is_err()));
    }
}
