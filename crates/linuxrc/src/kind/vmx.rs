//! The boot image of disks: vmx for virtual machines, oem for real ones (spec 1.4, section 5.5).
//!
//! What vmxboot did with scripts of the distribution (boot loader, fstab) is done by the builder today, so that what
//! is left is: find the system, check it, let it have the whole disk, enter it.

use std::convert::Infallible;

use crate::boot::Orders;
use crate::check;
use crate::console::Console;
use crate::device::Device;
use crate::divide;
use crate::exception::SystemException;
use crate::grow;
use crate::machine::{Machine, PanicTimeout};
use crate::modules::Modules;
use crate::root;
use crate::superblock::Superblock;
use crate::switch_root;

/// Boots the system of a disk.
pub(crate) fn boot(
    machine: &Machine,
    orders: &Orders,
    panic: &PanicTimeout,
    console: &Console,
) -> Result<Infallible, SystemException> {
    System::find(machine, orders, console)?.enter(machine, orders, panic, console)
}

/// The system of a disk or a stick, found and recognised.
pub(super) struct System {
    pub(super) device: Device,
    pub(super) superblock: Superblock,
    pub(super) modules: Modules,
}

impl System {
    /// Loads drivers until it is there.
    pub(super) fn find(
        machine: &Machine,
        orders: &Orders,
        console: &Console,
    ) -> Result<Self, SystemException> {
        let mut modules = Modules::open(machine, &orders.modules, console);
        let device = root::wait(machine, orders, &mut modules, console)?;
        console.phase("device");
        let (device, superblock) = root::recognise(device, orders)?;
        Ok(Self { device, superblock, modules })
    }

    /// Checks, grows, mounts and enters it where it can be written to.
    pub(super) fn enter(
        mut self,
        machine: &Machine,
        orders: &Orders,
        panic: &PanicTimeout,
        console: &Console,
    ) -> Result<Infallible, SystemException> {
        let Superblock { filesystem, .. } = self.superblock;
        self.modules.load(filesystem.module(), console);
        check::check(machine, &self.device, filesystem, console)?;
        console.phase("check");
        let device = match orders.grow && orders.partitions.is_none() {
            true => grow::partition(machine, self.device, console),
            false => self.device,
        };
        console.phase("partition");
        let system = root::mount(machine, orders, &device, &self.superblock, &self.modules)?;
        console.phase("mount");
        if orders.grow {
            let device = match &orders.partitions {
                Some(division) => divide::divide(machine, device, division, console),
                None => device,
            };
            grow::filesystem(machine, &device, console);
        }
        console.phase("filesystem");
        system.set_mode(orders.read_only)?;
        switch_root::enter(machine, orders, panic, console)
    }
}
