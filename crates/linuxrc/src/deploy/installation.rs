//! Decides what is loaded, and loads it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use bootconfig::{ImageEntry, partition_name};
use ondisk::Bytes;
use rustix::mount::{MountFlags, mount};

use super::decision::{self, Verdict};
use super::image::{self, Destination, Image, Served, Servers};
use super::layout::{self, Layout};
use super::mount::{Layer, Parts, Storages, is_memory, read_markers, wait_for_disks};
use super::{Scene, partition};
use crate::boot_failure::BootFailure;
use crate::device::size;
use crate::enrol::Network;
use crate::loop_device;
use crate::machine::Machine;
use crate::modules::Modules;

/// The memory that is left for the system beside its image.
const SPARE_MEMORY: Bytes = Bytes(32 << 20);

/// The images of a client, on their devices.
pub(crate) struct Installed<'c> {
    pub(crate) images: Vec<(&'c ImageEntry, [u8; 16])>,
    /// Whether the image is new on its device, in the order of the images.
    pub(crate) is_new: Vec<bool>,
    pub(crate) layout: Option<Layout>,
    pub(crate) storages: Storages,
}

impl Installed<'_> {
    /// Whether the system was installed at this boot.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_new.first().is_some_and(|is_new| *is_new)
    }

    /// Returns the images that are new.
    pub(crate) fn new_images(&self) -> impl Iterator<Item = &(&ImageEntry, [u8; 16])> {
        self.images.iter().zip(&self.is_new).filter(|(_, is_new)| **is_new).map(|(image, _)| image)
    }
}

/// Brings the images of the configuration to their devices. Everything that can be known is checked before a device is written.
pub(crate) fn install<'c>(
    scene: Scene<'c>,
    network: &Network,
    modules: &mut Modules,
) -> Result<Installed<'c>, BootFailure> {
    let config = scene.config;
    let disks: Vec<&str> = match (&config.disk, &config.partitions) {
        (Some(disk), Some(_)) => vec![disk.as_str()],
        _ => config
            .images
            .iter()
            .filter(|image| !image.is_in_memory())
            .map(|image| image.device.as_str())
            .collect(),
    };
    wait_for_disks(scene, &disks, modules)?;
    let mut images = Vec::new();
    for entry in &config.images {
        let first = network.server(entry.server.as_deref(), entry.block_size)?;
        let second = Some(network.server).filter(|server| server.address != first.address);
        let served = Served::of_entry(&first, entry, scene.plan.verify_key.as_deref())?;
        let image = Image { entry, served };
        images.push((image, Servers { first, second }));
    }
    let verdicts = judge(scene, &images.iter().map(|(image, _)| image).collect::<Vec<_>>(), modules);
    let layout = plan(scene, &images.iter().map(|(image, _)| image).collect::<Vec<_>>())?;
    let loads = |index: usize| verdicts[index] != Verdict::Keep;
    let first_loads = verdicts.first().is_some_and(|verdict| *verdict != Verdict::Keep);
    check_sizes(scene, layout.as_ref().filter(|_| first_loads), images.iter().map(|(image, _)| image))?;
    if let (Some(layout), Some(disk), true) = (&layout, &config.disk, first_loads) {
        partition::partition(scene.machine, disk, layout, &targets(scene, disk, layout), scene.console)?;
    }
    let mut storages = Storages::new();
    for (index, (image, servers)) in images.iter().enumerate() {
        if image.entry.is_in_memory() {
            let name = load_to_memory(scene, image, *servers, modules)?;
            storages.insert(image.entry.device.clone(), name);
        } else if loads(index) {
            let device = scene.machine.dev.join(&image.entry.device);
            image::load(*servers, &image.served, &Destination::Device(device), scene.console)?;
        }
    }
    scene.console.phase("loaded");
    Ok(Installed {
        is_new: (0..images.len()).map(loads).collect(),
        images: images.iter().map(|(image, _)| (image.entry, image.served.sums.md5)).collect(),
        layout,
        storages,
    })
}

fn judge(scene: Scene<'_>, images: &[&Image<'_>], modules: &mut Modules) -> Vec<Verdict> {
    let sums: Vec<_> = images.iter().map(|image| (image.entry, image.served.sums.md5)).collect();
    let paths: Vec<String> = sums.iter().map(|(entry, _)| decision::marker_path(entry)).collect();
    let parts = Parts::of(scene.config, &Storages::new(), None);
    let is_on_disk = |parts: &Parts| match &parts.layer {
        Layer::Own => !is_memory(&parts.system),
        Layer::Device(_) => true,
        Layer::Memory => false,
    };
    let parts = parts.filter(is_on_disk);
    let markers = parts.and_then(|parts| read_markers(scene, &parts, &paths, modules));
    let marker =
        markers.as_ref().map(|markers: &BTreeMap<String, String>| |path: &str| markers.get(path).cloned());
    let verdicts = decision::judge(&sums, scene.config.reload_image, marker);
    for ((entry, _), verdict) in sums.iter().zip(&verdicts).filter(|((entry, _), _)| !entry.is_in_memory()) {
        let said = match verdict {
            Verdict::Keep => "is up to date",
            Verdict::Load(reason) => reason.text(),
        };
        scene.console.announce(&format!("{}: {said}", entry.file_name()));
    }
    verdicts
}

/// Returns the layout of the disk, if the configuration has partitions.
fn plan(scene: Scene<'_>, images: &[&Image<'_>]) -> Result<Option<Layout>, BootFailure> {
    let (Some(disk), Some(deployed)) = (&scene.config.disk, &scene.config.partitions) else {
        return Ok(None);
    };
    let failed = |why: String| {
        BootFailure::reboot(format!(
            "/dev/{disk} cannot be partitioned as configured: {why}\n\nNothing was written to the disk. Correct PART."
        ))
    };
    let facts = partition::look(scene.machine, disk).map_err(|error| failed(error.to_string()))?;
    let image = |number: u32| {
        let device = partition_name(disk, number);
        images.iter().find(|image| image.entry.device == device).map(|image| Bytes(image.served.sums.bytes))
    };
    layout::plan(deployed, &facts, image).map(Some).map_err(|error| failed(error.to_string()))
}

/// Returns the numbers of the partitions that are emptied: those of the images, and the writable one of a union.
fn targets(scene: Scene<'_>, disk: &str, layout: &Layout) -> Vec<u32> {
    let config = scene.config;
    let union = config.union.as_ref().map(|union| union.read_write.as_str());
    let names: Vec<&str> = config.images.iter().map(|image| image.device.as_str()).chain(union).collect();
    let numbers = layout.partitions.iter().map(|placed| placed.number);
    numbers.filter(|number| names.contains(&partition_name(disk, *number).as_str())).collect()
}

/// Fails if an image does not fit where it goes. The partitions of a new layout were checked with it.
fn check_sizes<'i, 'c: 'i>(
    scene: Scene<'_>,
    layout: Option<&Layout>,
    images: impl Iterator<Item = &'i Image<'c>>,
) -> Result<(), BootFailure> {
    let mut memory = Bytes(0);
    for image in images {
        let name = image.entry.file_name();
        if image.entry.is_in_memory() {
            memory = memory.saturating_add(Bytes(image.served.sums.bytes));
            continue;
        }
        let disk = scene.config.disk.as_deref().unwrap_or_default();
        let is_planned = layout.is_some_and(|layout| {
            layout.partitions.iter().any(|placed| partition_name(disk, placed.number) == image.entry.device)
        });
        let found = size(scene.machine, &image.entry.device).unwrap_or_default();
        if !is_planned && found < Bytes(image.served.sums.bytes) {
            return Err(BootFailure::reboot(format!(
                "The image {name} does not fit: it has {} MiB, and /dev/{} has {} MiB.\n\n\
                 Nothing was written to a disk. Correct IMAGE or PART.",
                Bytes(image.served.sums.bytes).to_mebibytes_up().0,
                image.entry.device,
                found.to_mebibytes().0
            )));
        }
    }
    let available = available_memory(scene.machine);
    if memory > Bytes(0) && memory.saturating_add(SPARE_MEMORY) > available {
        return Err(BootFailure::reboot(format!(
            "The images for memory do not fit: they have {} MiB, and {} MiB are available, of which the system needs some.\n\n\
             This machine needs more memory, or a smaller image.",
            memory.to_mebibytes_up().0,
            available.to_mebibytes().0
        )));
    }
    Ok(())
}

fn available_memory(machine: &Machine) -> Bytes {
    let text = fs::read_to_string(machine.proc.join("meminfo")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    Bytes(line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10)
}

/// Loads an image to memory; returns the name of the loop device that shows it. Half of the memory that is left is for what
/// the system writes.
fn load_to_memory(
    scene: Scene<'_>,
    image: &Image<'_>,
    servers: Servers,
    modules: &mut Modules,
) -> Result<String, BootFailure> {
    let Scene { machine, console, .. } = scene;
    modules.load("loop", console);
    let failed = |error: std::io::Error| {
        BootFailure::reboot(format!("{} cannot be used from memory: {error}", image.entry.file_name()))
    };
    let directory = machine.root.join("run/kiwi").join(&image.entry.device);
    mount_memory(&directory).map_err(failed)?;
    let file = directory.join(image.entry.file_name());
    image::load(servers, &image.served, &Destination::Memory(file.clone()), console)?;
    let size = Bytes(image.served.sums.bytes).saturating_add(Bytes(available_memory(machine).0 / 2));
    let device = File::options()
        .write(true)
        .open(&file)
        .and_then(|file| file.set_len(size.0 / 4096 * 4096))
        .and_then(|()| loop_device::attach(machine, &file, true))
        .map_err(failed)?;
    let name = device.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(name.to_owned())
}

fn mount_memory(directory: &Path) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    Ok(mount(
        "tmpfs",
        directory,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        Some(c"mode=700,size=100%"),
    )?)
}
