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
    let mut modules = Modules::open(machine);
    orders.modules.iter().for_each(|name| modules.load(name, console));
    let device = root::wait(machine, orders, &mut modules, console)?;
    console.phase("device");
    let (device, superblock) = root::recognise(device, orders)?;
    enter(machine, orders, device, &superblock, &mut modules, panic, console)
}

/// Checks, grows, mounts and enters the system on `device`, which can be written to.
pub(crate) fn enter(
    machine: &Machine,
    orders: &Orders,
    device: Device,
    superblock: &Superblock,
    modules: &mut Modules,
    panic: &PanicTimeout,
    console: &Console,
) -> Result<Infallible, SystemException> {
    modules.load(superblock.filesystem.module(), console);
    check::check(machine, &device, superblock.filesystem, console)?;
    console.phase("check");
    let growing = orders.grow && orders.partitions.is_none();
    let device = if growing { grow::partition(machine, device, console) } else { device };
    console.phase("partition");
    let system = root::mount(machine, orders, &device, superblock, modules)?;
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
