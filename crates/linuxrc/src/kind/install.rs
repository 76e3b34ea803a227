//! The boot image of installation media, isoinstboot of KIWI 1.x (docs/formats/boot-images.md).
//!
//! ```text
//! find the medium -> verify its image -> choose the disk -> consent, or already installed -> write
//!   -> read back -> restart
//! ```
//!
//! The image is a whole disk with its boot loader; at its own first boot it repartitions and fills the disk, whose size is
//! checked for that. Nothing is
//! written before the whole image was read and verified, and nothing without consent: typed, or given in advance with the
//! keyword `UNATTENDED`.

use std::convert::Infallible;
use std::fs;
use std::time::Duration;

use bootconfig::{Checksum, InstallChoice, InstallConfig};
use ondisk::Bytes;

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::{Console, Progress};
use crate::install::already_installed;
use crate::install::image::PackedImage;
use crate::install::question::{AtConsole, Prompt};
use crate::install::target::{self, Target};
use crate::machine::Machine;
use crate::medium::{self, Medium};
use crate::modules::Modules;
use crate::shutdown::{power_off, restart};

/// How long the last screen is shown.
const GOODBYE: Duration = Duration::from_secs(10);

/// Installs the image of a medium.
pub(crate) fn boot(machine: &Machine, plan: &BootPlan, console: &Console) -> Result<Infallible, BootFailure> {
    let mut modules = Modules::open(machine, &plan.modules, console);
    let medium = medium::wait(machine, plan, "system to install", &mut modules, console)?;
    console.phase("medium");
    medium.is_whole()?;
    medium.mount(machine, &modules)?;
    let config = read_config(machine)?;
    let image = find_image(machine, &config)?;
    image.check(progress(&config, "Checking the system on the medium", &image, console))?;
    console.phase("checked");
    target::wait_until_settled(machine, &mut modules, console);
    let targets = target::offered(&config, target::list(machine, &medium.drive))?;
    let target = target::choose(&config, &targets, needed(&config, &image)?, console)?;
    if config.is(InstallChoice::Unattended) && image.is_on(&machine.dev.join(&target.name)) {
        already_installed::leave_or_consent(machine, &medium, &config, target, console);
    }
    install(machine, &config, &medium, &image, target, console)
}

fn install(
    machine: &Machine,
    config: &InstallConfig,
    medium: &Medium,
    image: &PackedImage,
    target: &Target,
    console: &Console,
) -> Result<Infallible, BootFailure> {
    console.phase("consent");
    let path = machine.dev.join(&target.name);
    image.write(
        &path,
        progress(config, &format!("Writing the system to {}", path.display()), image, console),
    )?;
    console.phase("written");
    if !config.is(InstallChoice::SkipVerify) {
        let progress = match config.is(InstallChoice::SilentVerify) {
            true => Progress::silent(),
            false => console.progress(&format!("Comparing {}", path.display()), image.bytes()),
        };
        image.read_back(&path, progress)?;
        console.phase("verified");
    }
    // A stick would be started again if it comes before the disk in the boot order.
    let take_out = match medium.eject(machine) {
        Ok(()) => "The CD was ejected.",
        Err(_) => "Take the CD or stick out now.",
    };
    let shutdown = config.is(InstallChoice::Shutdown);
    let then = if shutdown { "is switched off" } else { "restarts" };
    let installed = format!("\n{} is installed on {}.\n\n{take_out}", config.image, target.name);
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

/// Returns the progress of checking or writing, unless it is hidden.
fn progress<'c>(
    config: &InstallConfig,
    text: &str,
    image: &PackedImage,
    console: &'c Console,
) -> Progress<'c> {
    match config.is(InstallChoice::SilentInstall) {
        true => Progress::silent(),
        false => console.progress(text, image.bytes()),
    }
}

/// Returns the minimum size of the disk in bytes.
fn needed(config: &InstallConfig, image: &PackedImage) -> Result<u64, BootFailure> {
    match &config.deployed {
        None => Ok(image.bytes()),
        Some(deployed) => deployed.least(Bytes(image.bytes())).map(|bytes| bytes.0).map_err(|error| {
            BootFailure::reboot(format!(
                "The partitions of {} cannot be made: {error}\n\nMake the medium again with kiwi.",
                InstallConfig::PATH
            ))
        }),
    }
}

fn read_config(machine: &Machine) -> Result<InstallConfig, BootFailure> {
    let path = medium::location(machine).join(InstallConfig::PATH.trim_start_matches('/'));
    fs::read_to_string(&path)
        .map_err(|error| error.to_string())
        .and_then(|text| InstallConfig::parse(&text).map_err(|error| error.to_string()))
        .map_err(|error| {
            BootFailure::reboot(format!(
                "The medium does not say what to install: {}: {error}\n\nMake the medium again with kiwi.",
                InstallConfig::PATH
            ))
        })
}

fn find_image(machine: &Machine, config: &InstallConfig) -> Result<PackedImage, BootFailure> {
    let on_medium = |path: String| medium::location(machine).join(path.trim_start_matches('/'));
    let sum = on_medium(config.checksum_path());
    let checksum = fs::read_to_string(&sum)
        .map_err(|error| error.to_string())
        .and_then(|text| Checksum::parse(&text).map_err(|error| error.to_string()))
        .map_err(|error| {
            BootFailure::reboot(format!(
                "The checksum of the system is missing on the medium: {}: {error}\n\n\
                 Without it nothing is installed. Make the medium again with kiwi.",
                config.checksum_path()
            ))
        })?;
    let path = on_medium(config.image_path());
    if !path.is_file() {
        return Err(BootFailure::reboot(format!(
            "The system is missing on the medium: there is no {}.\n\nMake the medium again with kiwi.",
            config.image_path()
        )));
    }
    Ok(PackedImage::new(path, checksum))
}
