//! `N.config` beside an image in a file system: what `<deploy>` specifies for the machine that gets the image, as the
//! prototype of a network client's configuration and for an installation medium (docs/formats/client-configuration.md).

use std::fmt::Display;

use anyhow::{Context, Result};
use bootconfig::{
    ClientConfig, Compression, Deployed, FileEntry, ImageEntry, ImageName, Union, UnionDevices,
    partition_name,
};
use description::{Deploy, Oem, Pxe, Selection, UnionType};
use ondisk::Mebibytes;

use super::install_settings::deployed;
use crate::artifact::{Artifact, Role};
use crate::failure::fail;
use crate::host::Host;
use crate::workspace::Workspace;

/// The image that the configuration is for.
pub(super) struct System<'a> {
    /// Its name.
    pub(super) name: &'a ImageName,
    /// The size of its file system.
    pub(super) size: Mebibytes,
    /// Whether it is compressed with gzip.
    pub(super) compressed: bool,
    /// The name of its read-only part.
    pub(super) read_only: Option<&'a ImageName>,
    /// The type, if it is one for network clients.
    pub(super) client: Option<&'a Pxe>,
}

/// Returns the configuration; none without `<deploy>`.
pub(super) fn plan(selection: &Selection, system: &System<'_>) -> Result<Option<ClientConfig>> {
    let Some(deploy) = &selection.deploy else { return Ok(None) };
    let is_client = system.client.is_some() || system.read_only.is_some();
    let mut partitions = deployed(deploy, &Oem::default(), system.size);
    if let Some(partitions) = &mut partitions {
        for partition in &mut partitions.partitions {
            partition.kind = sfdisk_type(&partition.kind);
        }
    }
    if is_client && partitions.is_some() && deploy.device.is_none() {
        fail!(
            InvalidDescription,
            "<deploy> has partitions for a network client, but not the disk for them: add device=\"/dev/sda\", or the \
             disk that the clients have, to <partitions>"
        );
    }
    let disk = deploy.device.as_ref().map(|device| device.strip_prefix("/dev/").unwrap_or(device).to_owned());
    let devices = devices(disk.as_deref(), partitions.as_ref(), deploy, is_client);
    if let (Some(partitions), Some(target)) = (&mut partitions, devices.number) {
        partitions.target = Some(target);
    }
    let architecture = &selection.architecture;
    let files = deploy.configurations.iter().filter(|file| file.architectures.allows(architecture));
    let command_line = system.client.and_then(|client| client.kernel_command_line.as_deref());
    let options: Vec<&str> = deploy.command_line.as_deref().into_iter().chain(command_line).collect();
    let entry = |device: String, name: &ImageName| {
        let entry = name.entry();
        let (name, version) = entry.split_once(';').unwrap_or((&entry, ""));
        ImageEntry {
            device,
            name: name.to_owned(),
            version: version.to_owned(),
            server: deploy.server.clone(),
            block_size: deploy.block_size,
            compressed: system.compressed.then_some(Compression::Gzip),
        }
    };
    let further = system.read_only.map(|name| entry(devices.read_only, name));
    let config = ClientConfig {
        images: std::iter::once(entry(devices.system, system.name)).chain(further).collect(),
        disk: disk.filter(|_| partitions.is_some()),
        partitions,
        files: files
            .map(|file| FileEntry {
                source: file.source.clone(),
                destination: file.destination.clone(),
                server: deploy.server.clone(),
                block_size: deploy.block_size,
            })
            .collect(),
        combined_image: system.read_only.is_some(),
        union: deploy.union.as_ref().map(union),
        boot_timeout: deploy.timeout,
        kernel_options: Some(options.join(" ")).filter(|options| !options.is_empty()),
        kernel: deploy.kernel.clone(),
        initrd: deploy.initrd.clone(),
        ..ClientConfig::default()
    };
    check(&config, is_client)?;
    Ok(Some(config))
}

/// Fails if the text of the configuration does not mean the same as the description.
fn check(config: &ClientConfig, is_client: bool) -> Result<()> {
    let text = config.to_string();
    let read = match is_client {
        true => ClientConfig::parse_client(&text),
        false => ClientConfig::parse(&text),
    };
    match read {
        Ok(read) if read == *config => Ok(()),
        Ok(_) => fail!(
            InvalidDescription,
            "<deploy> has a value that the configuration of a network client cannot contain; it would be\n{text}"
        ),
        Err(error) => fail!(
            InvalidDescription,
            "<deploy> does not make a configuration for a network client: {}; it would be\n{text}",
            error.text
        ),
    }
}

/// The devices of the system.
struct Devices {
    system: String,
    /// The number of its partition.
    number: Option<usize>,
    /// The device of the read-only part.
    read_only: String,
}

/// Returns where the system goes: to its partition, to the whole disk, or for a network client without a disk to memory.
fn devices(disk: Option<&str>, partitions: Option<&Deployed>, deploy: &Deploy, is_client: bool) -> Devices {
    let Some(partitions) = partitions else {
        let memory = if is_client { "ram1" } else { "" };
        return Devices {
            system: disk.unwrap_or(memory).to_owned(),
            number: None,
            read_only: if is_client { "ram2".to_owned() } else { String::new() },
        };
    };
    let name = |number: usize| {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        partition_name(disk.unwrap_or_default(), number)
    };
    let system = partitions.system().map(|index| index + 1);
    // KIWI 1.x network boot takes the second partition; an installation puts the system first.
    let number = system.or(is_client.then_some(2));
    let of_union = deploy.union.as_ref().map(|union| union.read_only.clone());
    let free = |index: &usize| {
        let partition = &partitions.partitions[*index];
        Some(index + 1) != number && !partition.is_swap() && partition.mountpoint.is_none()
    };
    let read_only = (0..partitions.partitions.len()).find(free).map(|index| name(index + 1));
    Devices {
        system: number.map_or_else(|| disk.unwrap_or_default().to_owned(), name),
        number,
        read_only: read_only.or(of_union).unwrap_or_default(),
    }
}

/// Returns the type of a partition as sfdisk names it.
fn sfdisk_type(kind: &str) -> String {
    let lower = kind.to_lowercase();
    if lower.contains("swap") {
        "S".to_owned()
    } else if lower.contains("linux") {
        "83".to_owned()
    } else {
        kind.to_owned()
    }
}

fn union(union: &description::Union) -> UnionDevices {
    let device = |device: &String| device.strip_prefix("/dev/").unwrap_or(device).to_owned();
    UnionDevices {
        read_write: device(&union.read_write),
        read_only: device(&union.read_only),
        kind: match union.kind {
            UnionType::Aufs => Union::Aufs,
            UnionType::Unionfs => Union::Unionfs,
            UnionType::Overlay => Union::Overlay,
        },
    }
}

/// Writes `N.config`, of a network client or of the installer.
pub(super) fn create(
    config: &impl Display,
    name: &ImageName,
    workspace: &Workspace,
    host: &Host,
) -> Result<Artifact> {
    let file = format!("{name}.config");
    let path = workspace.unfinished(&file);
    host.write_file(&path, config.to_string()).with_context(|| format!("cannot write {file}"))?;
    Ok(Artifact::new(Role::InstallSettings, file, path))
}

#[cfg(test)]
mod tests;
