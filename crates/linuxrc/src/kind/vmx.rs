//! The boot image of disks: vmx for virtual machines, oem for real ones (docs/formats/boot-images.md).
//!
//! What vmxboot did with scripts of the distribution (boot loader, fstab) is done by the builder today. The remaining tasks
//! are: find the system, check it, grow it to the whole disk, start it.

use std::convert::Infallible;

use ondisk::Superblock;

use crate::boot_failure::BootFailure;
use crate::boot_plan::{BootPlan, Change};
use crate::check;
use crate::console::Console;
use crate::device::Device;
use crate::early_mounts;
use crate::grow;
use crate::machine::{Machine, PanicTimeout};
use crate::modules::Modules;
use crate::repartition;
use crate::root;
use crate::switch_root;

/// Boots the system of a disk.
pub(crate) fn boot(
    machine: &Machine,
    plan: &BootPlan,
    panic: &PanicTimeout,
    console: &Console,
) -> Result<Infallible, BootFailure> {
    System::find(machine, plan, console)?.enter(machine, plan, panic, console)
}

/// The system of a disk or a stick.
pub(super) struct System {
    pub(super) device: Device,
    pub(super) superblock: Superblock,
    pub(super) modules: Modules,
}

impl System {
    /// Loads drivers until it appears.
    pub(super) fn find(machine: &Machine, plan: &BootPlan, console: &Console) -> Result<Self, BootFailure> {
        let mut modules = Modules::open(machine, &plan.modules, console);
        let device = root::wait(machine, plan, &mut modules, console)?;
        console.phase("device");
        let (device, superblock) = root::recognise(device, plan)?;
        Ok(Self { device, superblock, modules })
    }

    /// Checks, grows, mounts and starts it if it is writable.
    pub(super) fn enter(
        mut self,
        machine: &Machine,
        plan: &BootPlan,
        panic: &PanicTimeout,
        console: &Console,
    ) -> Result<Infallible, BootFailure> {
        let Superblock { filesystem, .. } = self.superblock;
        self.modules.load(filesystem.module(), console);
        check::check(machine, &self.device, filesystem, console)?;
        console.phase("check");
        let change = plan.change();
        let device = match change {
            Change::Fill => grow::partition(machine, self.device, console),
            Change::Nothing | Change::Repartition(_) => self.device,
        };
        console.phase("partition");
        let grows = change != Change::Nothing;
        let system = root::mount(machine, plan, grows, &device, &self.superblock, &self.modules)?;
        early_mounts::mount(machine, plan, &device, &mut self.modules, console)?;
        console.phase("mount");
        let device = match change {
            Change::Repartition(table) => repartition::repartition(machine, device, table, console),
            Change::Nothing | Change::Fill => device,
        };
        if grows {
            grow::filesystem(machine, &device, console);
        }
        console.phase("filesystem");
        system.set_mode(plan.read_only)?;
        switch_root::enter(machine, plan, panic, console)
    }
}
