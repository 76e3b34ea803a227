//! The end of an installation: what was installed, and how the machine continues.

use std::time::Duration;

use bootconfig::{InstallChoice, InstallConfig};

use super::question::{AtConsole, Prompt};
use crate::console::Console;
use crate::shutdown::{power_off, restart};

/// How long the last screen is shown.
const GOODBYE: Duration = Duration::from_secs(10);

/// Says that the system is installed on `disk`, with `advice` for the user, and ends this boot.
pub(crate) fn end(config: &InstallConfig, disk: &str, advice: &str, console: &Console) -> ! {
    let shutdown = config.is(InstallChoice::Shutdown);
    let then = if shutdown { "is switched off" } else { "restarts" };
    let installed = format!("\n{} is installed on {disk}.\n\n{advice}", config.image);
    if config.is(InstallChoice::Wait) {
        console.screen(&installed);
        let question = format!(" Press Enter and the machine {then}: ");
        if let Err(error) = AtConsole::new(console).ask(&question) {
            console.say(&format!("\n{error}: it {then} now.\n"));
        }
    } else {
        console.screen(&format!("{installed} The machine {then} in {} seconds.\n", GOODBYE.as_secs()));
        std::thread::sleep(GOODBYE);
    }
    if shutdown { power_off() } else { restart() }
}
