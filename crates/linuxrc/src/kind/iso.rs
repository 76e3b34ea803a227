//! The boot image of live systems on a CD or a stick (docs/formats/image-files.md and docs/formats/boot-images.md).
//!
//! ```text
//! find the medium -> check that it is complete (all of it, on request) -> persistent partition of the stick, on request
//!   -> mount the medium -> assemble the system -> swap space of the machine -> start it
//! ```

use std::convert::Infallible;

use bootconfig::LiveParameters;

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::live;
use crate::machine::{Machine, PanicTimeout};
use crate::medium;
use crate::modules::Modules;
use crate::persistent;
use crate::swap;
use crate::switch_root;

/// Boots the system of a medium.
pub(crate) fn boot(
    machine: &Machine,
    plan: &BootPlan,
    parameters: &LiveParameters,
    panic: &PanicTimeout,
    console: &Console,
) -> Result<Infallible, BootFailure> {
    let mut modules = Modules::open(machine, &plan.modules, console);
    let medium = medium::wait(machine, plan, "live system", &mut modules, console)?;
    console.phase("medium");
    medium.is_whole()?;
    if parameters.media_check {
        medium.check(machine, console)?;
        console.phase("mediacheck");
    }
    let kept = match parameters.persistent {
        true => persistent::prepare(machine, &medium, parameters, &mut modules, console),
        false => None,
    };
    medium.mount(machine, &modules)?;
    console.phase("mount");
    live::assemble(machine, plan, parameters, kept.as_ref(), &mut modules, console)?;
    if parameters.swap {
        swap::offer(machine, console);
    }
    console.phase("system");
    switch_root::enter(machine, plan, panic, console)
}
