//! The sticks of this machine: which exist, what they contain, and which one may be overwritten.
//!
//! Everything is read below `Locations`, so that tests run on made-up machines. kiwi only writes to a device that is
//! removable, not in use, and whose name a person has typed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::failure::fail;

/// Where the kernel and udev describe devices.
#[derive(Debug, Clone)]
pub struct Locations {
    sys: PathBuf,
    proc: PathBuf,
    udev: PathBuf,
    dev: PathBuf,
}

impl Locations {
    /// The locations below `root`: `/` for the machine itself.
    pub fn below(root: &Path) -> Self {
        Self {
            sys: root.join("sys/class/block"),
            proc: root.join("proc"),
            udev: root.join("run/udev/data"),
            dev: root.join("dev"),
        }
    }

    /// The node of a device.
    pub fn node(&self, device: &str) -> PathBuf {
        self.dev.join(device)
    }

    fn text(&self, device: &str, file: &str) -> Option<String> {
        let text = fs::read_to_string(self.sys.join(device).join(file)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn disks(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.sys)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !self.sys.join(name).join("partition").exists())
            .collect();
        names.sort();
        names
    }

    fn partitions(&self, disk: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.sys.join(disk))
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().join("partition").exists())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// What udev found on a device: type and label of its file system.
    fn content(&self, device: &str) -> Option<String> {
        let number = self.text(device, "dev")?;
        let text = fs::read_to_string(self.udev.join(format!("b{number}"))).ok()?;
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
        let filesystem = value("E:ID_FS_TYPE=")?;
        Some(match value("E:ID_FS_LABEL=") {
            Some(label) => format!("{filesystem} \"{label}\""),
            None => filesystem,
        })
    }
}

/// A removable disk with a medium in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stick {
    /// The kernel's name, such as `sdb`.
    pub name: String,
    vendor: String,
    model: String,
    bytes: u64,
    content: Vec<String>,
    /// Why it must not be overwritten.
    pub refusal: Option<Refusal>,
}

/// Why kiwi refuses a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It or one of its partitions is mounted.
    Mounted(String),
    /// It is used as swap space.
    Swap(String),
    /// It is part of another device (device mapper, RAID).
    Held(String),
    /// It is write-protected.
    ReadOnly,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mounted(location) => write!(f, "it is mounted at {location}; unmount it first"),
            Self::Swap(device) => write!(f, "{device} is swap space in use; turn it off first (swapoff)"),
            Self::Held(holder) => write!(f, "it is part of {holder}; stop that first"),
            Self::ReadOnly => f.write_str("it is write-protected"),
        }
    }
}

impl std::fmt::Display for Stick {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.bytes as f64 / 1e9;
        write!(f, "/dev/{}  {} {}  {size:.1} GB", self.name, self.vendor, self.model)?;
        match self.content.is_empty() {
            true => write!(f, "  (empty)")?,
            false => write!(f, "  ({})", self.content.join(", "))?,
        }
        match &self.refusal {
            Some(refusal) => write!(f, "  in use: {refusal}"),
            None => Ok(()),
        }
    }
}

/// Every removable disk with a medium in it, in use or not.
pub fn list(locations: &Locations) -> Vec<Stick> {
    locations.disks().into_iter().filter_map(|name| look(locations, name)).collect()
}

fn look(locations: &Locations, name: String) -> Option<Stick> {
    // CD drives and floppies are removable too.
    let is_disk =
        !["sr", "fd", "loop", "ram", "zram", "nbd", "dm-", "md"].iter().any(|no| name.starts_with(no));
    if !is_disk || locations.text(&name, "removable").as_deref() != Some("1") {
        return None;
    }
    // sysfs counts units of 512 bytes, whatever the sector size.
    let bytes = locations.text(&name, "size")?.parse::<u64>().ok()? * 512;
    let partitions = locations.partitions(&name);
    let whole = locations.content(&name).map(|content| format!("whole device: {content}"));
    let parts = partitions.iter().map(|part| match locations.content(part) {
        Some(content) => format!("{part}: {content}"),
        None => format!("{part}: unknown content"),
    });
    let text = |file: &str| locations.text(&name, file);
    (bytes > 0).then(|| Stick {
        vendor: text("device/vendor").unwrap_or_else(|| "unknown vendor".to_owned()),
        model: text("device/model")
            .or_else(|| text("device/name"))
            .unwrap_or_else(|| "unknown model".to_owned()),
        bytes,
        content: whole.into_iter().chain(parts).collect(),
        refusal: refusal(locations, &name, &partitions),
        name: name.clone(),
    })
}

fn refusal(locations: &Locations, disk: &str, partitions: &[String]) -> Option<Refusal> {
    let all = || std::iter::once(disk).chain(partitions.iter().map(String::as_str));
    let numbers: BTreeSet<String> = all().filter_map(|device| locations.text(device, "dev")).collect();
    let nodes: BTreeSet<String> = all().map(|device| format!("/dev/{device}")).collect();
    let read = |file: &str| fs::read_to_string(locations.proc.join(file)).unwrap_or_default();
    for line in read("self/mountinfo").lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let source = fields.iter().position(|field| *field == "-").and_then(|at| fields.get(at + 2));
        // Btrfs shows a device number of its own; the source identifies the device then.
        let ours = fields.get(2).is_some_and(|number| numbers.contains(*number))
            || source.is_some_and(|source| nodes.contains(*source));
        if ours {
            return Some(Refusal::Mounted(fields.get(4).unwrap_or(&"?").replace("\\040", " ")));
        }
    }
    for line in read("swaps").lines().skip(1) {
        let device = line.split_whitespace().next().unwrap_or_default();
        if nodes.contains(device) {
            return Some(Refusal::Swap(device.to_owned()));
        }
    }
    for device in all() {
        let directory = match device == disk {
            true => locations.sys.join(device),
            false => locations.sys.join(disk).join(device),
        };
        if let Some(Ok(holder)) =
            fs::read_dir(directory.join("holders")).ok().and_then(|mut entries| entries.next())
        {
            return Some(Refusal::Held(holder.file_name().to_string_lossy().into_owned()));
        }
    }
    (locations.text(disk, "ro").as_deref() == Some("1")).then_some(Refusal::ReadOnly)
}

/// Returns the name of the device to overwrite: `asked`, or the answer to `ask` after the list was shown.
pub fn choose(
    locations: &Locations,
    asked: Option<&str>,
    mut show: impl FnMut(&str),
    mut ask: impl FnMut(&str) -> std::io::Result<String>,
) -> Result<String> {
    let sticks = list(locations);
    if let Some(asked) = asked {
        return permitted(locations, &sticks, asked);
    }
    if sticks.iter().all(|stick| stick.refusal.is_some()) {
        let seen: String = sticks.iter().map(|stick| format!("\n  {stick}")).collect();
        fail!(
            File,
            "no stick was found that can be written to; plug one in, or write to a file with --output{seen}"
        );
    }
    show("Sticks of this machine:");
    for stick in &sticks {
        show(&format!("---> {stick}"));
    }
    show("All that is on the stick you choose will be lost.");
    loop {
        let answer = ask("Your choice (enter device name): ").context("reading your choice")?;
        if answer.is_empty() {
            fail!(Usage, "no device was chosen; nothing was written");
        }
        match permitted(locations, &sticks, answer.trim()) {
            Ok(name) => return Ok(name),
            Err(error) => show(&format!("{error:#}")),
        }
    }
}

/// Checks whether the device may be overwritten; returns its name without `/dev/`.
fn permitted(locations: &Locations, sticks: &[Stick], asked: &str) -> Result<String> {
    let name = asked.strip_prefix("/dev/").unwrap_or(asked);
    match sticks.iter().find(|stick| stick.name == name) {
        Some(Stick { refusal: None, .. }) => Ok(name.to_owned()),
        Some(Stick { refusal: Some(refusal), .. }) => fail!(Usage, "cannot write to /dev/{name}: {refusal}"),
        None if locations.disks().iter().any(|disk| disk == name) => {
            fail!(Usage, "cannot write to /dev/{name}: it is not a removable disk with a medium in it")
        }
        None => fail!(Usage, "there is no removable disk '{asked}'; name a whole one, such as /dev/sdb"),
    }
}

#[cfg(test)]
mod tests;
