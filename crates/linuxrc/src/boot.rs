//! The boot, from the kernel's first program to the system's.
//!
//! This file has the steps common to every kind: it mounts the kernel's file systems and reads the command line.

use std::convert::Infallible;
use std::fs;

use bootconfig::{Kind, LiveParameters, Parameters};

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::kind;
use crate::machine::{Machine, PanicTimeout};
use crate::shutdown;

/// Boots this machine, whose first program this must be. Never returns: a failure ends with a reboot or a halt.
pub fn start() -> ! {
    if !rustix::process::getpid().is_init() {
        eprintln!("linuxrc is the first program of a boot image and cannot be started by hand.");
        std::process::exit(1);
    }
    let machine = Machine::real();
    shutdown::reboot_on_panic();
    let mut console = Console::quiet(&machine);
    let Err(boot_failure) = boot(&machine, &mut console);
    boot_failure.end(&machine, &console)
}

/// Boots the system. Returns only if that fails, with the reason.
fn boot(machine: &Machine, console: &mut Console) -> Result<Infallible, BootFailure> {
    machine.mount_kernel_filesystems()?;
    let keywords = read_command_line(machine)?;
    console.follow(&keywords);
    console.phase("start");
    let panic = PanicTimeout::set(machine, keywords.contains("panic"));
    let plan = BootPlan::read(machine, &keywords)?;
    console.trace(&format!("{plan:?}"));
    match plan.kind {
        Kind::Vmx | Kind::Oem => kind::vmx::boot(machine, &plan, &panic, console),
        Kind::Usb => kind::usb::boot(machine, &plan, &panic, console),
        Kind::Install => kind::install::boot(machine, &plan, &keywords, console),
        Kind::Netboot => kind::netboot::boot(machine, &plan, &keywords, &panic, console),
        Kind::Iso => kind::iso::boot(machine, &plan, &LiveParameters::of(&keywords), &panic, console),
    }
}

fn read_command_line(machine: &Machine) -> Result<Parameters, BootFailure> {
    let path = machine.proc.join("cmdline");
    fs::read_to_string(&path)
        .map(|line| Parameters::parse(&line))
        .map_err(|error| BootFailure::reboot(format!("reading {}: {error}", path.display())))
}
