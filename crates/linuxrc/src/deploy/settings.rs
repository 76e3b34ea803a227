//! What an installed system needs to know: the files of `CONF=`, fstab, mount points, and at the end the markers.

use std::io;

use bootconfig::partition_name;
use ondisk::partition_table::PartitionType;
use ondisk::{Superblock, probe, probe_swap};

use super::fstab::{self, Line, Root};
use super::installation::Installed;
use super::system_file::SystemTree;
use super::{Scene, decision, local_boot};
use crate::boot_failure::BootFailure;
use crate::device::Device;
use crate::enrol::Network;

/// The largest file of `CONF`.
const LARGEST_FILE: usize = 32 << 20;
/// The largest fstab.
const LARGEST_FSTAB: u64 = 1 << 20;

/// Completes the mounted system. `written` is the device that it writes to, `installed` what was installed at this boot or before.
pub(crate) fn finish(
    scene: Scene<'_>,
    network: &Network,
    installed: Option<&Installed<'_>>,
    written: Option<&(Device, Superblock)>,
) -> Result<(), BootFailure> {
    let failed = |what: &str, error: &io::Error| {
        BootFailure::reboot(format!(
            "{what}: {error}\n\nThe system is not complete; the next boot installs it again."
        ))
    };
    let tree =
        SystemTree::open(&scene.machine.system).map_err(|error| failed("Opening the system", &error))?;
    copy_files(scene, network, &tree)?;
    scene.console.phase("settings");
    let Some(installed) = installed else { return Ok(()) };
    write_fstab(scene, installed, written, &tree).map_err(|error| failed("Writing /etc/fstab", &error))?;
    if let Some(written) = written.filter(|_| installed.layout.is_some()) {
        local_boot::prepare(scene, network, installed, written, &tree)?;
    }
    scene.console.phase("boot_loader");
    tree.sync().map_err(|error| failed("Writing the system to its disk", &error))?;
    for (entry, md5) in installed.new_images() {
        tree.write_text(&decision::marker_path(entry), &decision::marker_text(entry, *md5))
            .and_then(|()| tree.sync())
            .map_err(|error| failed("Marking the image as installed", &error))?;
    }
    Ok(())
}

/// Copies the files of `CONF` from the server.
fn copy_files(scene: Scene<'_>, network: &Network, tree: &SystemTree) -> Result<(), BootFailure> {
    for file in &scene.config.files {
        let failed = |error: String| {
            BootFailure::reboot(format!(
                "The configuration file {} cannot be copied to {}: {error}\n\nCorrect CONF, or publish the file.",
                file.source, file.destination
            ))
        };
        let server = network.server(file.server.as_deref(), file.block_size)?;
        let bytes = server.fetch(&file.source, LARGEST_FILE).map_err(|error| failed(error.to_string()))?;
        tree.write_file(&file.destination, |output| io::Write::write_all(output, &bytes))
            .map_err(|error| failed(error.to_string()))?;
        scene.console.trace(&format!("{} is {}", file.destination, file.source));
    }
    Ok(())
}

fn write_fstab(
    scene: Scene<'_>,
    installed: &Installed<'_>,
    written: Option<&(Device, Superblock)>,
    tree: &SystemTree,
) -> io::Result<()> {
    let mut lines = Vec::new();
    let root = if scene.config.union.is_some() || written.is_none() { Root::Unlisted } else { Root::Listed };
    if let (Some((device, superblock)), Root::Listed) = (written, root) {
        lines.push(Line {
            device: device_name(&device.name, superblock.uuid.as_deref()),
            mount: Some("/".to_owned()),
            filesystem: superblock.filesystem.keyword().to_owned(),
        });
    }
    if let (Some(layout), Some(disk)) = (&installed.layout, &scene.config.disk) {
        let image_devices: Vec<&str> =
            installed.images.iter().map(|(entry, _)| entry.device.as_str()).collect();
        for placed in &layout.partitions {
            let name = partition_name(disk, placed.number);
            if let Some(line) = line_for(scene, placed, &name, &image_devices)? {
                if let Some(path) = &line.mount {
                    tree.make_directory(path)?;
                }
                lines.push(line);
            }
        }
    }
    let before = match tree.read_text("/etc/fstab", LARGEST_FSTAB) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let after = fstab::with_lines(&before, &lines, root);
    if after == before { Ok(()) } else { tree.write_text("/etc/fstab", &after) }
}

/// Returns the line for a partition; none for those of the system itself and those without a mount point.
fn line_for(
    scene: Scene<'_>,
    placed: &super::layout::Placed,
    name: &str,
    image_devices: &[&str],
) -> io::Result<Option<Line>> {
    let open = || std::fs::File::open(scene.machine.dev.join(name));
    if placed.is_swap() {
        let mut device = open()?;
        let mut start = [0; 4096];
        io::Read::read_exact(&mut device, &mut start)?;
        let device = device_name(name, probe_swap(&start).as_deref());
        return Ok(Some(Line { device, mount: None, filesystem: "swap".to_owned() }));
    }
    let Some(path) = placed.mount.as_ref().filter(|path| *path != "/") else { return Ok(None) };
    if image_devices.first() == Some(&name) {
        return Ok(None);
    }
    if placed.partition_type == PartitionType::Firmware {
        // The boot loader's file system comes later; the system does not need it.
        return Ok(None);
    }
    let Some(superblock) = probe(&mut open()?)? else { return Ok(None) };
    Ok(Some(Line {
        device: device_name(name, superblock.uuid.as_deref()),
        mount: Some(path.clone()),
        filesystem: superblock.filesystem.keyword().to_owned(),
    }))
}

fn device_name(name: &str, uuid: Option<&str>) -> String {
    uuid.map_or_else(|| format!("/dev/{name}"), |uuid| format!("UUID={uuid}"))
}
