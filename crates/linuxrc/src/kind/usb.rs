//! The boot image of sticks that carry a whole system (spec 1.4, section 5.5).
//!
//! A system that can be written to is entered as on a disk. A squashfs is the read-only half of a union: what the
//! system writes goes to the partition behind it, which fills the stick from the first boot on.

use std::convert::Infallible;

use bootconfig::Filesystem;

use super::vmx::System;
use crate::boot::Orders;
use crate::console::Console;
use crate::exception::SystemException;
use crate::machine::{Machine, PanicTimeout};
use crate::switch_root;
use crate::union;

/// Boots the system of a stick.
pub(crate) fn boot(
    machine: &Machine,
    orders: &Orders,
    panic: &PanicTimeout,
    console: &Console,
) -> Result<Infallible, SystemException> {
    let mut system = System::find(machine, orders, console)?;
    match system.superblock.filesystem {
        Filesystem::Squashfs => {
            union::mount(machine, orders, system.device, &system.superblock, &mut system.modules, console)?;
            console.phase("mount");
            switch_root::enter(machine, orders, panic, console)
        }
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 | Filesystem::Xfs | Filesystem::Btrfs => {
            system.enter(machine, orders, panic, console)
        }
    }
}
