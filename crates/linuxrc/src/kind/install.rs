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

use bootconfig::{Checksum, InstallChoice, InstallConfig, InstallSource, Parameters};
use ondisk::Bytes;
use std::convert::Infallible;
use std::fs;

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::install::already_installed;
use crate::install::ending;
use crate::install::image::PackedImage;
use crate::install::progress::{reading_back, writing};
use crate::install::target::{self, Target, needed};
use crate::machine::Machine;
use crate::medium::{self, Medium};
use crate::modules::Modules;
use crate::remote_install;

/// Installs the image of a medium, or the one of a server that the command line names.
pub(crate) fn boot(
    machine: &Machine,
    plan: &BootPlan,
    keywords: &Parameters,
    console: &Console,
) -> Result<Infallible, BootFailure> {
    match InstallSource::of(keywords).map_err(|error| BootFailure::reboot(error.to_string()))? {
        Some(source) => remote_install::boot(machine, plan, keywords, &source, console),
        None => boot_from_medium(machine, plan, console),
    }
}

fn boot_from_medium(
    machine: &Machine,
    plan: &BootPlan,
    console: &Console,
) -> Result<Infallible, BootFailure> {
    let mut modules = Modules::open(machine, &plan.modules, console);
    let medium = medium::wait(machine, plan, "system to install", &mut modules, console)?;
    console.phase("medium");
    medium.is_whole()?;
    medium.mount(machine, &modules)?;
    let config = read_config(machine)?;
    let image = find_image(machine, &config)?;
    image.check(writing(&config, "Checking the system on the medium", Bytes(image.bytes()), console))?;
    console.phase("checked");
    target::wait_until_settled(machine, &mut modules, console);
    let targets = target::offered(&config, target::list(machine, &medium.drive))?;
    let target = target::choose(&config, &targets, needed(&config, Bytes(image.bytes()))?, console)?;
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
        writing(config, &format!("Writing the system to {}", path.display()), Bytes(image.bytes()), console),
    )?;
    console.phase("written");
    if !config.is(InstallChoice::SkipVerify) {
        image.read_back(&path, reading_back(config, &path, Bytes(image.bytes()), console))?;
        console.phase("verified");
    }
    // A stick would be started again if it comes before the disk in the boot order.
    let take_out = match medium.eject(machine) {
        Ok(()) => "The CD was ejected.",
        Err(_) => "Take the CD or stick out now.",
    };
    ending::end(config, &target.name, take_out, console)
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
