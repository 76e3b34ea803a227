//! The boot image of sticks with a whole system (docs/formats/boot-images.md).
//!
//! A writable system boots as from a disk. A read-only one is the lower layer of an overlay: what the system writes goes to
//! the next partition, which fills the stick from the first boot on.

use std::convert::Infallible;

use super::vmx::System;
use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
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
    if system.superblock.filesystem.is_read_only() {
        union::mount(machine, plan, system.device, &system.superblock, &mut system.modules, console)?;
        console.phase("mount");
        switch_root::enter(machine, plan, panic, console)
    } else {
        system.enter(machine, plan, panic, console)
    }
}
