//! The boot image of sticks that carry a whole system (spec 1.4, section 5.5).
//!
//! A system that can be written to is entered as on a disk. A squashfs is the read-only half of a union: what the
//! system writes goes to the partition behind it, which fills the stick from the first boot on.

use std::convert::Infallible;

use bootconfig::Filesystem;

use super::vmx::System;
use crate::boot::BootPlan;
use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::machine::{Machine, PanicTimeout};
use crate::switch_root;
use crate::union;

/// Boots the system of a stick.
pub(crate) fn boot(
    machine: &Machine,
    plan: &BootPlan,
    panic: &PanicTimeout,
    console: &Console,
) -> Result<Infallible, BootFailure> {
    let mut system = System::find(machine, plan, console)?;
    match system.superblock.filesystem {
        Filesystem::Squashfs => {
            union::mount(machine, plan, system.device, &system.superblock, &mut system.modules, console)?;
            console.phase("mount");
            switch_root::enter(machine, plan, panic, console)
        }
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 | Filesystem::Xfs | Filesystem::Btrfs => {
            system.enter(machine, plan, panic, console)
        }
    }
}
