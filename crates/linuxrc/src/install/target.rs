//! The disks of the machine, and which one the system is installed on.
//!
//! A disk with data is only overwritten after a user typed its name and the word `yes`, or if the medium specifies
//! `UNATTENDED` and the choice is unambiguous.

use std::fs::{self, File};
use std::io::Read;
use std::time::{Duration, Instant};

use bootconfig::{InstallChoice, InstallConfig};
use ondisk::Bytes;
use regex_lite::Regex;

use super::question::{AtConsole, Prompt};
use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::device::number;
use crate::machine::Machine;
use crate::modules::Modules;

/// How long no new disk must have appeared.
const SETTLED: Duration = Duration::from_secs(2);

/// Bytes at the start of a disk that are probed: partition tables and every superblock are there.
const LOOKED_AT: usize = 1 << 20;

/// A disk that the system can be installed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The kernel's name.
    pub(crate) name: String,
    bytes: u64,
    model: String,
    partitions: usize,
    empty: bool,
}

/// Loads drivers until no more disks appear.
pub(crate) fn wait_until_settled(machine: &Machine, modules: &mut Modules, console: &Console) {
    let mut last_news = Instant::now();
    let mut seen = 0;
    while last_news.elapsed() < SETTLED {
        let disks = fs::read_dir(machine.sys.join("class/block")).map_or(0, Iterator::count);
        if modules.serve_devices(machine, console) || disks != seen {
            (last_news, seen) = (Instant::now(), disks);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Returns every disk except the drive of the medium, sorted by name.
pub(crate) fn list(machine: &Machine, medium: &str) -> Vec<Target> {
    let entries = fs::read_dir(machine.sys.join("class/block")).into_iter().flatten().flatten();
    let mut targets: Vec<Target> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name != medium)
        .filter_map(|name| look(machine, name))
        .collect();
    targets.sort_by(|one, other| one.name.cmp(&other.name));
    targets
}

fn look(machine: &Machine, name: String) -> Option<Target> {
    const NO_DISKS: [&str; 9] = ["ram", "loop", "fd", "zram", "nbd", "sr", "dm-", "md", "mtd"];
    let directory = machine.sys.join("class/block").join(&name);
    let is_part = directory.join("partition").exists();
    let is_boot_area = name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb"));
    if is_part || is_boot_area || NO_DISKS.iter().any(|other| name.starts_with(other)) {
        return None;
    }
    // A stick in another socket is not a disk of the machine.
    let is_set = |file: &str| number(&directory.join(file)) == Some(1);
    if is_set("removable") || is_set("ro") {
        return None;
    }
    let bytes = number(&directory.join("size")).filter(|sectors| *sectors > 0)? * 512;
    let text = |file: &str| Some(fs::read_to_string(directory.join(file)).ok()?.trim().to_owned());
    let keywords: Vec<String> = [text("device/vendor"), text("device/model")].into_iter().flatten().collect();
    let parts = fs::read_dir(&directory).into_iter().flatten().flatten();
    Some(Target {
        bytes,
        model: keywords.join(" "),
        partitions: parts.filter(|entry| entry.path().join("partition").exists()).count(),
        // A disk that cannot be read is assumed to hold data.
        empty: is_empty(machine, &name).unwrap_or(false),
        name,
    })
}

fn is_empty(machine: &Machine, name: &str) -> std::io::Result<bool> {
    let mut start = Vec::new();
    File::open(machine.dev.join(name))?.take(LOOKED_AT as u64).read_to_end(&mut start)?;
    Ok(start.iter().all(|byte| *byte == 0))
}

impl Target {
    /// Returns a description of the disk in one line.
    fn line(&self) -> String {
        let content = match (self.partitions, self.empty) {
            (0, true) => "empty".to_owned(),
            (0, false) => "something without partitions on it".to_owned(),
            (1, _) => "1 partition".to_owned(),
            (count, _) => format!("{count} partitions"),
        };
        let model = if self.model.is_empty() { String::new() } else { format!("{}, ", self.model) };
        format!("{}  {} MiB  ({model}{content})", self.name, self.bytes >> 20)
    }

    fn is_foreign(&self) -> bool {
        !self.empty || self.partitions > 0
    }
}

/// Returns the disks without those that match the medium's filter, by name (`/dev/sda`) or by model. A disk that the
/// medium names is always included.
pub(crate) fn offered(config: &InstallConfig, targets: Vec<Target>) -> Result<Vec<Target>, BootFailure> {
    let Some(filter) = &config.filter else { return Ok(targets) };
    let filter = Regex::new(filter).map_err(|error| {
        BootFailure::reboot(format!(
            "The medium's filter for disks is not a valid regular expression: FILTER={filter}: {error}\n\n\
             Make the medium again with kiwi."
        ))
    })?;
    let is_found =
        |target: &Target| filter.is_match(&format!("/dev/{}", target.name)) || filter.is_match(&target.model);
    let is_named = |target: &Target| config.disk.as_deref() == Some(&target.name);
    Ok(targets.into_iter().filter(|target| is_named(target) || !is_found(target)).collect())
}

/// Returns the disk to install on, after consent to lose its data.
pub(crate) fn choose<'t>(
    config: &InstallConfig,
    targets: &'t [Target],
    bytes: u64,
    console: &Console,
) -> Result<&'t Target, BootFailure> {
    choose_with(config, targets, bytes, &mut AtConsole::new(console))
}

fn choose_with<'t>(
    config: &InstallConfig,
    targets: &'t [Target],
    bytes: u64,
    prompt: &mut dyn Prompt,
) -> Result<&'t Target, BootFailure> {
    if targets.is_empty() {
        return Err(BootFailure::reboot(
            "This machine has no disk to install on.\n\n\
             Is it connected and switched on in the firmware's setup? A disk that needs a driver the medium does not\n\
             have is not seen either.",
        ));
    }
    let wanted = match &config.disk {
        None => None,
        Some(name) => Some(targets.iter().find(|target| target.name == *name).ok_or_else(|| {
            BootFailure::reboot(format!(
                "The disk {name} for the system is not in this machine.\n\n{}",
                listed(targets)
            ))
        })?),
    };
    if config.is(InstallChoice::Unattended) {
        let target = match (wanted, targets) {
            (Some(target), _) => target,
            (None, [only]) => only,
            (None, _) => {
                return Err(BootFailure::reboot(format!(
                    "The installation is unattended, but this machine has {} disks and the medium does not name one.\n\n{}",
                    targets.len(),
                    listed(targets)
                )));
            }
        };
        return fits(target, bytes).map(|()| target);
    }
    let target = match wanted {
        Some(target) => fits(target, bytes).map(|()| target)?,
        None => ask_name(config, targets, bytes, prompt)?,
    };
    ask_consent(config, target, prompt).map(|()| target)
}

/// Returns the minimum size of the disk in bytes for an image of this size.
pub(crate) fn needed(config: &InstallConfig, image: Bytes) -> Result<u64, BootFailure> {
    match &config.deployed {
        None => Ok(image.0),
        Some(deployed) => deployed.least(image).map(|bytes| bytes.0).map_err(|error| {
            BootFailure::reboot(format!(
                "The partitions of {} cannot be made: {error}\n\nMake the medium again with kiwi.",
                InstallConfig::PATH
            ))
        }),
    }
}

fn listed(targets: &[Target]) -> String {
    let lines: Vec<String> = targets.iter().map(|target| format!("  {}", target.line())).collect();
    format!("Disks of this machine:\n{}", lines.join("\n"))
}

fn fits(target: &Target, bytes: u64) -> Result<(), BootFailure> {
    match shortage(target, bytes) {
        None => Ok(()),
        Some(text) => Err(BootFailure::reboot(format!("{text}\n\nNothing was written to it."))),
    }
}

/// Returns the message about a disk that is too small for the system.
fn shortage(target: &Target, bytes: u64) -> Option<String> {
    (target.bytes < bytes).then(|| {
        format!(
            "The disk {} is too small: it has {} MiB and the system needs {} MiB.",
            target.name,
            target.bytes >> 20,
            bytes.div_ceil(1 << 20)
        )
    })
}

/// Returns the disk that the user names. A disk that is too small is reported at once, so that another can be named.
fn ask_name<'t>(
    config: &InstallConfig,
    targets: &'t [Target],
    bytes: u64,
    prompt: &mut dyn Prompt,
) -> Result<&'t Target, BootFailure> {
    match targets {
        [only] => fits(only, bytes)?,
        _ if targets.iter().all(|target| target.bytes < bytes) => {
            return Err(BootFailure::reboot(format!(
                "No disk of this machine is large enough: the system needs {} MiB.\n\n{}\n\n\
                 Nothing was written to them.",
                bytes.div_ceil(1 << 20),
                listed(targets)
            )));
        }
        _ => {}
    }
    let mut question = format!(
        "\x1b[2J\x1b[H\nInstallation of {} ({} MiB)\n\n{}\n\nName of the disk to install on (nothing: do not install): ",
        config.image,
        bytes.div_ceil(1 << 20),
        listed(targets)
    );
    loop {
        let answer = answer(prompt, &question)?;
        let name = answer.strip_prefix("/dev/").unwrap_or(&answer);
        let named = targets.iter().find(|target| target.name == name);
        let reason = match named.map(|target| (target, shortage(target, bytes))) {
            Some((target, None)) => return Ok(target),
            Some((_, Some(text))) => text,
            None => format!("There is no disk \"{answer}\"."),
        };
        question = format!("{reason} Name of the disk: ");
    }
}

fn ask_consent(config: &InstallConfig, target: &Target, prompt: &mut dyn Prompt) -> Result<(), BootFailure> {
    let loss = match target.is_foreign() {
        true => "ALL THAT IS ON IT WILL BE LOST.",
        false => "It is empty.",
    };
    let question = format!(
        "\nInstall {} on this disk?\n\n  {}\n\n{loss}\nType yes to install: ",
        config.image,
        target.line()
    );
    match answer(prompt, &question)?.as_str() {
        "yes" => Ok(()),
        other => Err(BootFailure::reboot(format!(
            "Nothing was installed: \"{other}\" is not yes.\n\nNothing was written to a disk."
        ))),
    }
}

/// Returns an answer that is not empty.
fn answer(prompt: &mut dyn Prompt, question: &str) -> Result<String, BootFailure> {
    let answer = prompt.ask(question).map_err(|error| {
        BootFailure::reboot(format!(
            "Nothing was installed: {error}\n\nA medium made with --unattended asks no questions."
        ))
    })?;
    match answer.is_empty() {
        true => Err(BootFailure::reboot("Nothing was installed.\n\nNothing was written to a disk.")),
        false => Ok(answer),
    }
}

#[cfg(test)]
mod tests;
