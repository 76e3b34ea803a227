//! What a configuration must have for a network client to boot from it.

use super::ClientConfig;
use super::field::number_of;
use super::key::ClientKey;

/// Returns the key and the reason when a client cannot boot from the configuration.
pub(super) fn check(config: &ClientConfig) -> Result<(), (ClientKey, String)> {
    one_system(config)?;
    if config.combined_image && config.images.len() != 2 {
        return Err((
            ClientKey::CombinedImage,
            format!(
                "COMBINED_IMAGE needs two images, the writable part first, but IMAGE has {}",
                config.images.len()
            ),
        ));
    }
    if config.kernel.is_some() && config.initrd.is_none() {
        return Err((ClientKey::Kernel, "KIWI_KERNEL needs KIWI_INITRD beside it".to_owned()));
    }
    if let Some(image) = config.images.iter().find(|image| image.device.is_empty()) {
        return Err((ClientKey::Image, format!("IMAGE has no device for \"{}\"", image.file_name())));
    }
    union_of_an_image(config)?;
    devices_of_partitions(config)
}

fn one_system(config: &ClientConfig) -> Result<(), (ClientKey, String)> {
    let given = [
        (ClientKey::Image, !config.images.is_empty()),
        (ClientKey::NfsRoot, config.nfs_root.is_some()),
        (ClientKey::NbdRoot, config.nbd_root.is_some()),
    ];
    let mut given = given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key);
    match (given.next(), given.next()) {
        (Some(_), None) => Ok(()),
        (Some(one), Some(other)) => {
            Err((other, format!("{} and {} are two systems: expected one of them", one.name(), other.name())))
        }
        (None, _) => {
            Err((ClientKey::Image, "nothing to boot: expected IMAGE, NFSROOT or NBDROOT".to_owned()))
        }
    }
}

fn union_of_an_image(config: &ClientConfig) -> Result<(), (ClientKey, String)> {
    let Some(union) = &config.union else { return Ok(()) };
    if union.read_write == union.read_only {
        return Err((ClientKey::UnionfsConfig, "UNIONFS_CONFIG has the same device twice".to_owned()));
    }
    if !config.images.is_empty() && config.images.iter().all(|image| image.device != union.read_only) {
        return Err((
            ClientKey::UnionfsConfig,
            format!(
                "UNIONFS_CONFIG has the read-only device /dev/{}, but IMAGE writes no image to it",
                union.read_only
            ),
        ));
    }
    Ok(())
}

fn devices_of_partitions(config: &ClientConfig) -> Result<(), (ClientKey, String)> {
    let Some(partitions) = &config.partitions else { return Ok(()) };
    let count = partitions.partitions.len();
    let Some(disk) = &config.disk else {
        return Err((ClientKey::Part, "PART needs DISK, the disk to partition".to_owned()));
    };
    let images = config.images.iter().filter(|image| !image.is_in_memory());
    for image in images {
        let number = number_of(&image.device, disk);
        let partition = number.map(|number| partitions.numbered(number.try_into().unwrap_or(0)));
        let reason = match partition {
            Some(None) => format!(
                "/dev/{} is not one of the {count} partitions of PART: expected a number from {} to {} at the end{}",
                image.device,
                partitions.number(0),
                partitions.number(count - 1),
                if count > 4 { ", but not 4" } else { "" }
            ),
            Some(Some(partition)) if partition.is_swap() => {
                format!("/dev/{} is swap space in PART: an image needs another partition", image.device)
            }
            None if image.device == *disk => {
                format!("/dev/{disk} is the disk of PART: expected one of its partitions")
            }
            // A device of another disk is not partitioned.
            Some(_) | None => continue,
        };
        return Err((ClientKey::Image, reason));
    }
    Ok(())
}
