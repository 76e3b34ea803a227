//! What a boot image with a key refuses: parts of a configuration that no signature covers.

use bootconfig::{ClientConfig, ClientKey};

use crate::boot_failure::BootFailure;

/// Returns an error if the configuration needs something that cannot be signed.
pub(crate) fn refuse(config: &ClientConfig) -> Result<(), BootFailure> {
    let keys = [
        (ClientKey::Conf, !config.files.is_empty()),
        (ClientKey::Initrd, config.initrd.is_some()),
        (ClientKey::Kernel, config.kernel.is_some()),
        (ClientKey::NfsRoot, config.nfs_root.is_some()),
        (ClientKey::NbdRoot, config.nbd_root.is_some()),
    ];
    match keys.into_iter().find(|(_, is_used)| *is_used) {
        None => Ok(()),
        Some((key, _)) => Err(BootFailure::reboot(format!(
            "The configuration has {}, which no signature covers.\n\nThis boot image accepts only signed images (--verify-key). \
             Nothing was written to a disk. Remove the line, or put the files into the image.",
            key.name()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_are_signed() {
        let image = "IMAGE=/dev/sda2;a.x86_64;1.0.0\nDISK=/dev/sda\nPART=200;S;x,x;L;/\n";
        assert_eq!(refuse(&ClientConfig::parse(image).unwrap()), Ok(()));
        for line in [
            "CONF=KIWI/a;/etc/a",
            "NFSROOT=10.0.0.1;/root",
            "NBDROOT=10.0.0.1;2000",
            "KIWI_INITRD=/boot/initrd",
        ] {
            let config = ClientConfig::parse(&format!("{image}{line}\n")).unwrap();
            assert!(refuse(&config).is_err(), "{line}");
        }
    }
}
