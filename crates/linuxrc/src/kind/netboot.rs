//! The boot image of network clients, netboot of KIWI 1.x (docs/formats/boot-images.md). The numbers are those of the steps in
//! its documentation.
//!
//! ```text
//!  1 kernel file systems (boot)       8 update decision, partitions     15 combined image
//!  2 parameters, local boot           9 images, NFS, NBD                16 file system, kernels
//!  3 network card                    10 checksums                       17 fstab, boot menu
//!  4 address                         11 RELOAD_CONFIG                   18 configuration files
//!  5 server                          12 system mounted                  19 the system becomes /
//!  6 configuration, registration     13 CONF, KIWI_INITRD               20 the boot image is deleted
//!  7 drivers                         14 address given back              21 the system's init
//! ```

use std::convert::Infallible;

use bootconfig::{ClientConfig, NetParameters, Parameters};

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::deploy::{
    Installed, Parts, Scene, Storages, finish, install, mount_nbd, mount_nfs, mount_parts, refuse_unsigned,
    wait_for_disks,
};
use crate::device::Device;
use crate::enrol::{self, Network};
use crate::machine::{Machine, PanicTimeout};
use crate::modules::Modules;
use crate::shutdown::restart;
use crate::switch_root;
use ondisk::Superblock;

/// Boots the system that the server has for this machine.
pub(crate) fn boot(
    machine: &Machine,
    plan: &BootPlan,
    keywords: &Parameters,
    panic: &PanicTimeout,
    console: &Console,
) -> Result<Infallible, BootFailure> {
    let parameters = read_parameters(keywords)?;
    let mut modules = Modules::open(machine, &plan.modules, console);
    if let Some(config) = &parameters.local {
        let scene = Scene { machine, plan, config, console };
        boot_from_disk(scene, &mut modules)?;
        return switch_root::enter(machine, plan, panic, console);
    }
    let mut network = Network::start(machine, &parameters, &mut modules, console)?;
    let config = enrol::obtain(machine, &parameters, &mut network, console)?;
    if plan.verify_key.is_some() {
        refuse_unsigned(&config)?;
    }
    console.phase("configuration");
    let scene = Scene { machine, plan, config: &config, console };
    let system = System::bring(scene, &network, &mut modules)?;
    if system.is_fresh() || config.reload_config {
        finish(scene, &network, system.installed.as_ref(), system.written.as_ref())?;
    }
    if system.is_on_disk() {
        network.release(console);
    }
    if config.reboot_image && system.is_fresh() {
        restart();
    }
    console.phase("system");
    switch_root::enter(machine, plan, panic, console)
}

fn read_parameters(keywords: &Parameters) -> Result<NetParameters, BootFailure> {
    NetParameters::of(keywords).map_err(|error| {
        BootFailure::shell(format!(
            "{error}\nThe error is on the kernel command line; correct it in the boot menu."
        ))
    })
}

/// Mounts a system that was installed before, by the parameters that its boot menu has (`LOCAL_BOOT`).
fn boot_from_disk(scene: Scene<'_>, modules: &mut Modules) -> Result<(), BootFailure> {
    let none =
        || BootFailure::shell("IMAGE on the kernel command line names no device with a system".to_owned());
    let parts = Parts::of(scene.config, &Storages::new(), None).ok_or_else(none)?;
    wait_for_disks(scene, &[&parts.system], modules)?;
    mount_parts(scene, &parts, modules).map(drop)
}

/// The mounted system.
struct System<'c> {
    /// The images on their devices; none: the system is on a server.
    installed: Option<Installed<'c>>,
    /// The device that the system writes to.
    written: Option<(Device, Superblock)>,
}

impl<'c> System<'c> {
    /// Brings the system to this machine, as far as it is not there, and mounts it.
    fn bring(scene: Scene<'c>, network: &Network, modules: &mut Modules) -> Result<Self, BootFailure> {
        let config: &ClientConfig = scene.config;
        if let Some(root) = &config.nfs_root {
            let server = network.resolve(&root.server)?;
            mount_nfs(scene, root, server, network.lease.address, modules)?;
            return Ok(Self { installed: None, written: None });
        }
        let (installed, nbd) = match &config.nbd_root {
            Some(root) => (None, Some(mount_nbd(scene, root, network.resolve(&root.server)?, modules)?)),
            None => (Some(install(scene, network, modules)?), None),
        };
        let storages = installed.as_ref().map(|installed| installed.storages.clone()).unwrap_or_default();
        let none = || BootFailure::reboot("the configuration names no system".to_owned());
        let parts = Parts::of(config, &storages, nbd.as_deref()).ok_or_else(none)?;
        let written = mount_parts(scene, &parts, modules)?;
        Ok(Self { installed, written })
    }

    /// Whether the system is as the image has it: its settings are still missing.
    fn is_fresh(&self) -> bool {
        self.installed.as_ref().is_none_or(Installed::is_fresh)
    }

    /// Whether the system needs no network any more.
    fn is_on_disk(&self) -> bool {
        self.installed.is_some()
    }
}
